//! Exact comparison of numbers: a limit of `u64::MAX` does not become a float. Ranges
//! of whole numbers as regular expressions that ECMA 262, Python and Rust read alike.

use std::cmp::Ordering;
use std::fmt;

use serde_json::Value;

#[derive(Debug, Clone, Copy)]
pub(crate) enum Number {
    Int(i128),
    Float(f64),
}

impl Number {
    /// Parses a JSON number as it is written.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if is_plain(text)
            && let Ok(int) = text.parse()
        {
            return Some(Self::Int(int));
        }
        text.parse().ok().map(Self::Float)
    }

    pub(crate) fn of(value: &Value) -> Option<Self> {
        let number = value.as_number()?;
        number
            .as_i128()
            .map(Self::Int)
            .or_else(|| number.as_f64().map(Self::Float))
    }

    pub(crate) fn to_value(self) -> Option<Value> {
        match self {
            Self::Int(int) => serde_json::Number::from_i128(int).map(Value::Number),
            Self::Float(float) => serde_json::Number::from_f64(float).map(Value::Number),
        }
    }

    pub(crate) fn is_whole(self) -> bool {
        match self {
            Self::Int(_) => true,
            Self::Float(float) => float.is_finite() && float.fract() == 0.0,
        }
    }

    pub(crate) fn is_multiple_of(self, step: Self) -> bool {
        match (self, step) {
            (Self::Int(int), Self::Int(step)) => step != 0 && int % step == 0,
            _ => {
                let ratio = self.to_f64() / step.to_f64();
                (ratio - ratio.round()).abs() < 1e-9 * ratio.abs().max(1.0)
            }
        }
    }

    #[allow(clippy::cast_precision_loss)]
    pub(crate) fn to_f64(self) -> f64 {
        match self {
            Self::Int(int) => int as f64,
            Self::Float(float) => float,
        }
    }
}

/// Whether a number is written without decimal point and exponent.
pub(crate) fn is_plain(text: &str) -> bool {
    !text.bytes().any(|b| matches!(b, b'.' | b'e' | b'E'))
}

/// Returns a number that is whole by its digits, in whole form: `5` for `5.0`
/// and `0.5e1`. `None` for fractions, for numbers that no integer type holds,
/// and for text that is not a JSON number.
pub(crate) fn whole(text: &str) -> Option<String> {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let (sign, rest) = match text.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", text),
    };
    let (mantissa, exponent) = match rest.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent),
        None => (rest, "0"),
    };
    let (int, fraction) = match mantissa.split_once('.') {
        Some((int, fraction)) if is_number(fraction) => (int, fraction),
        Some(_) => return None,
        None => (mantissa, ""),
    };
    let unsigned = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    if !is_number(int) || int.len() > 1 && int.starts_with('0') || !is_number(unsigned) {
        return None;
    }
    let digits = [int, fraction].concat();
    let digits = digits.trim_start_matches('0');
    let significant = digits.trim_end_matches('0');
    if significant.is_empty() {
        return Some("0".into());
    }
    let dropped = digits.len() - significant.len();
    let places = i64::try_from(dropped).ok()? - i64::try_from(fraction.len()).ok()?;
    let zeros = exponent.parse::<i64>().ok()?.checked_add(places)?;
    let zeros = usize::try_from(zeros).ok().filter(|zeros| *zeros <= 40)?;
    if significant.len() > 40 {
        return None;
    }
    let whole = format!("{sign}{significant}{}", "0".repeat(zeros));
    let fits = whole.parse::<i128>().is_ok() || whole.parse::<u128>().is_ok();
    fits.then_some(whole)
}

#[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss)]
fn compare(int: i128, float: f64) -> Option<Ordering> {
    if float.is_nan() {
        return None;
    }
    if float >= i128::MAX as f64 {
        return Some(Ordering::Less);
    }
    if float < i128::MIN as f64 {
        return Some(Ordering::Greater);
    }
    let whole = float.trunc();
    Some(int.cmp(&(whole as i128)).then_with(|| {
        0.0_f64
            .partial_cmp(&(float - whole))
            .unwrap_or(Ordering::Equal)
    }))
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.partial_cmp(other) == Some(Ordering::Equal)
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Int(a), Self::Int(b)) => Some(a.cmp(b)),
            (Self::Float(a), Self::Float(b)) => a.partial_cmp(b),
            (Self::Int(a), Self::Float(b)) => compare(*a, *b),
            (Self::Float(a), Self::Int(b)) => compare(*b, *a).map(Ordering::reverse),
        }
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Int(int) => int.fmt(f),
            Self::Float(float) => float.fmt(f),
        }
    }
}

/// Above this number, only the digits are counted: the exact pattern would be
/// long.
const MAX_EXACT: u128 = 65_536;

/// Returns the pattern of whole numbers in a range, as JSON writes them. It is
/// exact for the ranges of 8 and 16 bits, and limits the number of digits for
/// larger ones.
pub(crate) fn pattern_of_range(min: Option<i128>, max: Option<i128>, zero: bool) -> String {
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
            let pattern = super::pattern_of_range(Some(min), Some(max), min != 1);
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
