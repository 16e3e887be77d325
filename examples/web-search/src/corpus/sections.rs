//! Cuts a document into sections, so that a hit leads to the paragraph that
//! matters and not to the top of a long page.

use std::collections::HashSet;

use super::Document;

/// A part of a document, under one heading.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Section {
    /// `corpus:guide.md#limits`; the first section has the document's own URL.
    pub(super) url: String,
    /// The document's title, and after it the headings that lead here:
    /// `Guide › Limits › Rates`.
    pub(super) title: String,
    /// The depth of the heading; 0 for the first section, since its URL is that
    /// of the whole document.
    pub(super) level: u8,
    /// The section's own heading; empty if there is none.
    pub(super) heading: String,
    /// The heading's line as it is in the file.
    pub(super) line: String,
    /// The text below the heading, up to the next heading of any level.
    pub(super) body: String,
    /// A heading with nothing but deeper headings below it: no hit of its own,
    /// since its words are in the titles of what follows.
    pub(super) only_sections: bool,
}

/// The URL of a whole document.
pub(super) fn document_url(path: &str) -> String {
    format!("corpus:{}", percent_encoded(path))
}

/// All sections of a document, in order. At least one.
pub(super) fn of(document: &Document) -> Vec<Section> {
    let parts = if is_markdown(&document.path) {
        parts_of_markdown(&document.text)
    } else {
        vec![Part::new(Heading::none(), document.text.clone())]
    };
    let page = document_url(&document.path);
    let page_title = parts
        .iter()
        .map(|part| &part.heading)
        .find(|heading| heading.level == 1)
        .map_or(document.path.as_str(), |heading| heading.text.as_str());
    let mut anchors = HashSet::new();
    let mut path: Vec<&Heading> = Vec::new();
    let mut sections = Vec::with_capacity(parts.len());
    for (number, part) in parts.iter().enumerate() {
        let heading = &part.heading;
        path.retain(|above| above.level < heading.level);
        path.push(heading);
        let anchor = free_anchor(&heading.text, &mut anchors);
        let next = parts.get(number + 1);
        sections.push(Section {
            url: match number {
                0 => page.clone(),
                _ => format!("{page}#{}", percent_encoded(&anchor)),
            },
            title: title(page_title, &path),
            level: if number == 0 { 0 } else { heading.level },
            heading: heading.text.clone(),
            line: heading.line.clone(),
            body: part.body.clone(),
            only_sections: part.body.trim().is_empty()
                && next.is_some_and(|next| next.heading.level > heading.level),
        });
    }
    sections
}

/// The page's title, then the headings that do not repeat it.
fn title(page_title: &str, path: &[&Heading]) -> String {
    let mut title = page_title.to_owned();
    for heading in path {
        if heading.text != page_title && !heading.text.is_empty() {
            title.push_str(" › ");
            title.push_str(&heading.text);
        }
    }
    title
}

struct Part {
    heading: Heading,
    body: String,
}

impl Part {
    fn new(heading: Heading, body: String) -> Self {
        Self { heading, body }
    }
}

struct Heading {
    level: u8,
    line: String,
    text: String,
}

impl Heading {
    /// The heading for the text before the first heading.
    fn none() -> Self {
        Self {
            level: 0,
            line: String::new(),
            text: String::new(),
        }
    }
}

fn is_markdown(path: &str) -> bool {
    path.rsplit_once('.')
        .is_some_and(|(_, extension)| extension.eq_ignore_ascii_case("md"))
}

/// Splits at `#` headings. A `#` inside a fenced code block is code.
fn parts_of_markdown(text: &str) -> Vec<Part> {
    let mut parts = vec![Part::new(Heading::none(), String::new())];
    let mut fence: Option<&str> = None;
    for line in text.lines() {
        let marker = fence_marker(line);
        match fence {
            // A fence is closed by one of the same kind, at least as long, with
            // nothing behind it.
            Some(open) => {
                if marker.is_some_and(|close| close.starts_with(open) && line.trim() == close) {
                    fence = None;
                }
            }
            None => {
                fence = marker;
                if let Some(heading) = heading(line) {
                    parts.push(Part::new(heading, String::new()));
                    continue;
                }
            }
        }
        if let Some(part) = parts.last_mut() {
            part.body.push_str(line);
            part.body.push('\n');
        }
    }
    // The text before the first heading counts only if it is not blank.
    if parts.len() > 1 && parts[0].body.trim().is_empty() {
        parts.remove(0);
    }
    parts
}

/// The backticks or tildes that open or close a code block.
fn fence_marker(line: &str) -> Option<&str> {
    let line = line.trim_start();
    let mark = line.chars().next().filter(|c| matches!(c, '`' | '~'))?;
    let length = line.chars().take_while(|&c| c == mark).count();
    (length >= 3).then(|| &line[..length])
}

fn heading(line: &str) -> Option<Heading> {
    let text = line.trim_start_matches(' ');
    if line.len() - text.len() > 3 {
        return None;
    }
    let rest = text.trim_start_matches('#');
    let level = u8::try_from(text.len() - rest.len()).ok()?;
    if !(1..=6).contains(&level) || !(rest.is_empty() || rest.starts_with([' ', '\t'])) {
        return None;
    }
    Some(Heading {
        level,
        line: line.to_owned(),
        text: rest.trim().trim_end_matches('#').trim_end().to_owned(),
    })
}

/// A heading as an anchor, in the way that code hosts do it; the second of the
/// same name gets `-1`.
fn free_anchor(heading: &str, used: &mut HashSet<String>) -> String {
    let anchor: String = heading
        .to_lowercase()
        .chars()
        .filter_map(|c| match c {
            ' ' => Some('-'),
            '-' | '_' => Some(c),
            c => c.is_alphanumeric().then_some(c),
        })
        .collect();
    let mut free = anchor.clone();
    let mut number = 0;
    while !used.insert(free.clone()) {
        number += 1;
        free = format!("{anchor}-{number}");
    }
    free
}

fn percent_encoded(path: &str) -> String {
    let mut encoded = String::with_capacity(path.len());
    for &byte in path.as_bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sections(path: &str, text: &str) -> Vec<Section> {
        of(&Document {
            path: path.to_owned(),
            text: text.to_owned(),
        })
    }

    fn urls_and_titles(path: &str, text: &str) -> Vec<(String, String)> {
        let pair = |section: Section| (section.url, section.title);
        sections(path, text).into_iter().map(pair).collect()
    }

    fn pair(url: &str, title: &str) -> (String, String) {
        (url.to_owned(), title.to_owned())
    }

    #[test]
    fn each_heading_is_a_section_with_its_own_url() {
        let text =
            "# Guide\nHello.\n\n## Rate limits ##\n### Five a second\nYes.\n## Rate limits\nSix.\n";
        assert_eq!(
            urls_and_titles("docs/my guide.md", text),
            [
                pair("corpus:docs/my%20guide.md", "Guide"),
                pair(
                    "corpus:docs/my%20guide.md#rate-limits",
                    "Guide › Rate limits"
                ),
                pair(
                    "corpus:docs/my%20guide.md#five-a-second",
                    "Guide › Rate limits › Five a second"
                ),
                pair(
                    "corpus:docs/my%20guide.md#rate-limits-1",
                    "Guide › Rate limits"
                ),
            ]
        );
        let sections = sections("a.md", text);
        assert_eq!(sections[2].body, "Yes.\n");
        assert_eq!(sections[1].line, "## Rate limits ##");
        let containers: Vec<bool> = sections.iter().map(|part| part.only_sections).collect();
        assert_eq!(containers, [false, true, false, false]);
    }

    #[test]
    fn code_is_not_a_heading() {
        let text = "# A\n````sh\n# one\n```\n# two\n````\n    # three\n#four\n## B\n";
        assert_eq!(
            urls_and_titles("a.md", text),
            [pair("corpus:a.md", "A"), pair("corpus:a.md#b", "A › B")]
        );
    }

    #[test]
    fn text_before_the_first_heading_is_kept() {
        assert_eq!(
            urls_and_titles("a.md", "Intro.\n# A\n"),
            [pair("corpus:a.md", "A"), pair("corpus:a.md#a", "A")]
        );
    }

    #[test]
    fn plain_text_and_empty_files_are_one_section() {
        assert_eq!(
            urls_and_titles("notes.txt", "# no heading\n"),
            [pair("corpus:notes.txt", "notes.txt")]
        );
        assert_eq!(
            urls_and_titles("empty.MD", ""),
            [pair("corpus:empty.MD", "empty.MD")]
        );
    }

    #[test]
    fn headings_in_other_scripts_have_anchors_too() {
        let urls = urls_and_titles("a.md", "# 🦀\n## 限制\n## 🦀🦀\n");
        assert_eq!(urls[1].0, "corpus:a.md#%E9%99%90%E5%88%B6");
        assert_ne!(urls[2].0, urls[0].0);
    }
}
