//! A rate: a number of calls per period.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// A number of calls per period: `5/s`, `60/min`, `1000/h`.
///
/// All of them may come at once (the burst). After that one more call is
/// allowed each time its share of the period has passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    calls: u32,
    period: Duration,
}

impl Rate {
    /// The rate of a network caller for a primitive that has no rate of its
    /// own.
    pub(crate) const OVER_NETWORK: Self = Self::per_minute(60);

    /// `calls` per second; at least one.
    #[must_use]
    pub const fn per_second(calls: u32) -> Self {
        Self::new(calls, Duration::from_secs(1))
    }

    /// `calls` per minute; at least one.
    #[must_use]
    pub const fn per_minute(calls: u32) -> Self {
        Self::new(calls, Duration::from_secs(60))
    }

    /// `calls` per hour; at least one.
    #[must_use]
    pub const fn per_hour(calls: u32) -> Self {
        Self::new(calls, Duration::from_secs(3_600))
    }

    const fn new(calls: u32, period: Duration) -> Self {
        Self {
            calls: if calls == 0 { 1 } else { calls },
            period,
        }
    }

    /// What one call costs: the time in which the budget recovers it.
    pub(super) fn each(self) -> Duration {
        self.period / self.calls
    }

    /// What all calls of the period but one cost.
    pub(super) fn burst(self) -> Duration {
        self.each() * (self.calls - 1)
    }
}

impl FromStr for Rate {
    type Err = InvalidRate;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || InvalidRate(text.to_owned());
        let (calls, unit) = text.split_once('/').ok_or_else(invalid)?;
        let calls = calls.trim().parse().map_err(|_| invalid())?;
        if calls == 0 {
            return Err(invalid());
        }
        match unit.trim() {
            "s" => Ok(Self::per_second(calls)),
            "min" | "m" => Ok(Self::per_minute(calls)),
            "h" => Ok(Self::per_hour(calls)),
            _ => Err(invalid()),
        }
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = match self.period.as_secs() {
            1 => "s",
            60 => "min",
            _ => "h",
        };
        write!(f, "{}/{unit}", self.calls)
    }
}

/// A text that is not a valid [`Rate`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidRate(String);

impl fmt::Display for InvalidRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:?} is not a valid rate: write a whole number of calls from 1, a slash and s, min or h, such as \"60/min\"",
            self.0
        )
    }
}

impl std::error::Error for InvalidRate {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_read_and_written() {
        for text in ["5/s", "60/min", "1000/h"] {
            assert_eq!(text.parse::<Rate>().unwrap().to_string(), text);
        }
        for text in ["", "5", "5/day", "0/s", "-1/s", "x/s"] {
            let message = text.parse::<Rate>().unwrap_err().to_string();
            assert!(message.contains("60/min"), "{message}");
        }
    }
}
