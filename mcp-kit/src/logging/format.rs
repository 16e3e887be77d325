//! Formats an event as one line of JSON.
//!
//! The event's fields are at the top level, together with those fields of the
//! surrounding spans that the event does not have itself: a line of a handler
//! names the tool and the principal, and no name appears twice.

use std::error::Error;
use std::fmt;

use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::field::RecordFields;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime as _, SystemTime};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, FormattedFields};
use tracing_subscriber::registry::LookupSpan;

use crate::support::error_text;
use crate::support::text::LineEnd;

/// The longest text of one field, in bytes; longer text is cut.
const LONGEST_TEXT: usize = error_text::LONGEST;

/// The members that every line has.
const COMMON: [&str; 3] = ["timestamp", "level", "target"];

pub(super) struct JsonLine;

impl<S> FormatEvent<S, Self> for JsonLine
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, Self>,
        mut line: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let metadata = event.metadata();
        head(&mut line, metadata.level(), metadata.target())?;
        event.record(&mut Fields(&mut line, Mark::Comma));
        let mut written: Vec<String> = Vec::new();
        #[cfg(feature = "otel")]
        if let Some(trace) = crate::observe::otel::current_trace()
            && metadata.fields().field("trace_id").is_none()
        {
            write!(line, ",\"trace_id\":\"{trace}\"")?;
            written.push("trace_id".to_owned());
        }
        for span in context.event_scope().into_iter().flatten() {
            let extensions = span.extensions();
            let Some(fields) = extensions.get::<FormattedFields<Self>>() else {
                continue;
            };
            let fields: Vec<_> = fields.fields.lines().filter_map(Member::of).collect();
            for (at, field) in fields.iter().enumerate() {
                // The value that was recorded last counts.
                let is_replaced = fields[at + 1..]
                    .iter()
                    .any(|later| later.name == field.name);
                let is_own = metadata
                    .fields()
                    .iter()
                    .any(|own| plain_name(&own) == field.name);
                if !is_replaced && !is_own && !written.iter().any(|known| known == field.name) {
                    write!(line, ",{}", field.json)?;
                    written.push(field.name.to_owned());
                }
            }
        }
        line.write_str("}\n")
    }
}

/// A formatted field of a span.
struct Member<'a> {
    name: &'a str,
    json: &'a str,
}

impl<'a> Member<'a> {
    /// Splits `"name":value`.
    fn of(json: &'a str) -> Option<Self> {
        let (name, _) = json.strip_prefix('"')?.split_once("\":")?;
        Some(Self { name, json })
    }
}

/// Formats a span's fields, each after a newline: JSON text contains none.
impl<'writer> FormatFields<'writer> for JsonLine {
    fn format_fields<R: RecordFields>(
        &self,
        mut fields: Writer<'writer>,
        record: R,
    ) -> fmt::Result {
        record.record(&mut Fields(&mut fields, Mark::Newline));
        Ok(())
    }

    fn add_fields(
        &self,
        fields: &'writer mut FormattedFields<Self>,
        record: &tracing::span::Record<'_>,
    ) -> fmt::Result {
        self.format_fields(fields.as_writer(), record)
    }
}

/// Returns the line with the number of dropped lines.
pub(super) fn dropped_lines(count: u64) -> String {
    let message = "stderr was not read: lines were dropped";
    line_of(&Level::WARN, "mcp_kit::logging", |line| {
        write!(line, r#""{message}","dropped":{count}}}"#)
    })
}

/// Returns the line for text that the program or a child of it printed.
#[cfg(unix)]
#[cfg(unix)]
pub(super) fn printed_line(text: &str) -> String {
    line_of(&Level::INFO, "mcp_kit::printed", |line| {
        string(line, text)?;
        line.write_char('}')
    })
}

fn line_of(
    level: &Level,
    target: &str,
    write: impl FnOnce(&mut Writer<'_>) -> fmt::Result,
) -> String {
    let mut text = String::new();
    let mut line = Writer::new(&mut text);
    // Writing into a `String` cannot fail.
    let _ = head(&mut line, level, target)
        .and_then(|()| line.write_str(r#","message":"#))
        .and_then(|()| write(&mut line));
    text.push('\n');
    text
}

/// Returns a line with `message` and an error.
pub(super) fn error_line(target: &str, message: &str, error: &str) -> String {
    line_of(&Level::ERROR, target, |line| {
        string(line, message)?;
        line.write_str(r#","error":"#)?;
        string(line, error)?;
        line.write_char('}')
    })
}

fn head(line: &mut Writer<'_>, level: &Level, target: &str) -> fmt::Result {
    line.write_str(r#"{"timestamp":""#)?;
    SystemTime.format_time(line)?;
    write!(line, r#"","level":"{level}","target":"#)?;
    string(line, target)
}

/// Writes fields, each after a mark.
struct Fields<'a, 'writer>(&'a mut Writer<'writer>, Mark);

#[derive(Clone, Copy)]
enum Mark {
    Comma,
    Newline,
}

impl Fields<'_, '_> {
    fn member(&mut self, field: &Field, value: impl FnOnce(&mut Writer<'_>) -> fmt::Result) {
        let name = plain_name(field);
        if matches!(self.1, Mark::Newline) && name.starts_with("otel.") {
            return; // how a span is traced, and nothing of what happened
        }
        let (mark, prefix) = match self.1 {
            Mark::Comma => (',', if COMMON.contains(&name) { "field_" } else { "" }),
            Mark::Newline => ('\n', if COMMON.contains(&name) { "field_" } else { "" }),
        };
        // Writing into the line's buffer cannot fail.
        let _ = write!(self.0, "{mark}\"{prefix}{name}\":");
        let _ = value(self.0);
    }

    fn displayed(&mut self, field: &Field, value: impl fmt::Display) {
        self.member(field, |line| write!(line, "{value}"));
    }

    /// Writes text whose formatting is the author's code, which may fail.
    fn text(&mut self, field: &Field, value: fmt::Arguments<'_>) {
        let text = error_text::limited(value);
        self.member(field, |line| string(line, &text));
    }
}

impl Visit for Fields<'_, '_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.text(field, format_args!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.member(field, |line| string(line, value));
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        let text = error_text::of(value);
        self.member(field, |line| string(line, &text));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        if value.is_finite() {
            self.displayed(field, value);
        } else {
            self.text(field, format_args!("{value}"));
        }
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.displayed(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.displayed(field, value);
    }

    fn record_i128(&mut self, field: &Field, value: i128) {
        self.displayed(field, value);
    }

    fn record_u128(&mut self, field: &Field, value: u128) {
        self.displayed(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.displayed(field, value);
    }
}

/// Returns a field's name without the prefix of a raw identifier.
fn plain_name(field: &Field) -> &'static str {
    field.name().trim_start_matches("r#")
}

/// Writes a JSON string of at most [`LONGEST_TEXT`] bytes.
fn string(line: &mut Writer<'_>, text: &str) -> fmt::Result {
    let cut = text.floor_char_boundary(LONGEST_TEXT);
    let (text, is_cut) = (&text[..cut], cut < text.len());
    line.write_char('"')?;
    for (part, escape) in LineEnd::parts(text) {
        escaped(line, part)?;
        line.write_str(escape)?;
    }
    line.write_str(if is_cut { "…\"" } else { "\"" })
}

/// Writes text with the escapes that JSON requires.
fn escaped(line: &mut Writer<'_>, text: &str) -> fmt::Result {
    let mut plain = 0;
    for (at, byte) in text.bytes().enumerate() {
        if byte >= 0x20 && byte != b'"' && byte != b'\\' {
            continue;
        }
        line.write_str(&text[plain..at])?;
        plain = at + 1;
        match byte {
            b'"' => line.write_str("\\\"")?,
            b'\\' => line.write_str("\\\\")?,
            b'\n' => line.write_str("\\n")?,
            b'\t' => line.write_str("\\t")?,
            _ => write!(line, "\\u{byte:04x}")?,
        }
    }
    line.write_str(&text[plain..])
}
