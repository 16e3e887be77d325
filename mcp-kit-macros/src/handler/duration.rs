//! Durations as people write them: `500ms`, `15s`, `2m`, `1h`.

/// The longest timeout that is taken for what was meant.
const LONGEST_MILLIS: u64 = 24 * 60 * 60 * 1000;

const UNITS: &[(&str, u64)] = &[
    ("ms", 1),
    ("s", 1000),
    ("m", 60 * 1000),
    ("h", 60 * 60 * 1000),
];

/// Milliseconds, or what is wrong with the text.
pub(crate) fn millis(text: &str) -> Result<u64, &'static str> {
    const SYNTAX: &str = "expected a whole number and a unit: `500ms`, `15s`, `2m` or `1h`";
    const LONG: &str = "a timeout is at most 24 hours (`24h`)";
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let (_, unit) = UNITS.iter().find(|(name, _)| *name == unit).ok_or(SYNTAX)?;
    if number.is_empty() {
        return Err(SYNTAX);
    }
    let number: u64 = number.parse().map_err(|_| LONG)?;
    match number.checked_mul(*unit) {
        Some(0) => Err("a timeout of zero would end every call: write a longer one, such as `15s`"),
        Some(millis) if millis <= LONGEST_MILLIS => Ok(millis),
        _ => Err(LONG),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_unit() {
        assert_eq!(millis("500ms"), Ok(500));
        assert_eq!(millis("15s"), Ok(15_000));
        assert_eq!(millis("2m"), Ok(120_000));
        assert_eq!(millis("1h"), Ok(3_600_000));
        assert_eq!(millis("24h"), Ok(LONGEST_MILLIS));
        assert_eq!(millis("007s"), Ok(7_000));
    }

    #[test]
    fn nonsense_is_refused() {
        for text in [
            "", "s", "15", "15 s", " 15s", "1.5s", "-1s", "15S", "1m30s", "15sec", "1d", "none",
            "१s",
        ] {
            assert!(
                millis(text).is_err_and(|e| e.contains("whole number")),
                "{text}"
            );
        }
    }

    #[test]
    fn zero_and_endless_are_refused() {
        assert!(millis("0s").is_err_and(|e| e.contains("zero")));
        assert!(millis("0ms").is_err_and(|e| e.contains("zero")));
        assert!(millis("25h").is_err_and(|e| e.contains("24 hours")));
        assert!(millis("99999999999999999999h").is_err_and(|e| e.contains("24 hours")));
        assert!(millis("18446744073709551615h").is_err_and(|e| e.contains("24 hours")));
    }
}
