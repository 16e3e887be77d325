//! The names of arguments: those that a log line may show, which are the ones
//! that the tool knows, and those that a list of a prompt's arguments shows.

use std::fmt;

use super::CompiledArgs;
use super::shape::Shape;
use crate::support::json::Members as _;

/// The names of the known arguments in a call, in the schema's spelling. Names
/// that the client made up are only counted.
///
/// `Display` writes `query,maxResults` and, if there are unknown ones, ` (+2
/// unknown)`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ArgumentNames<'a> {
    /// Known arguments, in the order of the call.
    pub known: Vec<&'a str>,
    /// The number of other arguments in the call.
    pub unknown: usize,
}

impl fmt::Display for ArgumentNames<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, name) in self.known.iter().enumerate() {
            if index > 0 {
                f.write_str(",")?;
            }
            f.write_str(name)?;
        }
        match self.unknown {
            0 => Ok(()),
            count if self.known.is_empty() => write!(f, "({count} unknown)"),
            count => write!(f, " (+{count} unknown)"),
        }
    }
}

/// A flattened struct is inside another one at most this deep; types that
/// flatten themselves would never end.
const DEEPEST: u32 = 16;

impl CompiledArgs {
    /// Returns the names of the arguments that the published schema has: in the
    /// order in which the argument struct declares them, and otherwise in the
    /// schema's.
    ///
    /// The published schema sorts its members by name, but hosts assign
    /// arguments that a person types by their position.
    pub(crate) fn declared_names(&self) -> Vec<&str> {
        let Some(properties) = self.schema().at("properties").as_object() else {
            return Vec::new();
        };
        let mut names = Vec::new();
        if let Some(shape) = self.shape() {
            collect(shape, DEEPEST, &mut names);
        }
        names.retain(|name| properties.contains_key(*name));
        for name in properties.names() {
            if !names.contains(&name.as_str()) {
                names.push(name);
            }
        }
        names
    }
}

fn collect(shape: &'static Shape, depth: u32, names: &mut Vec<&str>) {
    let Some(depth) = depth.checked_sub(1) else {
        return;
    };
    let fields = match shape {
        Shape::Struct(of) => of.fields,
        Shape::Newtype(field) => return collect((field.shape)(), depth, names),
        Shape::Same(inner) | Shape::Optional(inner) | Shape::Said(_, inner) => {
            return collect(inner(), depth, names);
        }
        _ => return,
    };
    for field in fields.iter().filter(|field| !field.skipped) {
        if field.flatten {
            collect((field.shape)(), depth, names);
        } else if !names.contains(&field.wire) {
            names.push(field.wire);
        }
    }
}
