//! The shapes of std's types, of other crates' types such as dates and UUIDs,
//! and of any JSON.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, LinkedList, VecDeque};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::num::{
    NonZeroI8, NonZeroI16, NonZeroI32, NonZeroI64, NonZeroI128, NonZeroIsize, NonZeroU8,
    NonZeroU16, NonZeroU32, NonZeroU64, NonZeroU128, NonZeroUsize, Wrapping,
};
use std::ops::{Range, RangeInclusive};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use super::shape::{FieldShape, Rule, Shape, Shaped, StructShape};
use crate::schema::text_form as forms;

macro_rules! shaped {
    ($($shape:expr => $($ty:ty)*;)*) => { $( $(
        impl Shaped for $ty {
            fn shape() -> &'static Shape {
                const { &$shape }
            }
        }
    )* )* };
}

const fn scalar(json: &'static str) -> Shape {
    Shape::Scalar {
        json,
        format: None,
        zero: true,
    }
}

const fn number(json: &'static str, format: &'static str) -> Shape {
    Shape::Scalar {
        json,
        format: Some(format),
        zero: true,
    }
}

const fn not_zero(format: &'static str) -> Shape {
    Shape::Scalar {
        json: "integer",
        format: Some(format),
        zero: false,
    }
}

shaped! {
    Shape::Leaf => serde_json::Value serde_json::Map<String, serde_json::Value>;
    scalar("null") => () ;
    scalar("boolean") => bool;
    number("string", "char") => char;
    scalar("string") => String str Path PathBuf;
    scalar("number") => serde_json::Number;
    number("number", "float") => f32;
    number("number", "double") => f64;
    number("integer", "uint8") => u8;
    not_zero("uint8") => NonZeroU8;
    number("integer", "uint16") => u16;
    not_zero("uint16") => NonZeroU16;
    number("integer", "uint32") => u32;
    not_zero("uint32") => NonZeroU32;
    number("integer", "uint64") => u64;
    not_zero("uint64") => NonZeroU64;
    number("integer", "uint128") => u128;
    not_zero("uint128") => NonZeroU128;
    number("integer", "uint") => usize;
    not_zero("uint") => NonZeroUsize;
    number("integer", "int8") => i8;
    not_zero("int8") => NonZeroI8;
    number("integer", "int16") => i16;
    not_zero("int16") => NonZeroI16;
    number("integer", "int32") => i32;
    not_zero("int32") => NonZeroI32;
    number("integer", "int64") => i64;
    not_zero("int64") => NonZeroI64;
    number("integer", "int128") => i128;
    not_zero("int128") => NonZeroI128;
    number("integer", "int") => isize;
    not_zero("int") => NonZeroIsize;
    number("string", "ip") => IpAddr;
    number("string", "ipv4") => Ipv4Addr;
    number("string", "ipv6") => Ipv6Addr;
    Shape::Text(&forms::SOCKET_ADDR) => SocketAddr;
    Shape::Text(&forms::SOCKET_ADDR_V4) => SocketAddrV4;
    Shape::Text(&forms::SOCKET_ADDR_V6) => SocketAddrV6;
    Shape::Said(
        "must be a duration in seconds and nanoseconds such as {\"secs\": 90, \"nanos\": 0}",
        || const { &Shape::Struct(&StructShape {
            name: "Duration",
            fields: &[
                member("secs", &[Rule::Dive], u64::shape),
                member("nanos", &[Rule::Dive], u32::shape),
            ],
            allow_unknown: false,
            words: &[],
        }) },
    ) => Duration;
}

#[cfg(feature = "chrono")]
mod of_chrono {
    use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, TimeZone, Weekday};

    use super::*;
    use crate::args::shape::{EnumShape, Repr, VariantKind, VariantShape};

    const fn day(name: &'static str) -> VariantShape {
        VariantShape {
            rust: name,
            wire: name,
            aliases: &[],
            kind: VariantKind::Unit,
        }
    }

    shaped! {
        Shape::Text(&forms::CHRONO_DATE) => NaiveDate;
        Shape::Text(&forms::CHRONO_TIME) => NaiveTime;
        Shape::Text(&forms::CHRONO_LOCAL) => NaiveDateTime;
        Shape::Enum(&EnumShape {
            name: "Weekday",
            repr: Repr::External,
            variants: &[
                day("Mon"), day("Tue"), day("Wed"), day("Thu"), day("Fri"), day("Sat"), day("Sun"),
            ],
        }) => Weekday;
        Shape::Said(
            "must be a duration as [seconds, nanoseconds] such as [90, 0]",
            || const { &Shape::Tuple(&[item("0", i64::shape), item("1", serde_json::Value::shape)]) },
        ) => TimeDelta;
    }

    impl<Tz: TimeZone> Shaped for DateTime<Tz> {
        fn shape() -> &'static Shape {
            const { &Shape::Text(&forms::CHRONO_INSTANT) }
        }
    }
}

#[cfg(feature = "jiff")]
shaped! {
    Shape::Text(&forms::JIFF_DATE) => jiff::civil::Date;
    Shape::Text(&forms::JIFF_TIME) => jiff::civil::Time;
    Shape::Text(&forms::JIFF_LOCAL) => jiff::civil::DateTime;
    Shape::Text(&forms::JIFF_INSTANT) => jiff::Timestamp;
    Shape::Text(&forms::JIFF_ZONED) => jiff::Zoned;
    Shape::Text(&forms::JIFF_SPAN) => jiff::Span;
    Shape::Text(&forms::JIFF_DURATION) => jiff::SignedDuration;
}

#[cfg(feature = "rust_decimal")]
shaped!(Shape::Text(&forms::DECIMAL) => rust_decimal::Decimal;);

#[cfg(feature = "url")]
shaped!(Shape::Text(&forms::URL) => url::Url;);

#[cfg(feature = "uuid")]
shaped!(Shape::Text(&forms::UUID) => uuid::Uuid;);

macro_rules! same {
    ($($wrapper:ident),*) => { $(
        impl<T: Shaped> Shaped for $wrapper<T> {
            fn shape() -> &'static Shape {
                const { &Shape::Same(T::shape) }
            }
        }
    )* };
}

same!(Rc, Wrapping);

impl<T: Shaped> Shaped for Option<T> {
    fn shape() -> &'static Shape {
        const { &Shape::Optional(T::shape) }
    }
}

impl<T: Shaped + ?Sized> Shaped for Box<T> {
    fn shape() -> &'static Shape {
        const { &Shape::Same(T::shape) }
    }
}

impl<T: Shaped + ?Sized> Shaped for Arc<T> {
    fn shape() -> &'static Shape {
        const { &Shape::Same(T::shape) }
    }
}

impl<T: Shaped + ToOwned + ?Sized> Shaped for Cow<'static, T> {
    fn shape() -> &'static Shape {
        const { &Shape::Same(T::shape) }
    }
}

macro_rules! lists {
    ($($list:ty),* $(,)?) => { $(
        impl<T: Shaped> Shaped for $list {
            fn shape() -> &'static Shape {
                const { &Shape::List(T::shape) }
            }
        }
    )* };
}

lists!(Vec<T>, [T], VecDeque<T>, LinkedList<T>,);

impl<T: Shaped, const N: usize> Shaped for [T; N] {
    fn shape() -> &'static Shape {
        const { &Shape::Array(N, T::shape) }
    }
}

impl<T: Shaped> Shaped for BTreeSet<T> {
    fn shape() -> &'static Shape {
        const { &Shape::Set(T::shape) }
    }
}

impl<T: Shaped, S> Shaped for HashSet<T, S> {
    fn shape() -> &'static Shape {
        const { &Shape::Set(T::shape) }
    }
}

impl<K: Shaped, V: Shaped, S> Shaped for HashMap<K, V, S> {
    fn shape() -> &'static Shape {
        const { &Shape::Map(K::shape, V::shape) }
    }
}

impl<K: Shaped, V: Shaped> Shaped for BTreeMap<K, V> {
    fn shape() -> &'static Shape {
        const { &Shape::Map(K::shape, V::shape) }
    }
}

impl<T: Shaped> Shaped for Range<T> {
    fn shape() -> &'static Shape {
        const {
            &Shape::Struct(&StructShape {
                name: "Range",
                fields: &[member("start", &[], T::shape), member("end", &[], T::shape)],
                allow_unknown: false,
                words: &[],
            })
        }
    }
}

impl<T: Shaped> Shaped for RangeInclusive<T> {
    fn shape() -> &'static Shape {
        Range::<T>::shape()
    }
}

/// Returns a tuple's item: garde knows it by its index, and it has no rules.
const fn item(index: &'static str, shape: fn() -> &'static Shape) -> FieldShape {
    member(index, &[Rule::Dive], shape)
}

const fn member(
    name: &'static str,
    rules: &'static [Rule],
    shape: fn() -> &'static Shape,
) -> FieldShape {
    FieldShape {
        rust: name,
        wire: name,
        aliases: &[],
        flatten: false,
        skipped: false,
        default: false,
        opaque: false,
        rules,
        words: &[],
        shape,
    }
}

macro_rules! tuples {
    ($(($($item:ident $index:literal),*)),* $(,)?) => { $(
        impl<$($item: Shaped),*> Shaped for ($($item,)*) {
            fn shape() -> &'static Shape {
                const { &Shape::Tuple(&[$(item($index, $item::shape)),*]) }
            }
        }
    )* };
}

tuples!(
    (A "0"),
    (A "0", B "1"),
    (A "0", B "1", C "2"),
    (A "0", B "1", C "2", D "3"),
    (A "0", B "1", C "2", D "3", E "4"),
    (A "0", B "1", C "2", D "3", E "4", F "5"),
    (A "0", B "1", C "2", D "3", E "4", F "5", G "6"),
    (A "0", B "1", C "2", D "3", E "4", F "5", G "6", H "7"),
);
