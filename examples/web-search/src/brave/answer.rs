//! Brave's answer: the few fields that are used, and their text without markup.

use serde::Deserialize;

use crate::{SearchError, SearchHit};

/// The hits in the body of a successful answer.
pub(super) fn hits(body: &[u8], limit: usize) -> Result<Vec<SearchHit>, SearchError> {
    // serde's message quotes the body, so it is dropped here.
    let answer: Answer = serde_json::from_slice(body).map_err(|_| SearchError::BadAnswer {
        reason: "it is not the documented JSON",
    })?;
    let results = answer.web.map(|web| web.results).unwrap_or_default();
    Ok(results.into_iter().take(limit).map(hit).collect())
}

/// Whether the body of an error answer says that the key is the problem.
pub(super) fn refuses_the_key(body: &[u8]) -> bool {
    serde_json::from_slice(body)
        .is_ok_and(|refusal: Refusal| refusal.error.code.starts_with("SUBSCRIPTION_TOKEN_"))
}

#[derive(Deserialize)]
struct Refusal {
    error: Reason,
}

#[derive(Deserialize)]
struct Reason {
    code: String,
}

/// Brave leaves `web` out when nothing was found.
#[derive(Deserialize)]
struct Answer {
    web: Option<Web>,
}

#[derive(Deserialize)]
struct Web {
    #[serde(default)]
    results: Vec<Page>,
}

#[derive(Deserialize)]
struct Page {
    title: String,
    url: String,
    description: Option<String>,
    page_age: Option<String>,
}

fn hit(page: Page) -> SearchHit {
    let snippet = plain(page.description.as_deref().unwrap_or_default());
    SearchHit {
        published: page.page_age,
        ..SearchHit::new(&plain(&page.title), page.url, &snippet)
    }
}

/// HTML as plain text: tags removed, then entities decoded (in this order, so
/// that an escaped `&lt;b&gt;` stays the text that its author wrote).
fn plain(html: &str) -> String {
    let mut text = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(at) = rest.find(['<', '&']) {
        text.push_str(&rest[..at]);
        rest = &rest[at..];
        let (replacement, used) = tag(rest).or_else(|| entity(rest)).unwrap_or_else(|| {
            // A lone `<` or `&` is text.
            let c = if rest.starts_with('<') { '<' } else { '&' };
            (Some(c), 1)
        });
        text.extend(replacement);
        rest = &rest[used..];
    }
    text.push_str(rest);
    text
}

/// The length of the tag at the start of `html`; a tag leaves nothing behind.
fn tag(html: &str) -> Option<(Option<char>, usize)> {
    let name = html.strip_prefix('<')?;
    let name = name.strip_prefix('/').unwrap_or(name);
    if !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return None;
    }
    Some((None, html.find('>')? + 1))
}

/// The character that the entity at the start of `html` encodes.
fn entity(html: &str) -> Option<(Option<char>, usize)> {
    // The longest name is that of a code point: `#x10FFFF`.
    let end = html.bytes().take(10).position(|byte| byte == b';')?;
    let character = match html.get(1..end)? {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => ' ',
        name => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code).filter(|c| !c.is_control())?
        }
    };
    Some((Some(character), end + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_becomes_plain_text() {
        for (html, text) in [
            ("the <strong>Rust</strong> book", "the Rust book"),
            (
                "AT&amp;T &quot;x&quot; it&#x27;s &#8364;5",
                "AT&T \"x\" it's €5",
            ),
            ("write &lt;b&gt; for bold", "write <b> for bold"),
            ("a < b && c > d", "a < b && c > d"),
            ("1 <2", "1 <2"),
            ("cut <stro", "cut <stro"),
            ("cut &am", "cut &am"),
            ("&unknown; &#0; &#xD800; &;", "&unknown; &#0; &#xD800; &;"),
            ("é<b>ü</b>🦀&é;", "éü🦀&é;"),
            ("&amp;lt;", "&lt;"),
        ] {
            assert_eq!(plain(html), text);
        }
    }

    #[test]
    fn an_answer_without_web_results_is_an_empty_list() {
        for body in ["{}", r#"{"web":null}"#, r#"{"web":{}}"#] {
            assert_eq!(hits(body.as_bytes(), 5).expect(body), []);
        }
    }

    #[test]
    fn an_answer_of_another_shape_is_not_quoted() {
        for body in ["<html>secret", r#"{"web":"secret"}"#, ""] {
            let error = hits(body.as_bytes(), 5).expect_err(body);
            assert!(!format!("{error} {error:?}").contains("secret"));
        }
    }
}
