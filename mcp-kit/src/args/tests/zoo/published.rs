//! Arguments and results whose published schema is not what schemars makes.

use super::*;

shapes! { portable:
    p_u64 { #[garde(skip)] a: u64, #[garde(skip)] b: Option<u64>, #[garde(skip)] c: Vec<u64>, #[garde(skip)] d: BTreeMap<String, u64>, #[garde(skip)] e: (u64, i64), #[garde(skip)] f: BTreeSet<u64>, #[garde(skip)] g: [i64; 2], #[garde(skip)] h: Vec<Option<usize>>, #[garde(skip)] i: Option<Option<isize>> }
    p_u64_rules { #[garde(range(max = u64::MAX))] a: u64, #[garde(length(max = usize::MAX))] b: Vec<u8>, #[garde(range(min = i64::MIN, max = LARGE))] c: i64, #[garde(range(max = 1e300))] d: f64, #[garde(length(chars, max = usize::MAX))] e: String, #[garde(range(min = 9007199254740991_u64, max = 9007199254740992_u64))] f: u64 }
    p_default { #[garde(skip)] #[serde(default = "most")] a: u64, #[garde(skip)] #[serde(default)] b: u64, #[garde(skip)] #[serde(default = "many")] c: Vec<u64> }
    p_nested { #[garde(dive)] deep: Option<Vec<Option<Deep>>>, #[garde(skip)] map: BTreeMap<String, Option<Documented>>, #[garde(skip)] tuple: (Option<u8>, Option<Documented>) }
    p_documented { /** How. */ #[garde(skip)] a: Option<Documented>, #[garde(skip)] b: Vec<Option<Documented>>, /** Which. */ #[garde(skip)] c: MixedDocs, #[garde(skip)] d: Option<Option<MixedDocs>>, #[garde(skip)] e: BTreeMap<String, Documented>, #[garde(skip)] f: (Documented, Documented), #[garde(skip)] g: Single, #[garde(skip)] h: Option<Single> }
    p_tagged { #[garde(skip)] a: TagUnits, #[garde(skip)] b: Option<TagUnits>, #[garde(skip)] c: AdjacentUnits, #[garde(skip)] d: UntaggedDocs, #[garde(skip)] e: Option<UntaggedDocs>, #[garde(dive)] f: ExternalDocs, #[garde(dive)] g: Option<ExternalDocs>, #[garde(dive)] h: Vec<TicketAction> }
    p_values { /** Anything. */ #[garde(skip)] a: Value, #[garde(skip)] b: Option<Value>, #[garde(skip)] c: Vec<Value>, #[garde(skip)] d: BTreeMap<String, Value>, #[garde(skip)] e: (Value, u8), #[garde(skip)] f: Option<Vec<Option<Value>>>, #[garde(skip)] g: [Value; 2] }
    p_required { #[garde(required)] b: Option<u8> }
    p_opaque { #[garde(skip)] #[tool_args(opaque)] a: std::time::Duration, #[garde(skip)] #[tool_args(opaque)] b: Vec<std::time::Duration>, #[garde(skip)] #[tool_args(opaque)] c: BTreeMap<String, Range<u64>>, #[garde(skip)] #[tool_args(opaque)] d: Option<std::time::SystemTime> }
    p_flat { /** Where. */ #[garde(skip)] place: String, #[garde(dive)] #[serde(flatten)] action: TicketAction }
    p_flat_external { #[garde(skip)] place: Option<String>, #[garde(dive)] #[serde(flatten)] root: ExternalRoot }
    p_flat_untagged { #[garde(skip)] place: Option<String>, #[garde(dive)] #[serde(flatten)] root: UntaggedRoot }
}

type Range<T> = std::ops::Range<T>;

#[derive(
    Debug, Clone, PartialEq, PartialOrd, Deserialize, Serialize, JsonSchema, Validate, ToolArgs,
)]
#[tool_args(crate = crate)]
struct Deep {
    #[garde(skip)]
    many: Option<Vec<u64>>,
    #[garde(dive)]
    deeper: Option<Box<Deep>>,
    #[garde(skip)]
    #[serde(default)]
    mode: Option<Documented>,
}

fn most() -> u64 {
    u64::MAX
}
fn many() -> Vec<u64> {
    vec![1, u64::MAX]
}

/// Enums as a tool's whole arguments.
pub(in super::super) fn roots() -> Vec<Animal> {
    vec![
        animal!(TicketAction),
        animal!(AdjacentRoot),
        animal!(UntaggedRoot),
        animal!(ExternalRoot),
        animal!(Internal),
        animal!(UntaggedStructs),
        animal!(IntDeny),
        animal!(IntAllow),
        animal!(IntSkip),
        animal!(FlatInVariant),
        animal!(Action),
        animal!(Op),
        animal!(AdjOptRoot),
        animal!(TagUnits),
        animal!(Nested),
    ]
}

macro_rules! results {
    ($($name:ident { $($body:tt)* })*) => {
        $( #[derive(Serialize, JsonSchema)] struct $name { $($body)* } )*
        pub(in super::super) fn results() -> Vec<(&'static str, schemars::Schema)> {
            vec![
                $((stringify!($name), result::<$name>()),)*
                ("u64", result::<u64>()),
                ("Vec<u64>", result::<Vec<u64>>()),
                ("Value", result::<Value>()),
                ("Documented", result::<Documented>()),
                ("TicketAction", result::<TicketAction>()),
                ("Option<Deep>", result::<Option<Deep>>()),
                ("Map", result::<HashMap<String, u64>>()),
            ]
        }
    }
}

fn result<T: JsonSchema>() -> schemars::Schema {
    schemars::generate::SchemaSettings::draft2020_12()
        .for_serialize()
        .with(|settings| settings.inline_subschemas = true)
        .into_generator()
        .into_root_schema_for::<T>()
}

results! {
    q_numbers { a: u64, b: Option<i64>, c: Vec<usize>, d: BTreeMap<String, u64>, e: (u64, f32), f: [u8; 0], g: u128, h: NonZeroU64 }
    q_values { a: Value, b: Vec<Value>, c: Option<Value>, d: (Value, Value), e: BTreeMap<String, Vec<Value>>, #[serde(flatten)] f: serde_json::Map<String, Value> }
    q_enums { a: Documented, b: Option<Documented>, c: Vec<MixedDocs>, d: TagUnits, e: AdjacentUnits, f: UntaggedDocs, g: ExternalDocs, h: Option<TicketAction>, i: Single }
    q_deep { a: Option<Deep>, b: Vec<Option<Deep>>, c: Tree, d: Option<Box<Linked>> }
    q_formats { a: std::time::Duration, b: IpAddr, c: Option<IpAddr>, d: std::time::SystemTime, e: Range<u64>, f: char, g: f64 }
}
