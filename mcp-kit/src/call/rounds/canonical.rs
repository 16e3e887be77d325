//! Digests of JSON: the same for two texts of one value.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest::{Context, SHA256};
use serde_json::Value;

/// A SHA-256 digest.
pub(super) type Digest = [u8; 32];

/// Returns the digest of texts, each with its length, so that none can reach into
/// the next.
pub(super) fn digest_of<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Digest {
    let mut context = Context::new(&SHA256);
    for part in parts {
        add(&mut context, part);
    }
    bytes(context)
}

/// Returns the digest of a JSON text. A client that calls again may write its
/// arguments with other spaces and in another order.
pub(super) fn digest_of_json(text: &str) -> Digest {
    let mut context = Context::new(&SHA256);
    match serde_json::from_str(text) {
        Ok(value) => add_value(&mut context, &value),
        Err(_) => add(&mut context, text.as_bytes()),
    }
    bytes(context)
}

/// Returns the first 96 bits as text.
pub(super) fn short(digest: &Digest) -> String {
    URL_SAFE_NO_PAD.encode(&digest[..12])
}

fn add_value(context: &mut Context, value: &Value) {
    match value {
        Value::Array(items) => {
            context.update(b"[");
            for item in items {
                add_value(context, item);
            }
            context.update(b"]");
        }
        Value::Object(members) => {
            // In order, whatever the map's own order is.
            let mut members: Vec<_> = members.iter().collect();
            members.sort_unstable_by_key(|(name, _)| *name);
            context.update(b"{");
            for (name, value) in members {
                add(context, name.as_bytes());
                add_value(context, value);
            }
            context.update(b"}");
        }
        Value::String(text) => {
            context.update(b"\"");
            add(context, text.as_bytes());
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {
            context.update(b"=");
            add(context, value.to_string().as_bytes());
        }
    }
}

fn add(context: &mut Context, part: &[u8]) {
    context.update(&(part.len() as u64).to_le_bytes());
    context.update(part);
}

fn bytes(context: Context) -> Digest {
    let mut digest = Digest::default();
    digest.copy_from_slice(context.finish().as_ref());
    digest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_texts_of_one_value_have_one_digest() {
        for (one, other) in [
            (
                r#"{"a":1,"b":[true,null]}"#,
                r#" { "b" : [true, null], "a" : 1 } "#,
            ),
            (r#"{"a":"é"}"#, r#"{"a":"\u00e9"}"#),
            ("{}", "{ }"),
        ] {
            assert_eq!(digest_of_json(one), digest_of_json(other), "{one}");
        }
    }

    #[test]
    fn other_values_have_other_digests() {
        let texts = [
            r#"{"a":1}"#,
            r#"{"a":"1"}"#,
            r#"{"a":[1]}"#,
            r#"{"a":[[1]]}"#,
            r#"{"a":{"1":1}}"#,
            r#"{"a":1,"b":1}"#,
            r#"{"a1":1}"#,
            r#"{"a":true}"#,
            r#"{"a":"true"}"#,
            r#"{"a":null}"#,
            r#"{"a":["x","y"]}"#,
            r#"{"a":["xy"]}"#,
            "{}",
            "[]",
        ];
        let digests: std::collections::BTreeSet<_> =
            texts.iter().map(|text| digest_of_json(text)).collect();
        assert_eq!(digests.len(), texts.len());
        assert_ne!(digest_of([&b"ab"[..], b"c"]), digest_of([&b"a"[..], b"bc"]));
    }
}
