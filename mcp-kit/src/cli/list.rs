//! `tools`, `prompts` and `resources`: list what the server has.

use std::process::ExitCode;

use serde_json::{Map, Value};

use super::build::Failure;
use super::output::print;
use crate::primitive::Kind;
use crate::server::Server;
use crate::support::text::count;

/// Primitives that a command lists.
pub(super) struct Listed {
    kind: Kind,
    /// What one of them is called.
    noun: &'static str,
    /// Whether they are providers. What one has is listed by its handler, which does not
    /// run here.
    are_providers: bool,
}

const fn listed(kind: Kind, noun: &'static str) -> Listed {
    Listed {
        kind,
        noun,
        are_providers: false,
    }
}

pub(super) const TOOLS: &[Listed] = &[listed(Kind::Tool, "tool")];

pub(super) const PROMPTS: &[Listed] = &[listed(Kind::Prompt, "prompt")];

pub(super) const RESOURCES: &[Listed] = &[
    listed(Kind::Resource, "resource"),
    listed(Kind::ResourceTemplate, "template"),
    Listed {
        are_providers: true,
        ..listed(Kind::ResourceTemplate, "provider")
    },
];

/// Prints every primitive.
pub(super) fn list(
    server: &Server,
    all: &'static [Listed],
    as_json: bool,
) -> Result<ExitCode, Failure> {
    if as_json {
        let mut lists = Map::new();
        for listed in all.iter().filter(|listed| !listed.are_providers) {
            let kind = listed.kind;
            lists.insert(kind.plural().to_owned(), server.listed(kind));
        }
        return print(&format!("{:#}\n", Value::Object(lists)));
    }
    let (mut numbers, mut described) = (String::new(), String::new());
    for listed in all {
        let mut number = 0;
        for policy in server.policies(listed.kind) {
            if policy.is_provider() == listed.are_providers {
                number += 1;
                described.push('\n');
                policy.describe(&mut described);
            }
        }
        if numbers.is_empty() {
            numbers = count(number, listed.noun);
        } else if number > 0 {
            numbers.push_str(", ");
            numbers.push_str(&count(number, listed.noun));
        }
    }
    let (name, version) = (server.name(), server.version());
    print(&format!("{name} {version}: {numbers}\n{described}"))
}
