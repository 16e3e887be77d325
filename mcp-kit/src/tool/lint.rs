//! Finds the warnings that only tools have: what works, but could serve models
//! and hosts better. What cannot work is an error of `build()`. Warnings that
//! every kind has are in `primitive::lint`, those about all primitives together
//! in `registry::lint`.

use std::time::Duration;

use crate::primitive::{Annotations, Found, ToolDefinition, WarningCode, common_warnings};
use crate::schema::{Obstacle, obstacles};
use crate::support::json::Members as _;

/// A shorter description, in characters, hardly explains when to use a tool.
const SHORTEST_DESCRIPTION: usize = 12;

/// Several hosts cut longer descriptions.
const LONGEST_DESCRIPTION: usize = 1_024;

/// The most places of one kind that are named in one warning.
const MOST_PLACES: usize = 5;

/// Returns the warnings of a tool with these hints and this timeout.
pub(super) fn warnings(
    definition: &ToolDefinition,
    hints: &Annotations,
    timeout: Duration,
) -> Found {
    let mut warnings = common_warnings(&definition.common, timeout);
    if definition.name().contains('.') {
        warnings.push((
            WarningCode::DottedName,
            "its name has a dot, which some models' APIs refuse; use _ or -".to_owned(),
        ));
    }
    description_warnings(definition, &mut warnings);
    hint_warnings(hints, &mut warnings);
    let obstacles = obstacles(definition.input_schema(), true);
    warnings.extend(schema_warnings(&obstacles, "argument"));
    result_warnings(definition, &mut warnings);
    warnings
}

fn description_warnings(definition: &ToolDefinition, warnings: &mut Found) {
    let description = definition.description().trim();
    let length = description.chars().count();
    if length < SHORTEST_DESCRIPTION {
        warnings.push((WarningCode::ShortDescription,
            "its description is too short for a model to know when to use it; say what it does and what comes back".to_owned(),
        ));
    } else if length > LONGEST_DESCRIPTION {
        warnings.push((WarningCode::LongDescription, format!(
            "its description is longer than {LONGEST_DESCRIPTION} characters; some hosts cut it there"
        )));
    }
}

fn hint_warnings(hints: &Annotations, warnings: &mut Found) {
    if hints.read_only == Some(true) {
        if hints.destructive == Some(true) {
            warnings.push((
                WarningCode::ContradictoryHints,
                "it is declared both read_only and destructive; remove one of them".to_owned(),
            ));
        }
    } else if hints.destructive.is_none() {
        warnings.push((WarningCode::MissingEffectHint,
            "it is declared neither read_only nor destructive, so clients assume that it is destructive and may ask their user before each call; write read_only, destructive or destructive = false".to_owned(),
        ));
    }
    if hints.open_world.is_none() {
        warnings.push((WarningCode::MissingOpenWorldHint,
            "it is not declared open_world, so clients assume that it reaches other systems; write open_world = false if it does not, or .default_hints(…) for all tools".to_owned(),
        ));
    }
}

fn result_warnings(definition: &ToolDefinition, warnings: &mut Found) {
    let Some(schema) = definition.output_schema() else {
        return;
    };
    if schema.at("type") != "object" {
        warnings.push((WarningCode::ResultWithoutObject,
            "its result is not an object, so clients of versions before 2026-07-28 get neither output schema nor structured content; return a struct that holds it".to_owned(),
        ));
    }
    warnings.extend(schema_warnings(&obstacles(schema, false), "result"));
}

/// Returns what some hosts refuse, and which hosts.
fn schema_warnings(obstacles: &[Obstacle], what: &str) -> Found {
    let mut found: Found = Vec::new();
    let places = |of: fn(&Obstacle) -> Option<&String>| -> Option<String> {
        let all: Vec<&String> = obstacles.iter().filter_map(of).collect();
        let named = all.iter().take(MOST_PLACES);
        let mut text = named
            .map(|place| format!("\"{place}\""))
            .collect::<Vec<_>>()
            .join(", ");
        match all.len() {
            0 => return None,
            count if count > MOST_PLACES => {
                text.push_str(&format!(" and {} more", count - MOST_PLACES));
            }
            _ => {}
        }
        Some(text)
    };
    for obstacle in obstacles {
        if let Obstacle::Root(keyword) = obstacle {
            found.push((WarningCode::RootChoice, format!(
                "its arguments have `{keyword}` at the root, for which Anthropic's and OpenAI's APIs refuse the whole request and Claude Code drops the tool; put the choice into a field of a struct"
            )));
        }
    }
    let mut push = |code: WarningCode, places: Option<String>, text: &str| {
        found.extend(places.map(|places| (code, format!("its {what} {places} {text}"))));
    };
    push(
        WarningCode::ArgumentName,
        places(|of| match of {
            Obstacle::Name(place) => Some(place),
            _ => None,
        }),
        "has a name outside ^[A-Za-z0-9_.-]{1,64}$, for which Anthropic's API, and so Claude, refuses the request; rename it with #[serde(rename = \"…\")]",
    );
    push(
        WarningCode::MixedTuple,
        places(|of| match of {
            Obstacle::MixedTuple(place) => Some(place),
            _ => None,
        }),
        "is a tuple of different types, which Gemini's API and OpenAI's strict mode refuse; use a struct with named fields",
    );
    push(
        WarningCode::UniqueItems,
        places(|of| match of {
            Obstacle::UniqueItems(place) => Some(place),
            _ => None,
        }),
        "is a set (`uniqueItems`), which Gemini's API and OpenAI's strict mode refuse; use a list",
    );
    push(
        WarningCode::LargeNumber,
        places(|of| match of {
            Obstacle::LargeNumber(place) => Some(place),
            _ => None,
        }),
        "lists a number outside ±(2^53-1), for which Anthropic's, Bedrock's and OpenAI's APIs refuse the request; use a text",
    );
    found
}
