//! The shapes of std's types and of any JSON.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, LinkedList, VecDeque};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::num::{
    NonZeroI8, NonZeroI16, NonZeroI32, NonZeroI64, NonZeroI128, NonZeroIsize, NonZeroU8,
    NonZeroU16, NonZeroU32, NonZeroU64, NonZeroU128, NonZeroUsize,
};
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;

use super::shape::{FieldShape, Shape, Shaped};

macro_rules! leaves {
    ($($leaf:ty),* $(,)?) => { $(
        impl Shaped for $leaf {
            fn shape() -> &'static Shape {
                &Shape::Leaf
            }
        }
    )* };
}

leaves!(
    (),
    bool,
    char,
    u8,
    u16,
    u32,
    u64,
    u128,
    usize,
    i8,
    i16,
    i32,
    i64,
    i128,
    isize,
    f32,
    f64,
    String,
    str,
    PathBuf,
    IpAddr,
    Ipv4Addr,
    Ipv6Addr,
    SocketAddr,
    SocketAddrV4,
    SocketAddrV6,
    NonZeroU8,
    NonZeroU16,
    NonZeroU32,
    NonZeroU64,
    NonZeroU128,
    NonZeroUsize,
    NonZeroI8,
    NonZeroI16,
    NonZeroI32,
    NonZeroI64,
    NonZeroI128,
    NonZeroIsize,
    serde_json::Value,
    serde_json::Number,
    serde_json::Map<String, serde_json::Value>,
);

macro_rules! same {
    ($($wrapper:ident),*) => { $(
        impl<T: Shaped> Shaped for $wrapper<T> {
            fn shape() -> &'static Shape {
                const { &Shape::Same(T::shape) }
            }
        }
    )* };
}

same!(Option, Rc);

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
    ($([$($generics:tt)*] $list:ty),* $(,)?) => { $(
        impl<T: Shaped, $($generics)*> Shaped for $list {
            fn shape() -> &'static Shape {
                const { &Shape::List(T::shape) }
            }
        }
    )* };
}

lists!(
    [] Vec<T>,
    [] [T],
    [] VecDeque<T>,
    [] LinkedList<T>,
    [const N: usize] [T; N],
);

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

impl<K, V: Shaped, S> Shaped for HashMap<K, V, S> {
    fn shape() -> &'static Shape {
        const { &Shape::Map(V::shape) }
    }
}

impl<K, V: Shaped> Shaped for BTreeMap<K, V> {
    fn shape() -> &'static Shape {
        const { &Shape::Map(V::shape) }
    }
}

/// A tuple's item: garde knows it by its index, and it carries no rules.
const fn item(index: &'static str, shape: fn() -> &'static Shape) -> FieldShape {
    FieldShape {
        rust: index,
        wire: index,
        aliases: &[],
        flatten: false,
        skipped: false,
        opaque: false,
        rules: &[super::shape::Rule::Dive],
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
