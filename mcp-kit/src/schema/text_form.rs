//! Texts that a Rust type parses: socket addresses, dates, UUIDs, URLs.
//! `TextRule` is a garde rule for a text; this is the rule of the field's type.

use std::fmt;
use std::net::{SocketAddr, SocketAddrV4, SocketAddrV6};
use std::sync::MutexGuard;

use crate::support::lock::Lock;

use serde::Deserialize;
use serde::de::value::{Error, StrDeserializer};

/// The text form of a type.
pub struct TextForm {
    /// The type's name, which identifies the form in a schema's notes.
    name: &'static str,
    /// The words of the form, as they follow `since: ` in a report.
    pub(crate) says: &'static str,
    /// Returns what exactly is wrong with a text that the type does not parse,
    /// in place of `says`.
    pub(crate) why: fn(&str) -> Option<&'static str>,
    /// The published pattern in place of schemars' format, if that is not one
    /// of JSON Schema's. Every common spelling matches it.
    pub(crate) pattern: Option<&'static str>,
    /// Whether the type's own `Deserialize` accepts a text.
    pub(crate) reads: fn(&str) -> bool,
    /// Whether it accepts a JSON number.
    pub(crate) reads_number: fn(&str) -> bool,
}

/// Forms of types that this module does not know, once a schema has noted them.
static OTHERS: Lock<Vec<&'static TextForm>> = Lock::new(Vec::new());

impl TextForm {
    /// Creates the form of a type; `name` is unique among all forms.
    pub(crate) const fn of<T: for<'de> Deserialize<'de>>(
        name: &'static str,
        says: &'static str,
        pattern: Option<&'static str>,
    ) -> Self {
        Self {
            name,
            says,
            why: |_| None,
            pattern,
            reads: reads::<T>,
            reads_number: |number| serde_json::from_str::<T>(number).is_ok(),
        }
    }

    /// Adds a function for what exactly is wrong with a text.
    #[cfg(feature = "net")]
    pub(crate) const fn why(mut self, why: fn(&str) -> Option<&'static str>) -> Self {
        self.why = why;
        self
    }

    /// Returns the name for a schema's notes; [`named`](Self::named) finds it
    /// from then on.
    pub(crate) fn note(&'static self) -> &'static str {
        if !FORMS.contains(&self) {
            let mut others = others();
            if !others.contains(&self) {
                others.push(self);
            }
        }
        self.name
    }

    /// Returns the form with this name in a schema's notes.
    pub(crate) fn named(name: &str) -> Option<&'static Self> {
        let is_it = |form: &&'static Self| form.name == name;
        let known = FORMS.iter().copied().find(is_it);
        known.or_else(|| others().iter().copied().find(is_it))
    }
}

impl fmt::Debug for TextForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TextForm").field(&self.name).finish()
    }
}

impl PartialEq for TextForm {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for TextForm {}

fn others() -> MutexGuard<'static, Vec<&'static TextForm>> {
    OTHERS.lock()
}

fn reads<T: for<'de> Deserialize<'de>>(text: &str) -> bool {
    T::deserialize(StrDeserializer::<Error>::new(text)).is_ok()
}

macro_rules! forms {
    ($($(#[$cfg:meta])* $form:ident: $ty:ty, $says:literal, $pattern:expr;)*) => {
        $(
            $(#[$cfg])*
            pub(crate) static $form: TextForm =
                TextForm::of::<$ty>(stringify!($ty), $says, $pattern);
        )*
        const FORMS: &[&TextForm] = &[$($(#[$cfg])* &$form),*];
    };
}

#[cfg(any(feature = "chrono", feature = "jiff"))]
const TIME: Option<&str> = Some(r"^[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?$");
#[cfg(any(feature = "chrono", feature = "jiff"))]
const DATE_TIME: Option<&str> =
    Some(r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?$");

forms! {
    CHAR: char, "must be a single character", None;
    SOCKET_ADDR: SocketAddr,
        "must be an IP address with a port such as 192.0.2.1:8080 or [2001:db8::1]:8080",
        Some(r"^([0-9]{1,3}(\.[0-9]{1,3}){3}|\[[0-9A-Fa-f:.]+(%[0-9]+)?\]):[0-9]{1,5}$");
    SOCKET_ADDR_V4: SocketAddrV4,
        "must be an IPv4 address with a port such as 192.0.2.1:8080",
        Some(r"^[0-9]{1,3}(\.[0-9]{1,3}){3}:[0-9]{1,5}$");
    SOCKET_ADDR_V6: SocketAddrV6,
        "must be an IPv6 address with a port such as [2001:db8::1]:8080",
        Some(r"^\[[0-9A-Fa-f:.]+(%[0-9]+)?\]:[0-9]{1,5}$");
    #[cfg(feature = "chrono")]
    CHRONO_DATE: chrono::NaiveDate, "must be a date such as 2026-12-31", None;
    #[cfg(feature = "chrono")]
    CHRONO_TIME: chrono::NaiveTime, "must be a time of day such as 09:30:00", TIME;
    #[cfg(feature = "chrono")]
    CHRONO_LOCAL: chrono::NaiveDateTime,
        "must be a date and time without a time zone such as 2026-12-31T09:30:00", DATE_TIME;
    #[cfg(feature = "chrono")]
    CHRONO_INSTANT: chrono::DateTime<chrono::FixedOffset>,
        "must be a date and time with an offset such as 2026-12-31T09:30:00Z", None;
    #[cfg(feature = "chrono")]
    CHRONO_WEEKDAY: chrono::Weekday, "must be a day of the week such as Mon", None;
    #[cfg(feature = "jiff")]
    JIFF_DATE: jiff::civil::Date, "must be a date such as 2026-12-31", None;
    #[cfg(feature = "jiff")]
    JIFF_TIME: jiff::civil::Time, "must be a time of day such as 09:30:00", TIME;
    #[cfg(feature = "jiff")]
    JIFF_LOCAL: jiff::civil::DateTime,
        "must be a date and time without a time zone such as 2026-12-31T09:30:00", DATE_TIME;
    #[cfg(feature = "jiff")]
    JIFF_INSTANT: jiff::Timestamp,
        "must be a date and time with an offset such as 2026-12-31T09:30:00Z", None;
    #[cfg(feature = "jiff")]
    JIFF_ZONED: jiff::Zoned,
        "must be a date and time with a time zone such as 2026-12-31T09:30:00+01:00[Europe/Paris]",
        Some(r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T.+\[.+\]$");
    #[cfg(feature = "jiff")]
    JIFF_SPAN: jiff::Span, "must be a duration such as PT1H30M", None;
    #[cfg(feature = "jiff")]
    JIFF_DURATION: jiff::SignedDuration, "must be a duration such as PT1H30M", None;
    #[cfg(feature = "rust_decimal")]
    DECIMAL: rust_decimal::Decimal, "must be a decimal number such as 12.50",
        Some(r"^-?[0-9]+(\.[0-9]+)?([eE]-?[0-9]+)?$");
    #[cfg(feature = "url")]
    URL: url::Url, "must be a URL such as https://example.com/page", None;
    #[cfg(feature = "uuid")]
    UUID: uuid::Uuid, "must be a UUID such as 67e55044-10b1-426f-9247-bb680e5fe0c8", None;
}

/// Returns the words for a text with this format, as a report states it.
pub(crate) fn words_of_format(format: &str) -> Option<&'static str> {
    Some(match format {
        "date" => "must be a date such as 2026-12-31",
        "time" | "partial-time" => "must be a time of day such as 09:30:00",
        "date-time" => "must be a date and time such as 2026-12-31T09:30:00Z",
        "partial-date-time" => {
            "must be a date and time without a time zone such as 2026-12-31T09:30:00"
        }
        "duration" => "must be a duration such as PT1H30M",
        "email" => "must be an email address such as name@example.com",
        "hostname" => "must be a host name such as www.example.com",
        "ip" => "must be an IP address such as 192.0.2.1",
        "ipv4" => "must be an IPv4 address such as 192.0.2.1",
        "ipv6" => "must be an IPv6 address such as 2001:db8::1",
        "uri" => "must be a URL such as https://example.com/page",
        "uuid" => "must be a UUID such as 67e55044-10b1-426f-9247-bb680e5fe0c8",
        _ => return None,
    })
}
