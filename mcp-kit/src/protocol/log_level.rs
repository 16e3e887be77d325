//! The levels of log messages to a client.

use std::fmt;
use std::str::FromStr;
#[cfg(feature = "http")]
use std::sync::atomic::{AtomicU8, Ordering};

/// How severe a log message to the client is: the levels of RFC 5424, from the
/// least to the most severe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LogLevel {
    /// Details for debugging.
    Debug,
    /// What happens in general.
    Info,
    /// Normal but significant.
    Notice,
    /// Something may go wrong.
    Warning,
    /// An operation failed.
    Error,
    /// A part of the system failed.
    Critical,
    /// An operator must act at once.
    Alert,
    /// The system cannot be used.
    Emergency,
}

impl LogLevel {
    /// Every level, the least severe first.
    pub const ALL: [Self; 8] = [
        Self::Debug,
        Self::Info,
        Self::Notice,
        Self::Warning,
        Self::Error,
        Self::Critical,
        Self::Alert,
        Self::Emergency,
    ];

    /// Returns the level's name in messages.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Notice => "notice",
            Self::Warning => "warning",
            Self::Error => "error",
            Self::Critical => "critical",
            Self::Alert => "alert",
            Self::Emergency => "emergency",
        }
    }

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.as_str() == name)
    }
}

/// The level that the client of a session has set, if any.
#[cfg(feature = "http")]
#[derive(Default)]
pub(crate) struct SetLevel(AtomicU8);

#[cfg(feature = "http")]
impl SetLevel {
    pub(crate) fn get(&self) -> Option<LogLevel> {
        let at = usize::from(self.0.load(Ordering::Relaxed)).checked_sub(1)?;
        LogLevel::ALL.get(at).copied()
    }

    pub(crate) fn set(&self, level: LogLevel) {
        self.0.store(level as u8 + 1, Ordering::Relaxed);
    }
}

impl fmt::Display for LogLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for LogLevel {
    type Err = UnknownLogLevel;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::from_name(name).ok_or(UnknownLogLevel(()))
    }
}

/// A text is not the name of a [`LogLevel`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownLogLevel(());

impl fmt::Display for UnknownLogLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "not a log level: must be debug, info, notice, warning, error, critical, alert or emergency",
        )
    }
}

impl std::error::Error for UnknownLogLevel {}
