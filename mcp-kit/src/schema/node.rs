//! A compiled schema: a flat list of nodes, each with the rules for one kind of
//! place. Made by `compile`, read by `walk`.

use serde_json::Value;

use super::number::Number;
use super::text_rule::TextRule;

pub(crate) type NodeId = usize;

/// The set of JSON types that a place admits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Types(pub(crate) u8);

impl Types {
    pub(crate) const NONE: Self = Self(0);
    pub(crate) const NULL: Self = Self(1);
    pub(crate) const BOOL: Self = Self(2);
    pub(crate) const INTEGER: Self = Self(4);
    /// Numbers that are not whole.
    pub(crate) const FRACTION: Self = Self(8);
    pub(crate) const NUMBER: Self = Self(4 | 8);
    pub(crate) const STRING: Self = Self(16);
    pub(crate) const LIST: Self = Self(32);
    pub(crate) const OBJECT: Self = Self(64);
    pub(crate) const ANY: Self = Self(127);

    pub(crate) fn of_name(name: &str) -> Option<Self> {
        Some(match name {
            "null" => Self::NULL,
            "boolean" => Self::BOOL,
            "integer" => Self::INTEGER,
            "number" => Self::NUMBER,
            "string" => Self::STRING,
            "array" => Self::LIST,
            "object" => Self::OBJECT,
            _ => return None,
        })
    }

    /// Returns the types that a value may have, by its first byte.
    pub(crate) fn of_first_byte(byte: u8) -> Self {
        match byte {
            b'"' => Self::STRING,
            b'{' => Self::OBJECT,
            b'[' => Self::LIST,
            b't' | b'f' => Self::BOOL,
            b'n' => Self::NULL,
            b'-' | b'0'..=b'9' => Self::NUMBER,
            _ => Self::NONE,
        }
    }

    pub(crate) fn of_value(value: &Value) -> Self {
        match value {
            Value::Null => Self::NULL,
            Value::Bool(_) => Self::BOOL,
            Value::Number(number) if number.is_f64() => Self::NUMBER,
            Value::Number(_) => Self::INTEGER,
            Value::String(_) => Self::STRING,
            Value::Array(_) => Self::LIST,
            Value::Object(_) => Self::OBJECT,
        }
    }

    pub(crate) fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Whether numbers are included, and only whole ones.
    pub(crate) fn is_whole(self) -> bool {
        self.meets(Self::INTEGER) && !self.meets(Self::FRACTION)
    }

    pub(crate) fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(crate) fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Describes the types: `a whole number or null`.
    pub(crate) fn says(self) -> String {
        let mut words = Vec::new();
        let mut push = |types: Self, word: &str| {
            if self.0 & types.0 == types.0 {
                words.push(word.to_owned());
            }
        };
        push(Self::STRING, "a string");
        if self.meets(Self::FRACTION) {
            push(Self::NUMBER, "a number");
        } else {
            push(Self::INTEGER, "a whole number");
        }
        push(Self::BOOL, "true or false");
        push(Self::LIST, "a list");
        push(Self::OBJECT, "an object");
        push(Self::NULL, "null");
        super::words::list(words.into_iter())
    }
}

#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) types: Types,
    /// The types that remain when all rules of this place are considered:
    /// values, parts and alternatives. Filled in when all nodes exist.
    pub(crate) admits: Types,
    /// `enum` and `const`.
    pub(crate) allowed: Option<Vec<Value>>,
    /// Further strings that serde accepts for one of `allowed`.
    pub(crate) also_allowed: Vec<String>,
    /// `not` with a `const` or an `enum`.
    pub(crate) forbidden: Vec<Value>,
    pub(crate) number: Option<Box<NumberNode>>,
    pub(crate) text: Option<Box<TextNode>>,
    pub(crate) list: Option<Box<ListNode>>,
    pub(crate) object: Option<Box<ObjectNode>>,
    pub(crate) all_of: Vec<NodeId>,
    /// `anyOf` and `oneOf`: one choice for each.
    pub(crate) choices: Vec<Choice>,
    pub(crate) not: Option<NodeId>,
    /// Left to serde and garde if they have accepted it.
    pub(crate) opaque: bool,
    /// A number that serde rounds to an `f32`: the limits apply to the written
    /// number.
    pub(crate) single: bool,
    /// The words for a value that serde refuses and the schema admits.
    pub(crate) says: Option<String>,
    /// serde may accept here what the schema refuses, or skip what the schema
    /// knows: the quick pass must look.
    pub(crate) loose: bool,
}

impl Node {
    pub(crate) fn any() -> Self {
        Self {
            types: Types::ANY,
            admits: Types::ANY,
            allowed: None,
            also_allowed: Vec::new(),
            forbidden: Vec::new(),
            number: None,
            text: None,
            list: None,
            object: None,
            all_of: Vec::new(),
            choices: Vec::new(),
            not: None,
            opaque: false,
            single: false,
            says: None,
            loose: false,
        }
    }
}

#[derive(Debug, Default)]
pub(crate) struct NumberNode {
    pub(crate) min: Option<Number>,
    pub(crate) max: Option<Number>,
    pub(crate) above: Option<Number>,
    pub(crate) below: Option<Number>,
    pub(crate) step: Option<Number>,
}

#[derive(Debug, Default)]
pub(crate) struct TextNode {
    pub(crate) min: Option<u64>,
    pub(crate) max: Option<u64>,
    pub(crate) rules: Vec<SaidRule>,
    pub(crate) patterns: Vec<Pattern>,
}

/// A rule, with the author's words for it if there are any.
#[derive(Debug)]
pub(crate) struct SaidRule {
    pub(crate) rule: TextRule,
    pub(crate) says: String,
}

#[derive(Debug)]
pub(crate) struct Pattern {
    #[cfg(feature = "regex")]
    pub(crate) regex: regex::Regex,
    pub(crate) says: String,
}

impl Pattern {
    #[cfg(feature = "regex")]
    pub(crate) fn holds(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }

    #[cfg(not(feature = "regex"))]
    pub(crate) fn holds(&self, _: &str) -> bool {
        true
    }
}

#[derive(Debug, Default)]
pub(crate) struct ListNode {
    pub(crate) prefix: Vec<NodeId>,
    pub(crate) items: Option<NodeId>,
    pub(crate) min: Option<u64>,
    pub(crate) max: Option<u64>,
    pub(crate) unique: bool,
}

#[derive(Debug)]
pub(crate) struct ObjectNode {
    pub(crate) names: Vec<Name>,
    /// Every name and alias, sorted, with the index in `names`.
    pub(crate) lookup: Vec<(String, usize)>,
    pub(crate) rest: Rest,
    pub(crate) patterns: Vec<(Pattern, NodeId)>,
    /// The rule for every key that is not among the names.
    pub(crate) keys: Option<TextRule>,
    pub(crate) min: Option<u64>,
    pub(crate) max: Option<u64>,
}

impl ObjectNode {
    /// Returns the node of a member whose name is not among the known ones.
    pub(crate) fn node_of_other(&self, name: &str) -> Option<NodeId> {
        match (
            self.patterns.iter().find(|(of, _)| of.holds(name)),
            self.rest,
        ) {
            (Some((_, node)), _) => Some(*node),
            (None, Rest::Node(node)) => Some(node),
            (None, Rest::Any | Rest::Refused) => None,
        }
    }

    pub(crate) fn find(&self, name: &str) -> Option<usize> {
        if self.lookup.len() <= 12 {
            return self
                .lookup
                .iter()
                .find(|(known, _)| known == name)
                .map(|(_, index)| *index);
        }
        self.lookup
            .binary_search_by(|(known, _)| known.as_str().cmp(name))
            .ok()
            .and_then(|at| self.lookup.get(at))
            .map(|(_, index)| *index)
    }
}

#[derive(Debug)]
pub(crate) struct Name {
    pub(crate) name: String,
    pub(crate) node: NodeId,
    pub(crate) required: bool,
}

/// How members with unknown names are treated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rest {
    Any,
    Refused,
    Node(NodeId),
}

#[derive(Debug)]
pub(crate) struct Choice {
    pub(crate) of: Vec<Alternative>,
    /// `oneOf`
    pub(crate) exactly_one: bool,
}

#[derive(Debug)]
pub(crate) struct Alternative {
    pub(crate) node: NodeId,
    /// Filled in when all nodes exist.
    pub(crate) types: Types,
    pub(crate) marks: Vec<Mark>,
}

/// The feature by which an object alternative is recognised before it is
/// walked.
#[derive(Debug, Clone)]
pub(crate) enum Mark {
    /// A required member with one of these strings.
    Tag(String, Vec<String>),
    /// The only member, under one of these names.
    Key(Vec<String>),
    /// Required members that no other object alternative has: their names, and
    /// those with the aliases.
    Own(Vec<String>, Vec<String>),
}
