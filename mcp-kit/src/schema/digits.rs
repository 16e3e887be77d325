//! Ranges of whole numbers as regular expressions that ECMA 262, Python and Rust
//! read alike.

/// Above this number, only the digits are counted: the exact pattern would be
/// long.
const MAX_EXACT: u128 = 65_536;

/// Returns the pattern of whole numbers in a range, as JSON writes them. It is
/// exact for the ranges of 8 and 16 bits, and limits the number of digits for
/// larger ones.
pub(crate) fn pattern(min: Option<i128>, max: Option<i128>, zero: bool) -> String {
    let mut forms = Vec::new();
    if zero && min.is_none_or(|min| min <= 0) {
        forms.push("0".to_owned());
    }
    if let Some(positive) = up_to(max.map(i128::unsigned_abs)) {
        forms.push(positive);
    }
    if min.is_none_or(|min| min < 0)
        && let Some(negative) = up_to(min.map(i128::unsigned_abs))
    {
        forms.push(format!("-({negative})"));
    }
    format!("^({})$", forms.join("|"))
}

/// Returns the pattern of the numbers from 1 to `max`.
fn up_to(max: Option<u128>) -> Option<String> {
    let max = match max {
        None => return Some("[1-9][0-9]*".into()),
        Some(0) => return None,
        Some(max) => max,
    };
    let digits = max.to_string();
    if max > MAX_EXACT {
        return Some(format!("[1-9]{}", some_digits(0, digits.len() - 1)));
    }
    let mut forms = Vec::new();
    if digits.len() > 1 {
        forms.push(format!("[1-9]{}", some_digits(0, digits.len() - 2)));
    }
    let mut before = String::new();
    for (index, digit) in digits.chars().enumerate() {
        let lowest = if index == 0 { '1' } else { '0' };
        if digit > lowest {
            let below = char::from(digit as u8 - 1);
            let class = if below == lowest {
                lowest.to_string()
            } else {
                format!("[{lowest}-{below}]")
            };
            let rest = digits.len() - index - 1;
            forms.push(format!("{before}{class}{}", some_digits(rest, rest)));
        }
        before.push(digit);
    }
    forms.push(before);
    Some(forms.join("|"))
}

fn some_digits(least: usize, most: usize) -> String {
    match (least, most) {
        (_, 0) => String::new(),
        (1, 1) => "[0-9]".into(),
        (least, most) if least == most => format!("[0-9]{{{most}}}"),
        (least, most) => format!("[0-9]{{{least},{most}}}"),
    }
}

#[cfg(all(test, feature = "regex"))]
mod tests {
    #[test]
    fn patterns_are_exact_for_small_ranges() {
        for (min, max) in [
            (0, 255),
            (-128, 127),
            (1, 255),
            (0, 9),
            (-1, 0),
            (0, 65_535),
            (5 - 5, 100),
        ] {
            let pattern = super::pattern(Some(min), Some(max), min != 1);
            let regex = regex::Regex::new(&pattern).unwrap();
            for number in -70_000..70_000_i128 {
                let within = (min..=max).contains(&number);
                assert_eq!(
                    regex.is_match(&number.to_string()),
                    within,
                    "{number} {pattern}"
                );
            }
            for text in ["", "00", "01", "-0", "+1", "1.0", "1e0", " 1", "a"] {
                assert!(!regex.is_match(text), "{text:?} {pattern}");
            }
        }
    }
}
