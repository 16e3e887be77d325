//! Warnings about primitives of every kind: what works, but could serve people
//! and hosts better. A kind adds its own.

use std::time::Duration;

use serde_json::Value;

use super::{CommonDefinition, WarningCode};

/// Warnings about one primitive.
pub(crate) type Found = Vec<(WarningCode, String)>;

/// Hosts prefix the server's name, and allow 60 or 64 characters in total.
const LONGEST_NAME: usize = 40;

/// How long the clients of the official SDKs wait for an answer.
const CLIENT_PATIENCE: Duration = Duration::from_secs(60);

/// Returns the warnings of a primitive with this timeout.
pub(crate) fn common_warnings(common: &CommonDefinition, timeout: Duration) -> Found {
    let mut warnings = Vec::new();
    if common.name.len() > LONGEST_NAME {
        warnings.push((WarningCode::LongName, format!(
            "its name is longer than {LONGEST_NAME} characters; hosts put the server's name in front, and some allow 60 characters in all"
        )));
    }
    let hides_something =
        |character: char| character != '\n' && crate::support::text::is_unsafe(character);
    let arguments = common.arguments.schema()["properties"].as_object();
    let arguments = arguments
        .into_iter()
        .flatten()
        .filter_map(|(name, schema)| {
            let text = schema["description"].as_str()?;
            Some((format!("the description of its argument \"{name}\""), text))
        });
    let texts = [
        (
            "its title".to_owned(),
            common.title.as_deref().unwrap_or_default(),
        ),
        ("its description".to_owned(), &common.description),
    ];
    for (what, text) in texts.into_iter().chain(arguments) {
        if text.trim().contains(hides_something) {
            warnings.push((WarningCode::HiddenCharacters, format!(
                "{what} holds invisible characters; hosts may take it for an attack, so remove them"
            )));
        }
    }
    undescribed_arguments(common.arguments.schema(), &mut warnings);
    if timeout > CLIENT_PATIENCE {
        warnings.push((WarningCode::LongTimeout,
            "its timeout is over 60 s, when most clients have given up; shorten it, or tell users to raise the client's".to_owned(),
        ));
    }
    warnings
}

fn undescribed_arguments(schema: &Value, warnings: &mut Found) {
    let undescribed: Vec<_> = schema["properties"]
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(_, schema)| !is_described(schema))
        .map(|(name, _)| format!("\"{name}\""))
        .collect();
    let text = match undescribed.as_slice() {
        [] => None,
        [name] => Some(format!(
            "its argument {name} has no description; write a doc comment on the field"
        )),
        names => Some(format!(
            "its arguments {} have no description; write doc comments on the fields",
            names.join(", ")
        )),
    };
    warnings.extend(text.map(|text| (WarningCode::UndescribedArgument, text)));
}

fn is_described(schema: &Value) -> bool {
    schema["description"]
        .as_str()
        .is_some_and(|text| !text.trim().is_empty())
        || schema.get("$ref").is_some()
}
