//! Types of every shape that arguments and results have, for the tests of what
//! is published of them.
#![allow(non_camel_case_types, unused_imports, clippy::all, clippy::pedantic)]

use std::borrow::Cow;
use std::collections::*;
use std::net::*;
use std::num::*;
use std::sync::Arc;

use garde::Validate;
use mcp_kit_macros::ToolArgs;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::args::{ArgsSpec, ToolArgs};

/// A type's name, what it describes, and the test that its schema agrees.
pub(in crate::args::tests) type Animal = (&'static str, fn() -> ArgsSpec, fn());

macro_rules! shapes {
    ($list:ident: $( $(#[$m:meta])* $name:ident { $($body:tt)* } )*) => {
        $( #[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)] #[tool_args(crate = crate)] $(#[$m])* struct $name { $($body)* } )*
        pub(in crate::args::tests) fn $list() -> Vec<Animal> {
            vec![$(animal!($name)),*]
        }
    }
}

macro_rules! animal {
    ($name:ident) => {
        (
            stringify!($name),
            <$name as ToolArgs>::__spec as fn() -> ArgsSpec,
            crate::testing::assert_schema_agrees::<$name> as fn(),
        )
    };
}

macro_rules! part {
    ($($item:item)*) => {
        $( #[derive(Debug, Clone, PartialEq, PartialOrd, Deserialize, Serialize, JsonSchema, Validate, ToolArgs)] #[tool_args(crate = crate)] $item )*
    };
}

mod published;

pub(super) use published::{portable, results, roots};

part! {
    struct Inner { #[garde(range(max = 3))] x: u8, /** How it is called. */ #[garde(length(chars, max = 2))] #[serde(default)] name: Option<String> }
    struct Empty {}
    struct Name(#[garde(length(chars, min = 1, max = 4))] String);
    struct Pair(#[garde(range(max = 3))] u8, #[garde(skip)] String);
    struct Coord { #[garde(range(min = -90.0, max = 90.0))] lat: f64, #[garde(range(min = -180.0, max = 180.0))] lon: f64 }
    #[serde(rename_all = "lowercase")]
    enum Plain { Fast, Slow }
    enum Documented { /** Goes fast. */ Fast, /** Takes its time. */ Slow, Medium }
    enum External { Unit, New(#[garde(range(max = 3))] u8), Tup(#[garde(skip)] u8, #[garde(skip)] String), Str { #[garde(range(max = 3))] x: u8, #[garde(skip)] #[serde(default)] y: Option<u8> }, In(#[garde(dive)] Inner) }
    #[serde(tag = "kind")]
    enum Internal { Unit, Str { #[garde(range(max = 3))] x: u8 }, In(#[garde(dive)] Inner), #[serde(rename = "other-one", alias = "third")] Third { #[garde(skip)] #[serde(default)] z: bool } }
    #[serde(tag = "t", content = "c")]
    enum Adjacent { Unit, New(#[garde(range(max = 3))] u8), Tup(#[garde(skip)] u8, #[garde(skip)] String), Str { #[garde(skip)] x: u8 }, In(#[garde(dive)] Inner) }
    #[serde(untagged)]
    enum Untagged { Num(#[garde(range(min = 1, max = 9))] i64), Text(#[garde(length(chars, min = 2))] String), Obj { #[garde(skip)] a: u8 }, List(#[garde(skip)] Vec<u8>) }
    #[serde(untagged)]
    enum UntaggedStructs { A { #[garde(skip)] a: u8 }, AB { #[garde(skip)] a: u8, #[garde(skip)] b: u8 }, C(#[garde(dive)] Inner) }
    #[serde(untagged)]
    enum UntaggedUnit { Nothing, Num(#[garde(skip)] u8) }
    #[serde(untagged)]
    enum OneOrMany { One(#[garde(length(chars, min = 1))] String), Many(#[garde(length(min = 1), inner(length(chars, min = 1)))] Vec<String>) }
    struct Tree { #[garde(range(max = 9))] v: u8, #[garde(dive)] #[serde(default)] kids: Vec<Tree> }
    struct Linked { #[garde(range(max = 9))] v: u8, #[garde(dive)] #[serde(default)] next: Option<Box<Linked>> }
    enum Expr { Num(#[garde(skip)] f64), Neg(#[garde(dive)] Box<Expr>), Add(#[garde(dive)] Box<Expr>, #[garde(dive)] Box<Expr>) }
    #[serde(tag = "op", rename_all = "lowercase")]
    enum Op { Num { #[garde(skip)] value: f64 }, Add { #[garde(dive)] left: Box<Op>, #[garde(dive)] right: Box<Op> } }
    #[serde(tag = "action", rename_all = "snake_case")]
    enum Action { Create { #[garde(length(chars, min = 1))] title: String }, Delete { #[garde(skip)] id: u32 }, List }
    enum FlatExt { A(#[garde(skip)] u8), B { #[garde(skip)] x: u8 } }
    struct Flat { #[garde(range(max = 3))] fx: u8, #[garde(skip)] #[serde(default)] fy: Option<String> }
    struct Aliased { #[garde(skip)] #[serde(rename = "theName", alias = "name", alias = "nm")] n: String }
    #[serde(default)]
    struct Defaulted { #[garde(range(min = 1, max = 10))] page: u8, #[garde(length(chars, max = 5))] q: String }
    #[serde(deny_unknown_fields)]
    struct Denying { #[garde(skip)] a: u8 }
    #[tool_args(allow_unknown)]
    struct Allowing { #[garde(skip)] a: u8 }
    struct GPage<T: Validate<Context = ()>> { #[garde(dive)] items: Vec<T>, #[garde(range(min = 1))] n: u32 }
    #[serde(try_from = "String")]
    #[tool_args(opaque)]
    struct Code { #[garde(skip)] c: String }
    #[serde(transparent)]
    struct Transp { #[garde(range(max = 3))] inner: u8 }
    #[serde(rename_all = "SCREAMING-KEBAB-CASE")]
    struct Kebab { #[garde(skip)] some_name: u8, #[garde(skip)] r#type: u8 }    #[serde(tag = "kind")]
    enum IntMap { A(#[garde(skip)] BTreeMap<String, u8>), B { #[serde(flatten)] #[garde(skip)] rest: BTreeMap<String, u8> } }
    #[serde(tag = "kind", deny_unknown_fields)]
    enum IntDeny { A, B { #[garde(skip)] x: u8 } }
    #[serde(tag = "kind")]
    enum IntAllow { N(#[garde(dive)] Allowing), M(#[garde(dive)] Aliased) }
    #[serde(tag = "kind")]
    enum IntSkip { A, #[serde(skip)] B, #[serde(skip_deserializing)] C, #[serde(rename = "dee")] D { #[garde(skip)] #[serde(skip)] hidden: u8, #[garde(skip)] x: u8 } }
    enum ExtSkip { A, #[serde(skip)] B, C(#[garde(skip)] u8) }
    enum ExtOpt { Opt(#[garde(inner(length(chars, max = 2)))] Option<String>), Vec(#[garde(length(max = 1))] Vec<u8>), #[serde(alias = "mm", alias = "M2")] Map(#[garde(skip)] BTreeMap<String, u8>), Unit() }
    enum ExtEmpty { E {}, T(), U }
    #[serde(tag = "t", content = "c")]
    enum AdjOpt { Opt(#[garde(skip)] Option<u8>), E {}, U, #[serde(alias = "vv")] V(#[garde(length(max = 1))] Vec<u8>) }
    #[serde(tag = "t", content = "c", deny_unknown_fields)]
    enum AdjDeny { S { #[garde(skip)] x: u8 }, U }
    #[serde(untagged)]
    enum UntNull { N(#[garde(skip)] ()), X(#[garde(skip)] u8) }
    #[serde(untagged)]
    enum UntNest { P(#[garde(skip)] Kinds), I(#[garde(dive)] Inner), L(#[garde(dive)] Vec<Inner>), F(#[garde(skip)] f64) }
    #[serde(untagged)]
    enum UntOverlap { A { #[garde(range(max = 3))] v: u8 }, B { #[garde(skip)] v: u32 } }
    #[serde(untagged)]
    enum UntOpt { A { #[garde(skip)] #[serde(default)] a: Option<u8> }, B { #[garde(skip)] b: u8 } }
    #[serde(rename_all = "kebab-case")]
    enum Kinds { OneTwo, #[serde(alias = "33")] Three, #[serde(rename = "FOUR")] Four }
    #[serde(rename_all(deserialize = "camelCase", serialize = "snake_case"))]
    struct SplitCase { #[garde(skip)] some_name: u8 }
    struct FlatInVariant { #[garde(dive)] #[serde(flatten)] v: FlatV }
    #[serde(tag = "k")]
    enum FlatV { A { #[garde(dive)] #[serde(flatten)] i: Inner }, B(#[garde(dive)] SplitCase) }
    struct FlatTwoLevels { #[garde(skip)] top: u8, #[garde(dive)] #[serde(flatten)] mid: FlatMid }
    struct FlatMid { #[garde(skip)] #[serde(alias = "middle")] mid: u8, #[garde(dive)] #[serde(flatten)] low: Inner }
    struct FlatMapEnum { #[garde(skip)] a: u8, #[garde(skip)] #[serde(flatten)] rest: BTreeMap<String, Kinds> }
    struct New2(#[garde(dive)] Inner);
    #[serde(transparent)]
    struct TranspOpt { #[garde(length(chars, max = 2))] inner: Option<String> }
    struct TupStruct(#[garde(range(max = 3))] u8, #[garde(skip)] #[serde(default)] Option<u8>);
    struct Rec { #[garde(dive)] #[serde(default)] m: BTreeMap<String, Rec>, #[garde(dive)] #[serde(default)] o: Option<Box<Rec>>, #[garde(range(max = 2))] v: u8 }
    #[serde(untagged)]
    enum RecJson { N(#[garde(range(max = 9))] i64), S(#[garde(length(chars, max = 2))] String), L(#[garde(dive)] Vec<RecJson>), O(#[garde(dive)] BTreeMap<String, RecJson>) }
    #[serde(default)]
    struct DefNest { #[garde(dive)] inner: Inner, #[garde(skip)] plain: Kinds }
    struct SkipDe { #[garde(skip)] #[serde(skip_deserializing)] x: u8, #[garde(skip)] y: u8 }
    #[serde(expecting = "a thing")]
    struct Expecting { #[garde(skip)] x: u8 }
    // Documented in all taggings, and of units alone.
    #[serde(tag = "kind")]
    enum TagUnits { /** The first. */ A, /** The second. */ B, C }
    #[serde(tag = "t", content = "c")]
    enum AdjacentUnits { /** The first. */ A, B }
    #[serde(untagged)]
    enum UntaggedDocs { /** A number. */ N(#[garde(skip)] u64), /** A text. */ T(#[garde(skip)] String) }
    enum ExternalDocs { /** Nothing more. */ A, /** With a number. */ B(#[garde(skip)] u64), C }
    /// How fast it goes.
    enum Single { /** The only way. */ Only }
    enum MixedDocs { First, /** Is documented. */ Second, Third, /** And so is this. */ Fourth }
    #[serde(tag = "action", rename_all = "snake_case")]
    /// What to do with tickets.
    enum TicketAction {
        /// Opens a ticket.
        Open { /** Its title. */ #[garde(length(chars, min = 1))] title: String, /** How urgent it is. */ #[garde(skip)] urgency: Option<Documented> },
        /// Closes a ticket.
        Close { /** Which ticket. */ #[garde(skip)] id: u64, #[garde(skip)] #[serde(default)] reason: Option<String> },
        /// Moves a ticket.
        Move { /** Which one to move. */ #[garde(skip)] id: u64, #[garde(skip)] to: (f64, f64) },
        /// Renames it.
        Rename { #[garde(skip)] id: String },
        List,
    }
    #[serde(tag = "t", content = "c")]
    enum AdjacentRoot { One(#[garde(skip)] u64), Many { #[garde(skip)] a: u8 }, None }
    #[serde(untagged)]
    enum UntaggedRoot { ById { /** The id. */ #[garde(skip)] id: u64 }, ByName { #[garde(skip)] name: String, #[garde(skip)] fuzzy: Option<bool> } }
    enum ExternalRoot { /** One. */ One(#[garde(skip)] u64), /** Two. */ Two { #[garde(skip)] x: u8 } }
    #[serde(tag = "outer")]
    enum Nested { A { #[garde(dive)] #[serde(flatten)] of: Action }, B { #[garde(skip)] z: u8 } }
}

part! {
    #[serde(tag = "t", content = "c")]
    enum AdjOptRoot { Opt(#[garde(skip)] Option<u8>), V(#[garde(length(max = 1))] Vec<u8>) }
}
impl Default for Defaulted {
    fn default() -> Self {
        Self {
            page: 1,
            q: "abc".into(),
        }
    }
}
impl From<String> for Code {
    fn from(c: String) -> Self {
        Self { c }
    }
}
impl Default for DefNest {
    fn default() -> Self {
        Self {
            inner: Inner { x: 1, name: None },
            plain: Kinds::OneTwo,
        }
    }
}
impl Default for Inner {
    fn default() -> Self {
        Inner { x: 1, name: None }
    }
}
#[derive(
    Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize, JsonSchema, Validate, ToolArgs,
)]
#[tool_args(crate = crate)]
enum Key {
    A,
    #[serde(rename = "b b")]
    B,
}
#[derive(
    Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize, JsonSchema, Validate, ToolArgs,
)]
#[tool_args(crate = crate)]
struct NewKey(#[garde(length(chars, max = 2))] String);

fn even(v: &u32, _: &()) -> garde::Result {
    if v % 2 == 0 {
        Ok(())
    } else {
        Err(garde::Error::new("odd"))
    }
}
fn five() -> u8 {
    5
}
const MOST: u8 = 7;
const LARGE: i64 = 1 << 60;
fn ordered(s: &Ordered, _: &()) -> garde::Result {
    if s.from <= s.to {
        Ok(())
    } else {
        Err(garde::Error::new("x"))
    }
}

shapes! { plain:
    f_bool { #[garde(skip)] x: bool }
    f_u8 { #[garde(skip)] x: u8 }
    f_u16 { #[garde(skip)] x: u16 }
    f_u32 { #[garde(skip)] x: u32 }
    f_u64 { #[garde(skip)] x: u64 }
    f_usize { #[garde(skip)] x: usize }
    f_u128 { #[garde(skip)] x: u128 }
    f_i8 { #[garde(skip)] x: i8 }
    f_i16 { #[garde(skip)] x: i16 }
    f_i32 { #[garde(skip)] x: i32 }
    f_i64 { #[garde(skip)] x: i64 }
    f_isize { #[garde(skip)] x: isize }
    f_i128 { #[garde(skip)] x: i128 }
    f_f32 { #[garde(skip)] x: f32 }
    f_f64 { #[garde(skip)] x: f64 }
    f_char { #[garde(skip)] x: char }
    f_string { #[garde(skip)] x: String }
    f_unit { #[garde(skip)] x: () }
    f_opt_u8 { #[garde(skip)] x: Option<u8> }
    f_opt_opt { #[garde(skip)] #[serde(default)] x: Option<Option<u8>> }
    f_opt_unit { #[garde(skip)] x: Option<()> }
    f_box { #[garde(skip)] x: Box<u8> }
    f_arc_str { #[garde(skip)] x: Arc<str> }
    f_box_str { #[garde(length(chars, max = 2))] x: Box<str> }
    f_cow { #[garde(length(chars, max = 2))] x: Cow<'static, str> }
    f_nz_u8 { #[garde(skip)] x: NonZeroU8 }
    f_nz_i8 { #[garde(skip)] x: NonZeroI8 }
    f_nz_i32 { #[garde(skip)] x: NonZeroI32 }
    f_nz_i64 { #[garde(skip)] x: NonZeroI64 }
    f_nz_u64 { #[garde(skip)] x: NonZeroU64 }
    f_path { #[garde(skip)] x: std::path::PathBuf }
    f_ip { #[garde(skip)] x: IpAddr }
    f_ip4 { #[garde(skip)] x: Ipv4Addr }
    f_ip6 { #[garde(skip)] x: Ipv6Addr }
    f_value { #[garde(skip)] x: Value }
    f_opt_value { #[garde(skip)] x: Option<Value> }
    f_number { #[garde(skip)] x: serde_json::Number }
    f_map_value { #[garde(skip)] x: serde_json::Map<String, Value> }
    f_vec_value { #[garde(skip)] x: Vec<Value> }
    f_vec_u8 { #[garde(length(min = 1, max = 3))] x: Vec<u8> }
    f_vec_opt { #[garde(skip)] x: Vec<Option<u8>> }
    f_deque { #[garde(length(max = 2))] x: VecDeque<u8> }
    f_list { #[garde(skip)] x: LinkedList<u8> }
    f_boxed_slice { #[garde(skip)] x: Box<[u8]> }
    f_array { #[garde(skip)] x: [u8; 3] }
    f_array0 { #[garde(skip)] x: [u8; 0] }
    f_array1 { #[garde(skip)] x: [u8; 1] }
    f_array32 { #[garde(skip)] x: [u8; 32] }
    f_tuple2 { #[garde(skip)] x: (u8, String) }
    f_tuple1 { #[garde(skip)] x: (u8,) }
    f_vec_tuple { #[garde(skip)] x: Vec<(String, f64)> }
    f_hashset { #[garde(length(max = 2))] x: HashSet<String> }
    f_btreeset { #[garde(length(min = 1))] x: BTreeSet<u8> }
    f_set_plain { #[garde(skip)] x: BTreeSet<Key> }
    f_map { #[garde(length(min = 1, max = 2))] x: HashMap<String, u8> }
    f_map_u8 { #[garde(skip)] x: BTreeMap<u8, bool> }
    f_map_u32 { #[garde(skip)] x: BTreeMap<u32, bool> }
    f_map_i8 { #[garde(skip)] x: BTreeMap<i8, bool> }
    f_map_i64 { #[garde(skip)] x: BTreeMap<i64, bool> }
    f_map_key { #[garde(skip)] x: BTreeMap<Key, bool> }
    f_map_newkey { #[garde(skip)] x: BTreeMap<NewKey, bool> }
    f_map_nz { #[garde(skip)] x: BTreeMap<NonZeroU8, bool> }
    f_map_inner { #[garde(dive)] x: HashMap<String, Inner> }
    f_map_vec { #[garde(skip)] x: HashMap<String, Vec<u8>> }
    f_map_map { #[garde(skip)] x: HashMap<String, HashMap<String, u8>> }
    f_inner { #[garde(dive)] x: Inner }
    f_opt_inner { #[garde(dive)] x: Option<Inner> }
    f_vec_inner { #[garde(length(max = 2), dive)] x: Vec<Inner> }
    f_empty { #[garde(dive)] x: Empty }
    f_name { #[garde(dive)] x: Name }
    f_opt_name { #[garde(dive)] x: Option<Name> }
    f_pair { #[garde(dive)] x: Pair }
    f_transp { #[garde(dive)] x: Transp }
    f_plain { #[garde(skip)] x: Plain }
    f_opt_plain { #[garde(skip)] x: Option<Plain> }
    f_documented { #[garde(skip)] x: Documented }
    f_opt_documented { #[garde(skip)] x: Option<Documented> }
    f_vec_plain { #[garde(skip)] x: Vec<Plain> }
    f_external { #[garde(dive)] x: External }
    f_opt_external { #[garde(dive)] x: Option<External> }
    f_internal { #[garde(dive)] x: Internal }
    f_opt_internal { #[garde(dive)] x: Option<Internal> }
    f_adjacent { #[garde(dive)] x: Adjacent }
    f_untagged { #[garde(dive)] x: Untagged }
    f_untagged_structs { #[garde(dive)] x: UntaggedStructs }
    f_untagged_unit { #[garde(dive)] x: UntaggedUnit }
    f_one_or_many { #[garde(dive)] x: OneOrMany }
    f_opt_one_or_many { #[garde(dive)] x: Option<OneOrMany> }
    f_tree { #[garde(dive)] x: Tree }
    f_linked { #[garde(dive)] x: Linked }
    f_opt_tree { #[garde(dive)] x: Option<Tree> }
    f_expr { #[garde(dive)] x: Expr }
    f_op { #[garde(dive)] x: Op }
    f_aliased { #[garde(dive)] x: Aliased }
    f_defaulted { #[garde(dive)] x: Defaulted }
    f_opt_defaulted { #[garde(dive)] #[serde(default)] x: Option<Defaulted> }
    f_denying { #[garde(dive)] x: Denying }
    f_allowing { #[garde(dive)] x: Allowing }
    f_generic { #[garde(dive)] x: GPage<Inner> }
    f_code { #[garde(dive)] x: Code }
    f_kebab { #[garde(dive)] x: Kebab }
    g_flat { #[garde(skip)] y: u8, #[garde(dive)] #[serde(flatten)] x: Flat }
    g_flat_action { #[garde(skip)] #[serde(default)] y: Option<u8>, #[garde(dive)] #[serde(flatten)] x: Action }
    g_flat_ext { #[garde(skip)] y: u8, #[garde(dive)] #[serde(flatten)] x: FlatExt }
    g_flat_map { #[garde(skip)] y: u8, #[garde(skip)] #[serde(flatten)] x: HashMap<String, u8> }
    g_flat_value { #[garde(skip)] y: u8, #[garde(skip)] #[serde(flatten)] x: serde_json::Map<String, Value> }
    g_flat_flat { #[garde(skip)] y: u8, #[garde(dive)] #[serde(flatten)] x: Flat, #[garde(dive)] #[serde(flatten)] z: Aliased }
    g_flat_denying { #[garde(skip)] y: u8, #[garde(dive)] #[serde(flatten)] x: Denying }
    g_flat_defaulted { #[garde(skip)] y: u8, #[garde(dive)] #[serde(flatten)] x: Defaulted }
    g_default { #[garde(range(min = 1, max = 10))] #[serde(default = "five")] x: u8 }
    g_default_opt { #[garde(range(min = 1, max = 10))] #[serde(default)] x: Option<u8> }
    g_default_vec { #[garde(length(max = 2))] #[serde(default)] x: Vec<String> }
    g_default_enum { #[garde(dive)] #[serde(default)] x: Defaulted }
    g_rename { #[garde(skip)] #[serde(rename = "the name", alias = "n")] x: u8 }
    g_skip { #[garde(skip)] #[serde(skip)] x: u8, #[garde(skip)] y: u8 }
    g_skip_ser { #[garde(skip)] #[serde(skip_serializing_if = "Option::is_none")] x: Option<u8> }
    #[serde(deny_unknown_fields)] g_deny { #[garde(skip)] x: u8 }
    #[tool_args(allow_unknown)] g_allow { #[garde(skip)] x: u8 }
    #[serde(default)] g_container_default { #[garde(range(min = 1, max = 10))] page: u8, #[garde(length(chars, max = 5))] q: String }
    r_chars { #[garde(length(chars, min = 1, max = 3))] x: String }
    r_chars_equal { #[garde(length(chars, equal = 3))] x: String }
    r_chars_min0 { #[garde(length(chars, min = 0))] x: String }
    r_bytes { #[garde(length(bytes, min = 2, max = 4))] #[tool_args(rule = "must have 2 to 4 bytes")] x: String }
    r_simple_min1 { #[garde(length(min = 1))] #[tool_args(rule = "must not be empty")] x: String }
    r_utf16 { #[garde(length(utf16, min = 2, max = 4))] #[tool_args(rule = "must have 2 to 4 UTF-16 units")] x: String }
    r_opt_chars { #[garde(length(chars, min = 1, max = 3))] x: Option<String> }
    r_opt_vec { #[garde(length(min = 1, max = 2))] x: Option<Vec<u8>> }
    r_opt_inner_vec { #[garde(inner(length(min = 1, max = 2)))] x: Option<Vec<u8>> }
    r_vec_inner { #[garde(length(max = 2), inner(length(chars, min = 1, max = 2)))] x: Vec<String> }
    r_vec_vec { #[garde(inner(length(max = 2), inner(range(max = 3))))] x: Vec<Vec<u8>> }
    r_range { #[garde(range(min = 1, max = 10))] x: u8 }
    r_range_const { #[garde(range(min = 1, max = MOST))] x: u8 }
    r_range_i64 { #[garde(range(min = i64::MIN, max = 0))] x: i64 }
    r_range_u64 { #[garde(range(max = u64::MAX - 1))] x: u64 }
    r_range_f64 { #[garde(range(min = -0.5, max = 2.5))] x: f64 }
    r_range_f32 { #[garde(range(min = 0.1, max = 0.3))] x: f32 }
    r_range_f64_01 { #[garde(range(min = 0.1, max = 0.3))] x: f64 }
    r_range_f_eq { #[garde(range(equal = 1.5))] x: f64 }
    r_range_i128 { #[garde(range(min = 0, max = 100))] x: i128 }
    r_range_u128 { #[garde(range(max = 1000))] x: u128 }
    r_range_opt { #[garde(range(min = 1, max = 10))] x: Option<i32> }
    r_range_nz { #[garde(skip)] x: Option<NonZeroU32> }
    r_range_int_max_float { #[garde(range(max = 1e3))] x: f64 }
    r_ascii { #[garde(ascii)] x: String }
    r_alnum { #[garde(alphanumeric)] x: String }
    r_ip { #[garde(ip)] x: String }
    r_ipv4 { #[garde(ipv4)] x: String }
    r_ipv6 { #[garde(ipv6)] x: String }
    r_prefix { #[garde(prefix("a.b"))] x: String }
    r_suffix { #[garde(suffix("x+"))] x: String }
    r_contains { #[garde(contains("a|b"))] x: String }
    r_multi { #[garde(prefix("a"), suffix("z"), contains("m"), ascii, length(chars, max = 6))] x: String }
    r_custom { #[garde(custom(even))] #[tool_args(rule = "must be even")] x: u32 }
    r_matches { #[garde(length(chars, min = 1))] a: String, #[garde(matches(a))] #[tool_args(rule = "must be the same as a")] b: String }
    r_required { #[garde(required)] x: Option<u8> }
    r_map_keys { #[garde(length(max = 1))] x: BTreeMap<String, u8> }
    o_duration { #[garde(skip)] #[tool_args(opaque)] x: std::time::Duration }
    o_range { #[garde(skip)] #[tool_args(opaque)] x: std::ops::Range<u32> }
    o_len { #[garde(length(chars, max = 3))] #[tool_args(opaque)] x: String }
    o_inner_range { #[garde(dive)] #[tool_args(opaque)] x: Inner }
    #[garde(custom(ordered))] #[tool_args(rule = "from must not be after to")] Ordered { #[garde(skip)] from: u8, #[garde(skip)] to: u8 }
    #[serde(rename_all = "camelCase")] search_like {
        /// What to search for.
        #[garde(length(chars, min = 1, max = 400))] query: String,
        /// How many results to return.
        #[serde(default = "five")] #[garde(range(min = 1, max = 10))] max_results: u8,
        /// In which order.
        #[serde(default)] #[garde(skip)] order: Option<Documented>,
        /// Only these sites.
        #[serde(default)] #[garde(length(max = 5), inner(length(chars, min = 1)))] only_sites: Vec<String>,
        /// Where.
        #[garde(dive)] near: Option<Coord>,
    }
}
impl Default for g_container_default {
    fn default() -> Self {
        Self {
            page: 1,
            q: "abc".into(),
        }
    }
}

#[cfg(feature = "regex")]
shapes! { patterns:
    r_pattern { #[garde(pattern("^[a-z]{2}$"))] x: String }
    r_pattern_unanchored { #[garde(pattern("[0-9]"))] x: String }
    r_pattern_d { #[garde(pattern(r"^\d+$"))] x: String }
    r_pattern_w { #[garde(pattern(r"^\w+$"))] x: String }
    r_pattern_s { #[garde(pattern(r"^\S+\s\S+$"))] x: String }
    r_pattern_dot { #[garde(pattern("^.$"))] x: String }
    r_pattern_b { #[garde(pattern(r"\ba"))] x: String }
    r_pattern_date { #[garde(pattern(r"^\d{4}-\d{2}-\d{2}$"))] x: String }
    r_pattern_alt { #[garde(pattern("^(?:asc|desc)$"))] x: String }
    r_pattern_neg { #[garde(pattern("^[^/]+$"))] x: String }
    r_pattern_dollar { #[garde(pattern("a$"))] x: String }
}

shapes! { odd:
    h_intmap { #[garde(dive)] x: IntMap }
    h_intdeny { #[garde(dive)] x: IntDeny }
    h_intallow { #[garde(dive)] x: IntAllow }
    h_intskip { #[garde(dive)] x: IntSkip }
    h_extskip { #[garde(dive)] x: ExtSkip }
    h_extopt { #[garde(dive)] x: ExtOpt }
    h_extempty { #[garde(dive)] x: ExtEmpty }
    h_adjopt { #[garde(dive)] x: AdjOpt }
    h_adjdeny { #[garde(dive)] x: AdjDeny }
    h_untnull { #[garde(dive)] x: UntNull }
    h_untnest { #[garde(dive)] x: UntNest }
    h_untopt { #[garde(dive)] x: UntOpt }
    h_plain { #[garde(skip)] x: Kinds }
    h_split { #[garde(dive)] x: SplitCase }
    h_flatvariant { #[garde(dive)] x: FlatInVariant }
    h_flattwo { #[garde(dive)] x: FlatTwoLevels }
    h_flatmapenum { #[garde(dive)] x: FlatMapEnum }
    h_new2 { #[garde(dive)] x: New2 }
    h_transpopt { #[garde(dive)] x: TranspOpt }
    h_rec { #[garde(dive)] x: Rec }
    h_recjson { #[garde(dive)] x: RecJson }
    h_defnest { #[garde(dive)] x: DefNest }
    h_skipde { #[garde(dive)] x: SkipDe }
    h_expecting { #[garde(dive)] x: Expecting }
    h_optbox { #[garde(dive)] x: Option<Box<Inner>> }
    h_vecoptinner { #[garde(dive)] x: Vec<Option<Inner>> }
    h_mapoptvec { #[garde(skip)] x: BTreeMap<String, Option<Vec<u8>>> }
    h_setinner { #[garde(length(max = 2), dive)] x: Vec<Kinds> }
    h_arrinner { #[garde(dive)] x: [Inner; 2] }
    h_tuple_dive { #[garde(dive)] x: (Inner, Inner) }
    h_opt_default_nest { #[garde(dive)] #[serde(default)] x: DefNest }
    h_two_aliases { #[garde(skip)] #[serde(alias = "bb", alias = "cc")] x: u8, #[garde(skip)] #[serde(default, alias = "yy")] y: Option<u8> }
    h_rename_odd { #[garde(skip)] #[serde(rename = "a/b~c\"d.e[0]")] x: u8 }
    h_range_incl { #[garde(range(min = -5, max = -1))] x: i8 }
    h_range_f32c { #[garde(range(min = 0.0, max = 1.0))] x: f32 }
    h_range_opt_f { #[garde(range(min = 0.0, max = 1.0))] x: Option<f64> }
    h_len_set { #[garde(length(min = 1, max = 2))] x: Option<HashSet<u8>> }
    h_len_map { #[garde(length(min = 1))] x: Option<BTreeMap<String, u8>> }
    h_required_vec { #[garde(required, length(max = 1))] x: Option<Vec<u8>> }
    h_required_str { #[garde(required, length(chars, min = 1))] x: Option<String> }
    h_ascii_opt { #[garde(ascii, length(chars, max = 3))] x: Option<String> }
    h_contains_opt { #[garde(contains("q"))] x: Option<String> }
    h_inner_ascii { #[garde(inner(ascii, length(chars, min = 1, max = 2)))] x: Vec<String> }
    h_inner_opt_str { #[garde(inner(length(chars, min = 1)))] x: Option<String> }
    h_vec_opt_str { #[garde(inner(inner(length(chars, min = 1))))] x: Vec<Option<String>> }
}
