//! Rates as people write them: `5/s`, `60/min`, `1000/h`. As `mcp_kit`'s `Rate`
//! reads them.

/// The constructor of `Rate` and the number of calls, or what is wrong.
pub(crate) fn constructor(text: &str) -> Result<(&'static str, u32), &'static str> {
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
    use super::*;

    #[test]
    fn each_unit() {
        assert_eq!(constructor("5/s"), Ok(("per_second", 5)));
        assert_eq!(constructor("60 / min"), Ok(("per_minute", 60)));
        assert_eq!(constructor("1000/h"), Ok(("per_hour", 1000)));
    }

    #[test]
    fn nonsense_is_refused() {
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
                constructor(text).is_err_and(|e| e.contains("whole number")),
                "{text}"
            );
        }
        assert!(constructor("0/s").is_err_and(|e| e.contains("zero")));
    }
}
