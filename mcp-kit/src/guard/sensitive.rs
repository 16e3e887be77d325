//! Values that must not be shown. The type has no way to print or serialize
//! what it holds; the code that needs the value calls `expose_secret`.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use garde::rules::AsStr;
use garde::rules::length::bytes::HasBytes;
use garde::rules::length::chars::HasChars;
use garde::rules::length::simple::HasSimpleLength;
use garde::rules::length::utf16::HasUtf16CodeUnits;
use garde::{Path, Report, Validate};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::{Deserialize, Deserializer, Error as _};
use zeroize::{Zeroize, Zeroizing};

use crate::args::shape::{Shape, Shaped};

/// A value that is never shown: a password, a token, a connection string.
///
/// Use it for arguments, for state and for configuration. It has no `Display`,
/// and `Debug` prints a constant, so the value does not reach logs, traces,
/// errors and panics. It has no `Serialize`, so it cannot be part of a result.
/// [`expose_secret`](Self::expose_secret) is the way to the value: search for
/// that name to find every use. (garde's rules read it through garde's own trait
/// `AsStr`; do not import that.)
///
/// When a `Sensitive` is dropped, the memory of its value is overwritten with
/// zeros. Each clone is overwritten when it is dropped itself. Not overwritten
/// are copies that other code made: the text of the request or the file that the
/// value was read from, and what `expose_secret` was copied into.
///
/// # As an argument
///
/// The schema is that of `T` with `writeOnly: true`, so that a host can hide
/// what the user types. garde's rules for text and lengths apply as they do to
/// `T`, also in an `Option`, and `dive` checks the rules of a struct. The report
/// about a wrong argument has the rule and not the value, as for every argument.
/// The host and the model see what they send: ask for a secret only if the
/// user's own secret store cannot provide it.
///
/// ```
/// use garde::Validate;
/// use mcp_kit::guard::Sensitive;
/// use mcp_kit::prelude::*;
/// use schemars::JsonSchema;
/// use serde::Deserialize;
///
/// #[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
/// struct UnlockArgs {
///     /// The vault's passphrase.
///     #[garde(length(chars, min = 8, max = 200))]
///     passphrase: Sensitive<String>,
/// }
///
/// /// Unlock the vault.
/// #[tool]
/// async fn unlock(args: UnlockArgs) -> Result<String, ToolError> {
///     tracing::info!(?args, "unlocking"); // passphrase: Sensitive(hidden)
///     match args.passphrase.expose_secret().as_str() {
///         "correct horse battery" => Ok("The vault is open.".into()),
///         _ => Err(ToolError::user("The passphrase is wrong.")),
///     }
/// }
///
/// mcp_kit::testing::assert_schema_agrees::<UnlockArgs>();
/// ```
///
/// # In a result
///
/// does not compile:
///
/// ```compile_fail,E0277
/// use mcp_kit::guard::Sensitive;
///
/// #[derive(serde::Serialize, schemars::JsonSchema)]
/// struct Account {
///     name: String,
///     password: Sensitive<String>,
/// }
/// ```
///
/// # In configuration
///
/// It is made of a value ([`From`]) or of text ([`FromStr`]), and is
/// deserialized from what `T` is deserialized from. Errors never have the
/// value. With the feature `cli` it can be the type of an option of clap; other
/// users of a machine can read a process's options, so prefer a file or an
/// environment variable for a secret.
///
/// ```
/// use mcp_kit::guard::Sensitive;
///
/// #[derive(Debug, serde::Deserialize)]
/// struct Config {
///     database_url: Sensitive<String>,
/// }
///
/// let file = r#"{ "database_url": "postgres://app:hunter2@db/app" }"#;
/// let config: Config = serde_json::from_str(file)?;
/// assert_eq!(format!("{config:?}"), "Config { database_url: Sensitive(hidden) }");
/// # Ok::<(), serde_json::Error>(())
/// ```
///
/// # Comparing
///
/// There is no `==`, which would return sooner the earlier two values differ. To
/// compare a secret that a caller sent, use `ConstantTimeEq` of the crate
/// `subtle` on the exposed bytes.
// Later, where results are encoded, exact occurrences of a call's sensitive
// arguments (of at least 8 bytes) can be replaced. What that needs is here: the
// places have `writeOnly` in the tool's schema, which is beside the call's raw
// arguments when `server::dispatch` writes the result.
#[derive(Clone)]
pub struct Sensitive<T: Zeroize>(Zeroizing<T>);

impl<T: Zeroize> Sensitive<T> {
    /// Creates a value that must not be shown.
    #[must_use]
    pub fn new(value: T) -> Self {
        Self(Zeroizing::new(value))
    }

    /// Returns the value. Copies of it are no longer protected.
    #[must_use]
    pub fn expose_secret(&self) -> &T {
        &self.0
    }
}

impl<T: Zeroize> fmt::Debug for Sensitive<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sensitive(hidden)")
    }
}

impl<T: Zeroize> From<T> for Sensitive<T> {
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

impl From<&str> for Sensitive<String> {
    fn from(value: &str) -> Self {
        Self::new(value.to_owned())
    }
}

impl<T: FromStr + Zeroize> FromStr for Sensitive<T> {
    type Err = InvalidSensitive;

    fn from_str(text: &str) -> Result<Self, InvalidSensitive> {
        text.parse()
            .map(Self::new)
            .map_err(|_| InvalidSensitive(()))
    }
}

/// A text is not what a [`Sensitive`] value is read from. The error does not hold what is
/// wrong with it, which may have parts of the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidSensitive(());

impl fmt::Display for InvalidSensitive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "the value does not have the expected form, and is not shown because it is sensitive",
        )
    }
}

impl std::error::Error for InvalidSensitive {}

impl<'de, T: Deserialize<'de> + Zeroize> Deserialize<'de> for Sensitive<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(deserializer)
            .map(Self::new)
            .map_err(|error| {
                // serde's texts repeat the value ("invalid type: string \"…\""). This
                // one names a field of the Rust type.
                match error.to_string().starts_with("missing field `") {
                    true => error,
                    false => D::Error::custom(InvalidSensitive(())),
                }
            })
    }
}

impl<T: JsonSchema + Zeroize> JsonSchema for Sensitive<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn schema_id() -> Cow<'static, str> {
        format!("mcp_kit::guard::Sensitive<{}>", T::schema_id()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = generator.subschema_for::<T>();
        schema.insert("writeOnly".into(), true.into());
        schema
    }
}

impl<T: Shaped + Zeroize> Shaped for Sensitive<T> {
    fn shape() -> &'static Shape {
        const { &Shape::Same(T::shape) }
    }
}

/// The rules inside `T`, for `#[garde(dive)]`.
impl<T: Validate + Zeroize> Validate for Sensitive<T> {
    type Context = T::Context;

    fn validate_into(
        &self,
        context: &Self::Context,
        parent: &mut dyn FnMut() -> Path,
        report: &mut Report,
    ) {
        self.0.validate_into(context, parent, report);
    }
}

/// For garde's rules about text.
impl<T: AsStr + Zeroize> AsStr for Sensitive<T> {
    fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

/// For garde's `length`, in each of its modes.
macro_rules! lengths {
    ($($counted:ident $count:ident),*) => { $(
        impl<T: $counted + Zeroize> $counted for Sensitive<T> {
            fn $count(&self) -> usize {
                self.0.$count()
            }
        }
    )* };
}

lengths!(
    HasSimpleLength length,
    HasBytes num_bytes,
    HasChars num_chars,
    HasUtf16CodeUnits num_code_units
);

/// As the type of a clap option.
#[cfg(feature = "cli")]
mod option {
    use std::ffi::OsStr;
    use std::marker::PhantomData;

    use clap::builder::{TypedValueParser, ValueParser, ValueParserFactory};
    use clap::error::ErrorKind;
    use clap::{Arg, Command, Error};

    use super::{FromStr, InvalidSensitive, Sensitive, Zeroize};

    impl<T> ValueParserFactory for Sensitive<T>
    where
        T: FromStr + Zeroize + Clone + Send + Sync + 'static,
    {
        type Parser = ValueParser;

        fn value_parser() -> ValueParser {
            ValueParser::new(SensitiveParser::<T>(PhantomData))
        }
    }

    /// clap's own parsers show the value that they refuse.
    struct SensitiveParser<T>(PhantomData<fn() -> T>);

    impl<T> Clone for SensitiveParser<T> {
        fn clone(&self) -> Self {
            Self(PhantomData)
        }
    }

    impl<T> TypedValueParser for SensitiveParser<T>
    where
        T: FromStr + Zeroize + Clone + Send + Sync + 'static,
    {
        type Value = Sensitive<T>;

        fn parse_ref(
            &self,
            command: &Command,
            argument: Option<&Arg>,
            value: &OsStr,
        ) -> Result<Sensitive<T>, Error> {
            let read = value.to_str().and_then(|text| text.parse().ok());
            read.ok_or_else(|| {
                let name = argument.map_or_else(|| "argument".into(), ToString::to_string);
                let text = format!("invalid value for '{name}': {}\n", InvalidSensitive(()));
                Error::raw(ErrorKind::ValueValidation, text).format(&mut command.clone())
            })
        }
    }
}
