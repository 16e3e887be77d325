//! Numbers compared exactly: a bound of `u64::MAX` does not become a float.

use std::cmp::Ordering;
use std::fmt;

use serde_json::Value;

#[derive(Debug, Clone, Copy)]
pub(crate) enum Number {
    Int(i128),
    Float(f64),
}

impl Number {
    /// A JSON number as it is written.
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
