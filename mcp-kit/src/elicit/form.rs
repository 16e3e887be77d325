//! A form, compiled when it is first asked.

use std::sync::OnceLock;

use serde_json::Value;

use super::ElicitForm;
use super::publish::{self, Published};
use crate::args::{ArgsSpec, CompiledArgs, Decoded, Violations};
use crate::protocol::ProtocolVersion;

/// The place of a form that is compiled once.
#[derive(Debug, Default)]
pub struct FormCell(OnceLock<Result<Form, String>>);

/// A form's published schemas, and the checks of its answers.
#[derive(Debug)]
pub(crate) struct Form {
    args: CompiledArgs,
    published: Published,
}

impl FormCell {
    /// Creates the place of a form.
    #[must_use]
    pub const fn new() -> Self {
        Self(OnceLock::new())
    }
}

impl Form {
    /// Returns a type's form, or why it is not a form: the author's mistake.
    pub(crate) fn of<T: ElicitForm>() -> Result<&'static Self, &'static str> {
        let FormCell(cell) = T::__form();
        let compiled = cell.get_or_init(|| Self::compile(&T::__spec()));
        compiled.as_ref().map_err(String::as_str)
    }

    fn compile(spec: &ArgsSpec) -> Result<Self, String> {
        let compiled = CompiledArgs::of(spec).and_then(|args| {
            let published = publish::publish(spec, args.schema())?;
            Ok(Self { args, published })
        });
        compiled.map_err(|problems| problems.join("; "))
    }

    /// Returns the `requestedSchema` for a client of this version; `None` if the
    /// version has no form of a field.
    pub(crate) fn schema(&self, version: ProtocolVersion) -> Option<&Value> {
        match version {
            ProtocolVersion::V2025_11_25 | ProtocolVersion::V2026_07_28 => {
                Some(&self.published.current)
            }
            _ => self.published.of_2025_06_18.as_ref(),
        }
    }

    /// Decodes and checks the answer: the text of a JSON object.
    pub(crate) fn read<T: ElicitForm>(&self, content: Option<&str>) -> Result<T, Violations> {
        let decoded = match self.args.decode(content)? {
            Decoded::Typed(value) => value.downcast().ok(),
            Decoded::Json(_) => None,
        };
        decoded.map(|value| *value).ok_or_else(Violations::unnamed)
    }
}
