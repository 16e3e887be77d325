//! Rows as JSON: how a value is written, and when a page is full.

use serde_json::{Number, Value};

use crate::{
    DatabaseError,
    database::{Column, Page},
    error::LARGE_ROW,
    limits,
};

/// The largest whole number that every JSON reader keeps exactly.
const EXACT: u64 = 1 << 53;

/// Collects rows until a limit is reached.
pub(crate) struct PageBuilder {
    page: Page,
    rows: usize,
    bytes: usize,
}

impl PageBuilder {
    /// A page of at most `rows` rows.
    pub(crate) fn new(columns: Vec<Column>, rows: usize) -> Self {
        let page = Page {
            columns,
            ..Page::default()
        };
        Self {
            page,
            rows,
            bytes: 0,
        }
    }

    /// Adds a row; `false` if it belongs to the next page. One row more than
    /// the page holds has to be offered, since only that row proves that there
    /// is a next page.
    pub(crate) fn push(&mut self, row: Vec<Value>) -> Result<bool, DatabaseError> {
        let bytes = serde_json::to_vec(&row).map_err(DatabaseError::internal)?;
        if bytes.len() > limits::PAGE_BYTES {
            return Err(LARGE_ROW);
        }
        self.bytes += bytes.len();
        self.page.more = self.page.rows.len() == self.rows || self.bytes > limits::PAGE_BYTES;
        if !self.page.more {
            self.page.rows.push(row);
        }
        Ok(!self.page.more)
    }

    pub(crate) fn finish(self) -> Page {
        self.page
    }
}

/// A whole number; as text if a JSON reader could round it.
pub(crate) fn integer(number: i64) -> Value {
    if number.unsigned_abs() <= EXACT {
        number.into()
    } else {
        number.to_string().into()
    }
}

/// A floating point number; as text if JSON has none for it.
pub(crate) fn float(number: f64) -> Value {
    match Number::from_f64(number) {
        Some(number) => Value::Number(number),
        None if number.is_nan() => "NaN".into(),
        None if number > 0.0 => "Infinity".into(),
        None => "-Infinity".into(),
    }
}

/// A text; cut if it is long.
pub(crate) fn text(text: &str) -> Value {
    match text.char_indices().nth(limits::CELL_CHARS) {
        None => text.into(),
        Some((end, _)) => cut(&text[..end], text.chars().count(), "characters"),
    }
}

/// Bytes: `\x` and two hexadecimal digits for each, as PostgreSQL writes them;
/// cut if they are many.
pub(crate) fn bytes(bytes: &[u8]) -> Value {
    let shown = &bytes[..bytes.len().min(limits::CELL_CHARS / 2)];
    let hex = shown.iter().fold("\\x".to_owned(), |mut hex, byte| {
        hex.push_str(&format!("{byte:02x}"));
        hex
    });
    if shown.len() == bytes.len() {
        hex.into()
    } else {
        cut(&hex, bytes.len(), "bytes")
    }
}

fn cut(shown: &str, length: usize, unit: &str) -> Value {
    format!("{shown}… [cut: {length} {unit}]").into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_json_would_round_or_cannot_write_is_text() {
        assert_eq!(
            integer(9_007_199_254_740_992),
            json!(9_007_199_254_740_992_u64)
        );
        assert_eq!(integer(9_007_199_254_740_993), json!("9007199254740993"));
        assert_eq!(integer(i64::MIN), json!("-9223372036854775808"));
        assert_eq!(float(0.5), json!(0.5));
        assert_eq!(float(f64::NAN), json!("NaN"));
        assert_eq!(float(f64::NEG_INFINITY), json!("-Infinity"));
    }

    #[test]
    fn long_values_are_cut_and_report_their_length() {
        assert_eq!(bytes(&[0, 255]), json!("\\x00ff"));
        let long = text(&"é".repeat(5_000));
        let long = long.as_str().expect("a text");
        assert!(long.ends_with("é… [cut: 5000 characters]"), "{long}");
        let long = bytes(&[7; 2_001]);
        assert!(
            long.as_str()
                .expect("a text")
                .ends_with("07… [cut: 2001 bytes]")
        );
    }

    #[test]
    fn a_page_ends_at_its_rows_or_its_bytes() {
        let mut page = PageBuilder::new(Vec::new(), 2);
        assert!(page.push(vec![json!(1)]).expect("room"));
        assert!(page.push(vec![json!(2)]).expect("room"));
        assert!(!page.push(vec![json!(3)]).expect("no error"));
        let page = page.finish();
        assert!(page.more && page.rows.len() == 2);

        let third = vec![json!("x".repeat(limits::PAGE_BYTES / 3))];
        let mut page = PageBuilder::new(Vec::new(), 100);
        assert!(page.push(third.clone()).expect("room"));
        assert!(page.push(third.clone()).expect("room"));
        assert!(!page.push(third).expect("no error"));
        assert!(page.finish().more);

        let mut page = PageBuilder::new(Vec::new(), 100);
        let large = vec![json!("x".repeat(limits::PAGE_BYTES))];
        assert!(page.push(large).is_err());
    }
}
