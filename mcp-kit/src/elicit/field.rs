//! The types that a field of a form can have: a list for the compiler.
#![allow(missing_docs)]

use std::borrow::Cow;
use std::collections::{BTreeSet, HashSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::num::{
    NonZeroI8, NonZeroI16, NonZeroI32, NonZeroI64, NonZeroIsize, NonZeroU8, NonZeroU16, NonZeroU32,
    NonZeroU64, NonZeroUsize,
};
use std::sync::Arc;

use crate::args::shape::{Shape, Shaped};

/// A type that a field of a form can have. It is implemented for texts, numbers
/// and booleans, for enums without fields that derive `ToolArgs`, for lists of
/// such enums, and for `Option` of all of these.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a field of a form",
    label = "a form is flat: a text, a number, a boolean, an enum of names, or a list of such an enum",
    note = "write the fields of a nested struct into the form; derive `ToolArgs` for an enum of names",
    note = "for a type of your own that is a text or a number write `#[tool_args(opaque)]`: its schema is then checked when the form is first asked"
)]
pub trait FormField: Shaped {
    #[doc(hidden)]
    fn shape() -> &'static Shape {
        <Self as Shaped>::shape()
    }
}

/// An enum without fields, of which a form can list the chosen values. It is
/// implemented by deriving `ToolArgs`.
#[diagnostic::on_unimplemented(
    message = "a form cannot have a list of `{Self}`",
    label = "a list in a form holds the chosen values of an enum of names",
    note = "derive `ToolArgs` for an enum without fields, or ask for a text"
)]
pub trait FormChoice: FormField {}

macro_rules! fields {
    ($($ty:ty),* $(,)?) => { $( impl FormField for $ty {} )* };
}

fields!(
    bool, char, String, u8, u16, u32, u64, usize, i8, i16, i32, i64, isize, f32, f64,
);
fields!(
    NonZeroU8,
    NonZeroU16,
    NonZeroU32,
    NonZeroU64,
    NonZeroUsize,
    NonZeroI8,
    NonZeroI16,
    NonZeroI32,
    NonZeroI64,
    NonZeroIsize,
);
fields!(
    Box<str>,
    Arc<str>,
    Cow<'static, str>,
    IpAddr,
    Ipv4Addr,
    Ipv6Addr,
);
#[cfg(feature = "chrono")]
fields!(
    chrono::NaiveDate,
    chrono::NaiveTime,
    chrono::NaiveDateTime,
    chrono::Weekday,
);
#[cfg(feature = "jiff")]
fields!(
    jiff::civil::Date,
    jiff::civil::Time,
    jiff::civil::DateTime,
    jiff::Timestamp,
    jiff::Zoned,
    jiff::Span,
    jiff::SignedDuration,
);
#[cfg(feature = "rust_decimal")]
fields!(rust_decimal::Decimal);
#[cfg(feature = "url")]
fields!(url::Url);
#[cfg(feature = "uuid")]
fields!(uuid::Uuid);

#[cfg(feature = "chrono")]
impl<Tz: chrono::TimeZone> FormField for chrono::DateTime<Tz> {}

#[cfg(feature = "chrono")]
impl FormChoice for chrono::Weekday {}

impl<T: FormField> FormField for Option<T> {}
impl<T: FormChoice> FormField for Vec<T> {}
impl<T: FormChoice> FormField for BTreeSet<T> {}
impl<T: FormChoice, S> FormField for HashSet<T, S> {}
