//! Shows the content of results: text as it is, and one line for everything else.

use serde_json::Value;

use crate::support::json::Members as _;
use crate::support::text::size;

/// Returns a content block for people.
pub(crate) fn block(block: &Value) -> String {
    match block.at("type").as_str().unwrap_or_default() {
        "text" => block.at("text").as_str().unwrap_or_default().to_owned(),
        "image" | "audio" => format!("[{}]", media(block, "data")),
        "resource_link" => link(block),
        "resource" => {
            let resource = block.at("resource");
            let uri = resource.at("uri").as_str().unwrap_or_default();
            match resource.at("text").as_str() {
                Some(text) => match resource.at("mimeType").as_str() {
                    Some(mime_type) => format!("[{uri}, {mime_type}]\n{text}"),
                    None => format!("[{uri}]\n{text}"),
                },
                None => format!("[{uri}, {}]", media(resource, "blob")),
            }
        }
        kind => format!("[{kind}]"),
    }
}

/// Returns the contents of a resource for people.
pub(crate) fn contents(contents: &Value) -> String {
    match contents.at("text").as_str() {
        Some(text) => text.to_owned(),
        None => format!("[{}]", media(contents, "blob")),
    }
}

/// Formats "image/png, 68 bytes".
fn media(contents: &Value, member: &str) -> String {
    let mime_type = contents.at("mimeType").as_str().unwrap_or("bytes");
    let base64 = contents.at(member).as_str().unwrap_or_default();
    format!("{mime_type}, {}", size(decoded_size(base64)))
}

/// Returns how many bytes a text in base64 stands for.
fn decoded_size(base64: &str) -> usize {
    base64.trim_end_matches('=').len() * 3 / 4
}

/// Formats "[link to docs://index – Index (text/markdown, 2 KiB)]".
fn link(link: &Value) -> String {
    let text = |member: &str| link.at(member).as_str().map(str::to_owned);
    let uri = text("uri").unwrap_or_default();
    let name = text("title").or(text("name")).unwrap_or_default();
    let bytes = link
        .at("size")
        .as_u64()
        .and_then(|bytes| bytes.try_into().ok());
    let facts: Vec<_> = [text("mimeType"), bytes.map(size)]
        .into_iter()
        .flatten()
        .collect();
    if facts.is_empty() {
        return format!("[link to {uri} – {name}]");
    }
    format!("[link to {uri} – {name} ({})]", facts.join(", "))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::block as shown;
    use crate::content::{Audio, Content, EmbeddedResource, Image, ResourceLink};

    #[test]
    fn blocks_that_are_not_text_have_one_line() {
        let link = ResourceLink::new("docs://index", "index").with_mime_type("text/markdown");
        let blocks: [(Content, &str); 7] = [
            (Content::text("a\nb"), "a\nb"),
            (
                Image::new([0; 68], "image/png").into(),
                "[image/png, 68 bytes]",
            ),
            (
                Audio::new([0; 1], "audio/wav").into(),
                "[audio/wav, 1 byte]",
            ),
            (
                link.with_size(2_048).into(),
                "[link to docs://index – index (text/markdown, 2 KiB)]",
            ),
            (
                ResourceLink::new("docs://a", "a").with_title("A").into(),
                "[link to docs://a – A]",
            ),
            (
                EmbeddedResource::from_text("docs://b", "text").into(),
                "[docs://b]\ntext",
            ),
            (
                EmbeddedResource::from_bytes("docs://c", [0; 1_500]).into(),
                "[docs://c, bytes, 1.5 KiB]",
            ),
        ];
        for (block, expected) in blocks {
            let block = serde_json::to_value(block).unwrap_or_default();
            assert_eq!(shown(&block), expected);
        }
        assert_eq!(shown(&json!({"type": "video"})), "[video]");
    }
}
