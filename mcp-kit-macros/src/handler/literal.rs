//! The texts that the macro reads itself: names, durations and rates.

use super::Noun;

/// The protocol allows 128 characters; several clients cut or refuse more than 64.
const LONGEST_NAME: usize = 64;

/// Checks that every client accepts the name. The error is the message.
pub(crate) fn check_name(noun: &Noun, name: &str) -> Result<(), String> {
    let word = noun.word;
    if name.is_empty() {
        return Err(format!(
            "the name of a {word} is empty: it must have 1 to {LONGEST_NAME} characters"
        ));
    }
    let stranger = name
        .chars()
        .find(|c| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.')));
    if let Some(stranger) = stranger {
        return Err(format!(
            "the name of a {word} cannot contain {stranger:?}: use ASCII letters, digits, \
             `_`, `-` and `.`"
        ));
    }
    if name.len() > LONGEST_NAME {
        return Err(format!(
            "the name of a {word} has at most {LONGEST_NAME} characters, this one has {}: \
             write a shorter one with `name = \"…\"`",
            name.len()
        ));
    }
    Ok(())
}

/// A longer timeout is treated as a mistake. In milliseconds.
const LONGEST_TIMEOUT: u64 = 24 * 60 * 60 * 1000;

const UNITS: &[(&str, u64)] = &[
    ("ms", 1),
    ("s", 1000),
    ("m", 60 * 1000),
    ("h", 60 * 60 * 1000),
];

/// Reads a duration, `500ms`, `15s`, `2m` or `1h`, in milliseconds. The error is the
/// message.
pub(crate) fn millis(text: &str) -> Result<u64, &'static str> {
    const LONG: &str = "a timeout is at most 24 hours (`24h`)";
    match time(text)? {
        Some(0) => Err("a timeout of zero would end every call: write a longer one, such as `15s`"),
        Some(millis) if millis <= LONGEST_TIMEOUT => Ok(millis),
        _ => Err(LONG),
    }
}

/// Reads how long a result may be kept, in milliseconds. The error is the message.
pub(crate) fn ttl(text: &str) -> Result<u64, &'static str> {
    match time(text)? {
        Some(millis) if millis <= u64::from(u32::MAX) => Ok(millis),
        _ => Err("a result may be kept for at most 49 days (`1176h`)"),
    }
}

/// Reads a duration in milliseconds; `None` if the number is too large.
fn time(text: &str) -> Result<Option<u64>, &'static str> {
    const SYNTAX: &str = "expected a whole number and a unit: `500ms`, `15s`, `2m` or `1h`";
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let (_, unit) = UNITS.iter().find(|(name, _)| *name == unit).ok_or(SYNTAX)?;
    if number.is_empty() {
        return Err(SYNTAX);
    }
    let number = number.parse::<u64>().ok();
    Ok(number.and_then(|number| number.checked_mul(*unit)))
}

/// Returns what is wrong with the URI of an icon, if anything is.
pub(crate) fn icon_problem(src: &str) -> Option<&'static str> {
    let scheme = src.split_once(':').map(|(scheme, _)| scheme.to_lowercase());
    let is_known = matches!(scheme.as_deref(), Some("https" | "http" | "data"));
    (!is_known).then_some(
        "an icon is an `https:`, `http:` or `data:` URI: write \
         `icon = \"https://example.com/icon.svg\"`",
    )
}

/// Reads a rate, `5/s`, `60/min` or `1000/h`, as `mcp_kit`'s `Rate` does: its
/// constructor and the number of calls. The error is the message.
pub(crate) fn rate(text: &str) -> Result<(&'static str, u32), &'static str> {
    const SYNTAX: &str =
        "expected a whole number of calls, a slash and `s`, `min` or `h`: `5/s`, `60/min`";
    let (calls, unit) = text.split_once('/').ok_or(SYNTAX)?;
    let calls: u32 = calls.trim().parse().map_err(|_| SYNTAX)?;
    if calls == 0 {
        return Err("a rate of zero would refuse every call: allow at least one");
    }
    match unit.trim() {
        "s" => Ok(("per_second", calls)),
        "min" | "m" => Ok(("per_minute", calls)),
        "h" => Ok(("per_hour", calls)),
        _ => Err(SYNTAX),
    }
}

#[cfg(test)]
mod tests {
    use super::{LONGEST_TIMEOUT, millis, rate};

    fn check(name: &str) -> Result<(), String> {
        super::check_name(&crate::tool::NOUN, name)
    }

    #[test]
    fn names_that_clients_take() {
        for name in ["a", "search_web", "Search-Web.v2", "0", &"x".repeat(64)] {
            assert_eq!(check(name), Ok(()), "{name}");
        }
    }

    #[test]
    fn names_that_they_do_not() {
        assert!(check("").is_err_and(|e| e.contains("empty")));
        assert!(check("search web").is_err_and(|e| e.contains("' '")));
        assert!(check("größe").is_err_and(|e| e.contains("'ö'")));
        assert!(check("a/b").is_err_and(|e| e.contains("'/'")));
        assert!(check("a\nb").is_err_and(|e| e.contains("'\\n'")));
        assert!(check(&"x".repeat(65)).is_err_and(|e| e.contains("this one has 65")));
    }

    #[test]
    fn each_unit_of_time() {
        assert_eq!(millis("500ms"), Ok(500));
        assert_eq!(millis("15s"), Ok(15_000));
        assert_eq!(millis("2m"), Ok(120_000));
        assert_eq!(millis("1h"), Ok(3_600_000));
        assert_eq!(millis("24h"), Ok(LONGEST_TIMEOUT));
        assert_eq!(millis("007s"), Ok(7_000));
    }

    #[test]
    fn other_durations_are_refused() {
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
    fn zero_and_endless_durations_are_refused() {
        assert!(millis("0s").is_err_and(|e| e.contains("zero")));
        assert!(millis("0ms").is_err_and(|e| e.contains("zero")));
        assert!(millis("25h").is_err_and(|e| e.contains("24 hours")));
        assert!(millis("99999999999999999999h").is_err_and(|e| e.contains("24 hours")));
        assert!(millis("18446744073709551615h").is_err_and(|e| e.contains("24 hours")));
    }

    #[test]
    fn each_unit_of_a_rate() {
        assert_eq!(rate("5/s"), Ok(("per_second", 5)));
        assert_eq!(rate("60 / min"), Ok(("per_minute", 60)));
        assert_eq!(rate("1000/h"), Ok(("per_hour", 1000)));
    }

    #[test]
    fn other_rates_are_refused() {
        for text in [
            "",
            "5",
            "5/day",
            "-1/s",
            "x/s",
            "1.5/s",
            "5/",
            "/s",
            "5000000000/s",
        ] {
            assert!(
                rate(text).is_err_and(|e| e.contains("whole number")),
                "{text}"
            );
        }
        assert!(rate("0/s").is_err_and(|e| e.contains("zero")));
    }
}
