//! A tool's result, and the types that a tool may return.

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;

use super::{ToolError, ToolResult};
use crate::call::IntoError;
use crate::content::{Audio, Content, EmbeddedResource, Image, ResourceLink, Text, finite};
use crate::protocol::encode;

impl ToolResult {
    /// Creates a result with structured content, and the same JSON as text for
    /// clients that read only text.
    ///
    /// # Errors
    ///
    /// Returns an internal error if `value` has no JSON form: a number that is
    /// NaN or infinite, a map whose keys are not text or numbers.
    pub fn structured<T: Serialize + ?Sized>(value: &T) -> Result<Self, ToolError> {
        let json = encode::on_one_line(finite::to_json(value)?)?;
        Ok(Self {
            content: vec![Content::text(json.get())],
            structured: Some(json),
            ..Self::default()
        })
    }
}

/// The types that a tool may return.
///
/// | type | result |
/// |---|---|
/// | `String`, `&'static str`, numbers, `bool`, [`Text`] | one text block |
/// | `()` | the text `(no result)` |
/// | [`Json<T>`] | structured content, the output schema of `T`, the JSON as text |
/// | [`Image`], [`Audio`], [`ResourceLink`], [`EmbeddedResource`], [`Content`] | one block |
/// | `Vec<Content>` | these blocks |
/// | `Option<T>` | `T`'s result, or the text `(no result)` |
/// | [`ToolResult`] | itself |
/// | `Result<T, ToolError>` | `T`'s result, or the error |
///
/// An empty result (an empty text, no blocks) becomes the text `(no result)`.
/// Structured content is not changed: an empty list is a result.
#[diagnostic::on_unimplemented(
    message = "a tool cannot return `{Self}`",
    label = "not a tool's result",
    note = "return text, a number, `Json<T>` (structured content), content blocks, `Option` of these, or `Result<_, ToolError>`"
)]
pub trait IntoToolResult {
    /// Converts the value into the result.
    ///
    /// # Errors
    ///
    /// Returns the tool's own failure, or an internal error if the value has no
    /// JSON form.
    fn into_tool_result(self) -> Result<ToolResult, ToolError>;

    /// Returns the schema of the structured content, if there is any.
    fn output_schema(generator: &mut SchemaGenerator) -> Option<Schema> {
        let _ = generator;
        None
    }
}

/// Structured content: the value as JSON, with its type's schema published as
/// the tool's output schema.
///
/// ```
/// # use mcp_kit::Json;
/// #[derive(serde::Serialize, schemars::JsonSchema)]
/// struct Sum { sum: i64 }
///
/// let result = Json(Sum { sum: 3 });
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Json<T>(pub T);

impl<T: Serialize + JsonSchema> IntoToolResult for Json<T> {
    fn into_tool_result(self) -> Result<ToolResult, ToolError> {
        ToolResult::structured(&self.0)
    }

    fn output_schema(generator: &mut SchemaGenerator) -> Option<Schema> {
        Some(generator.root_schema_for::<T>())
    }
}

impl IntoToolResult for ToolResult {
    fn into_tool_result(self) -> Result<ToolResult, ToolError> {
        Ok(self.in_words())
    }
}

impl IntoToolResult for () {
    fn into_tool_result(self) -> Result<ToolResult, ToolError> {
        Ok(ToolResult::default().in_words())
    }
}

impl<T: IntoToolResult> IntoToolResult for Option<T> {
    fn into_tool_result(self) -> Result<ToolResult, ToolError> {
        match self {
            Some(value) => value.into_tool_result(),
            None => ().into_tool_result(),
        }
    }
}

impl<T: IntoToolResult, E: IntoError> IntoToolResult for Result<T, E> {
    fn into_tool_result(self) -> Result<ToolResult, ToolError> {
        self.map_err(E::into_error)?.into_tool_result()
    }

    fn output_schema(generator: &mut SchemaGenerator) -> Option<Schema> {
        T::output_schema(generator)
    }
}

impl IntoToolResult for Vec<Content> {
    fn into_tool_result(self) -> Result<ToolResult, ToolError> {
        Ok(ToolResult::new(self).in_words())
    }
}

macro_rules! block_results {
    ($($block:ty),*) => {$(
        impl IntoToolResult for $block {
            fn into_tool_result(self) -> Result<ToolResult, ToolError> {
                Ok(ToolResult::new(vec![self.into()]).in_words())
            }
        }
    )*};
}
block_results!(Content, Text, Image, Audio, ResourceLink, EmbeddedResource);

macro_rules! text_results {
    ($($text:ty),*) => {$(
        impl IntoToolResult for $text {
            fn into_tool_result(self) -> Result<ToolResult, ToolError> {
                Ok(ToolResult::text(self).in_words())
            }
        }
    )*};
}
text_results!(
    String,
    &'static str,
    std::borrow::Cow<'static, str>,
    Box<str>
);

macro_rules! displayed_results {
    ($($number:ty),*) => {$(
        impl IntoToolResult for $number {
            fn into_tool_result(self) -> Result<ToolResult, ToolError> {
                Ok(ToolResult::text(self.to_string()))
            }
        }
    )*};
}
displayed_results!(
    i8, i16, i32, i64, i128, isize, u8, u16, u32, u64, u128, usize, f32, f64, bool, char
);

#[cfg(test)]
#[allow(clippy::panic)]
mod tests {
    use serde_json::value::RawValue;

    use super::*;

    #[test]
    fn what_is_passed_on_as_it_is_breaks_no_line() {
        #[derive(Serialize)]
        struct PassedOn {
            from: Box<RawValue>,
        }
        let from = "{\r\n  \"text\": \"a\\nb\",\n  \"list\": [1,\r2]\n}";
        let from = RawValue::from_string(from.to_owned()).unwrap();
        let result = ToolResult::structured(&PassedOn { from }).unwrap();
        let json = result.structured_content().unwrap().get();
        assert!(!json.contains(['\n', '\r']), "{json}");
        let value: serde_json::Value = serde_json::from_str(json).unwrap();
        let expected = serde_json::json!({"from": {"text": "a\nb", "list": [1, 2]}});
        assert_eq!(value, expected);
    }

    #[test]
    fn a_result_that_says_nothing_has_words() {
        let text = |result: Result<ToolResult, ToolError>| {
            let result = result.unwrap();
            let [Content::Text(text)] = result.content() else {
                panic!("{result:?}");
            };
            text.as_str().to_owned()
        };
        let said = [
            text(().into_tool_result()),
            text(String::new().into_tool_result()),
            text("".into_tool_result()),
            text(None::<String>.into_tool_result()),
            text(Some(String::new()).into_tool_result()),
            text(Vec::<Content>::new().into_tool_result()),
            text(Text::new("").into_tool_result()),
            text(ToolResult::new(Vec::new()).into_tool_result()),
        ];
        assert!(said.iter().all(|text| text == "(no result)"), "{said:?}");
        let failed = ToolResult::text("").into_failure();
        assert_eq!(
            text(failed.into_tool_result()),
            "(failed without a message)"
        );
        let list = Json(Vec::<u8>::new()).into_tool_result();
        assert_eq!(text(list), "[]");
    }
}
