//! Exact comparison of numbers: a limit of `u64::MAX` does not become a float.

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
