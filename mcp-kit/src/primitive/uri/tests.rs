//! Templates of URIs: reading, matching, expanding and comparing them.

use super::compare::Relation;
use super::*;

fn template(text: &str) -> UriTemplate {
    UriTemplate::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn values(of: &str, uri: &str) -> Option<Vec<(String, String)>> {
    template(of).values(uri)
}

/// The values without their names.
fn texts(of: &str, uri: &str) -> Option<Vec<String>> {
    let values = values(of, uri)?.into_iter();
    Some(values.map(|(_, value)| value).collect())
}

#[test]
fn templates_match_whole_uris_and_decode_values_once() {
    let cases: &[(&str, &str, Option<&[&str]>)] = &[
        ("docs://index", "docs://index", Some(&[])),
        ("docs://index", "docs://index/", None),
        ("docs://{page}", "docs://intro", Some(&["intro"])),
        ("docs://{page}", "DOCS://intro", Some(&["intro"])),
        ("docs://{page}", "docs://", None),
        ("docs://{page}", "docs://a/b", None),
        ("docs://{page}", "docs://a?b", None),
        ("docs://{page}", "docs://a%2Fb", Some(&["a/b"])),
        ("docs://{page}", "docs://a%252Fb", Some(&["a%2Fb"])),
        ("docs://{page}", "docs://%FF", None),
        ("docs://{page}", "docs://%", None),
        ("docs://{page}", "docs://%4", None),
        ("docs://{page}", "docs://日本", Some(&["日本"])),
        ("docs://{page}", "docs://%E6%97%A5", Some(&["日"])),
        ("docs://{page}", "docs://a b", None),
        ("docs://{page}", "docs://a\nb", None),
        ("docs://{page}", "docs://{page}", None),
        ("note://{owner}/{id}", "note://bob/7", Some(&["bob", "7"])),
        ("note://{owner}/{id}", "note://bob/7/8", None),
        ("note://{owner}/{id}", "note:///7", None),
        (
            "note://{owner}/{id}/raw",
            "note://bob/7/raw",
            Some(&["bob", "7"]),
        ),
        ("x://{a}-{b}", "x://1-2-3", Some(&["1", "2-3"])),
        ("x://{a}-{b}-end", "x://1-2-end-end", Some(&["1", "2-end"])),
        ("x://{a}-end", "x://-end-end", Some(&["-end"])),
        ("x://{a}2{b}", "x://%252x", Some(&["%", "x"])),
        ("file://{+path}", "file://a/b?c#d", Some(&["a/b?c#d"])),
        (
            "file://{+path}",
            "file://..%2F..%2Fetc/passwd",
            Some(&["../../etc/passwd"]),
        ),
        ("file://{+path}/{name}", "file://a/b/c", Some(&["a/b", "c"])),
        ("file://{root}/{+path}", "file://a/b/c", Some(&["a", "b/c"])),
        ("x://{+a}-{b}", "x://x-y/z-w", Some(&["x-y/z", "w"])),
        (
            "x://{a}/{+b}/{c}.{d}",
            "x://1/2/3/4.5.6",
            Some(&["1", "2/3", "4.5", "6"]),
        ),
        ("x://{a}/{+b}/{c}", "x://1/2", None),
        ("docs://{+path}{?v}", "docs://a/b", Some(&["a/b"])),
        (
            "docs://{+path}{?v}",
            "docs://a/b?v=1%262",
            Some(&["a/b", "1&2"]),
        ),
        ("docs://{+path}{?v}", "docs://a?v=1?2", Some(&["a", "1?2"])),
        ("docs://{+path}{?v}", "docs://a?v=1#f", None),
        ("docs://x{?v,w}", "docs://x?w&v=", Some(&["", ""])),
        ("docs://x{?v,w}", "docs://x?", Some(&[])),
        ("docs://x{?v,w}", "docs://x?&&other=1", Some(&["1"])),
        ("docs://x?id={id}", "docs://x?id=5", Some(&["5"])),
    ];
    for (template, uri, expected) in cases {
        let expected = expected.map(|texts| texts.iter().map(ToString::to_string).collect());
        assert_eq!(texts(template, uri), expected, "{template} {uri}");
    }
    let pairs = values("docs://{page}{?v}", "docs://a?w=1&v=2").unwrap();
    let names: Vec<_> = pairs.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["page", "w", "v"]);
}

#[test]
fn a_uri_is_found_by_its_normal_form() {
    let normal = |uri: &str| normalised(uri).map(|uri| uri.into_owned());
    assert_eq!(
        normal("HTTP://a%2f%7e%41/B").as_deref(),
        Ok("http://a%2F~A/B")
    );
    assert_eq!(normal("a:é").as_deref(), Ok("a:%C3%A9"));
    assert_eq!(normal("a:/../b").as_deref(), Ok("a:/../b"));
    assert_eq!(normal("no-scheme"), Err(UriProblem::NoScheme));
    assert_eq!(normal("1a:b"), Err(UriProblem::NoScheme));
    assert_eq!(normal(":b"), Err(UriProblem::NoScheme));
    assert_eq!(normal("a:%zz"), Err(UriProblem::Percent));
    assert_eq!(normal("a:\u{7}"), Err(UriProblem::Character));
    assert!(normal(&format!("a:{}", "b".repeat(LONGEST - 2))).is_ok());
    assert_eq!(
        normal(&format!("a:{}", "b".repeat(LONGEST - 1))),
        Err(UriProblem::TooLong)
    );
}

#[test]
fn a_template_with_a_mistake_is_refused_with_the_fix() {
    let cases = [
        ("", "begin with a scheme"),
        ("page", "begin with a scheme"),
        ("{scheme}://x", "begin with a scheme"),
        ("Docs://x", "lower case: docs"),
        ("docs://{page", "no closing brace"),
        ("docs://page}", "without an opening one"),
        ("docs://{}", "has no name"),
        ("docs://{a b}", "not a variable's name"),
        ("docs://{a,b}", "several variables"),
        ("docs://{+a,b}", "several variables"),
        ("docs://{a:3}", "modifier"),
        ("docs://{a*}", "modifier"),
        ("docs://{#a}", "not supported"),
        ("docs://{&a}", "not supported"),
        ("docs://{a}{b}", "need text between them"),
        ("docs://{+a}/{+b}", "at most one {+…}"),
        ("docs://{a}/{a}", "appears twice"),
        ("docs://{a}{?a}", "appears twice"),
        ("docs://x{?a}/y", "at the end"),
        ("docs://x{?a}{?b}", "at the end"),
        ("docs://x?y=1{?a}", "no other \"?\""),
        ("docs://{?}", "not a variable's name"),
        ("docs://a b/{x}", "cannot contain"),
        ("docs://日本/{x}", "normal form: docs://%E6"),
        ("docs://%61/{x}", "normal form: docs://a"),
        ("docs://%6", "hexadecimal"),
    ];
    for (text, expected) in cases {
        let error = UriTemplate::parse(text).unwrap_err().to_string();
        assert!(error.contains(expected), "{text}: {error}");
    }
    let many: String = (0..33).map(|n| format!("/{{v{n}}}")).collect();
    let error = UriTemplate::parse(&format!("x:{many}")).unwrap_err();
    assert!(error.to_string().contains("at most 32 variables"));
}

#[test]
fn expanding_needs_every_variable_of_the_path() {
    let note = template("note://{owner}/{id}{?raw}");
    assert_eq!(
        note.expand([("owner", "a/b"), ("id", "%41?")]).as_deref(),
        Ok("note://a%2Fb/%2541%3F")
    );
    let error =
        |values: &[(&str, &str)]| note.expand(values.iter().copied()).unwrap_err().to_string();
    assert_eq!(error(&[("owner", "a")]), "\"id\" has no value");
    assert_eq!(
        error(&[("owner", ""), ("id", "1")]),
        "\"owner\" has no value"
    );
    assert_eq!(
        error(&[("owner", "a"), ("id", "1"), ("x", "")]),
        "the template has no variable \"x\""
    );
    assert!(error(&[("owner", "a"), ("id", &"é".repeat(400))]).contains("longer than"));
}

#[test]
fn the_more_specific_template_has_fewer_uris() {
    use Relation::{Ambiguous, Disjoint, First, Second};
    let cases = [
        ("a://{x}", "b://{x}", Disjoint),
        ("a://{x}", "a://{x}/{y}", Disjoint),
        ("a://{x}", "a://{y}", Ambiguous),
        ("a://{x}", "a://{+y}", First),
        ("a://{x}/{y}", "a://{+z}", First),
        ("a://fixed/{y}", "a://{x}/{y}", First),
        ("a://{x}/b", "a://a/{y}", Ambiguous),
        ("a://{x}/b", "a://a/{y}/c", Disjoint),
        ("a://{x}.md", "a://{x}", First),
        ("a://{x}.md", "a://{x}.txt", Disjoint),
        ("a://{x}.md", "a://read{x}", Ambiguous),
        ("a://{x}-{y}", "a://{x}", First),
        ("a://{x}-{y}", "a://{x}-b", Second),
        ("a://{+x}/{y}", "a://{x}/{+y}", Ambiguous),
        ("a://{+x}/end", "a://{+x}", First),
        ("a://{x}{?q}", "a://{x}", Second),
        ("a://{x}{?q}", "a://{x}{?r}", Ambiguous),
        ("a://{+x}{?q}", "a://{+x}", First),
        ("a://{x}{?q}", "a://{+x}", First),
        ("a://x?{q}", "a://x{?q}", First),
        ("a://x%2F{q}", "a://{q}", First),
    ];
    for (one, other, expected) in cases {
        let (one, other) = (template(one), template(other));
        assert_eq!(one.relation(&other), expected, "{one} {other}");
        let mirrored = match expected {
            First => Second,
            Second => First,
            same => same,
        };
        assert_eq!(other.relation(&one), mirrored, "{other} {one}");
    }
}

/// The same numbers in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % 1_000_003).unwrap() % limit
    }

    fn one_of<'a>(&mut self, all: &[&'a str]) -> &'a str {
        all[self.below(all.len())]
    }

    fn text(&mut self, letters: &[&str], most: usize) -> String {
        (0..=self.below(most))
            .map(|_| self.one_of(letters))
            .collect()
    }

    /// A template, whose texts are separators that no value here contains
    /// without being encoded.
    fn template(&mut self) -> String {
        let mut text = "t://".to_owned();
        let mut greedy = false;
        let mut between = true;
        for n in 0..self.below(6) {
            match self.below(4) {
                0 if between && !greedy => {
                    greedy = true;
                    between = false;
                    text += &format!("{{+v{n}}}");
                }
                1 | 2 if between => {
                    between = false;
                    text += &format!("{{v{n}}}");
                }
                _ => {
                    between = true;
                    text += self.one_of(&["/", "/a/", "/25", "/%2F/"]);
                }
            }
        }
        if self.below(3) == 0 {
            text += "{?q,r}";
        }
        text
    }
}

#[test]
fn expanded_values_are_matched_again() {
    const LETTERS: &[&str] = &[
        "a", "2", "5", "%", "%2F", " ", "?", "#", "&", "=", "é", "日", "+", ".",
    ];
    let mut random = Random(0x5EED);
    let mut matched = 0;
    for _ in 0..4_000 {
        let text = random.template();
        let template = template(&text);
        let mut values = Vec::new();
        for name in template.required() {
            values.push((name.to_owned(), random.text(LETTERS, 5)));
        }
        for name in template.optional() {
            if random.below(2) == 0 {
                values.push((name.to_owned(), random.text(LETTERS, 5)));
            }
        }
        let pairs = values
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()));
        let uri = template.expand(pairs).unwrap();
        assert_eq!(template.values(&uri), Some(values), "{text} {uri}");
        matched += 1;
    }
    assert_eq!(matched, 4_000);
}

/// The relation of two templates is that of the URIs that match them.
#[test]
fn relations_agree_with_matches() {
    let mut random = Random(0xC0FFEE);
    let mut both = 0;
    for _ in 0..3_000 {
        let (one, other) = (template(&random.template()), template(&random.template()));
        let relation = one.relation(&other);
        for _ in 0..10 {
            let from = if random.below(2) == 0 { &one } else { &other };
            let names: Vec<_> = from.required().collect();
            let values: Vec<_> = names
                .into_iter()
                .map(|name| (name, random.text(&["a", "25", "/", "é"], 3)))
                .collect();
            let uri = from.expand(values.iter().map(|(name, value)| (*name, value.as_str())));
            let uri = uri.unwrap();
            let (first, second) = (one.values(&uri).is_some(), other.values(&uri).is_some());
            both += usize::from(first && second);
            let fits = match relation {
                Relation::Disjoint => !(first && second),
                Relation::First => !first || second,
                Relation::Second => first || !second,
                Relation::Ambiguous => true,
            };
            assert!(fits, "{one} {other} {relation:?} {uri}");
        }
    }
    assert!(both > 1_000, "{both}");
}

#[test]
fn hostile_text_never_panics() {
    const PIECES: &[&str] = &[
        "a", ":", "/", "//", "{", "}", "{x}", "{+y}", "{?q}", "%", "%4", "%41", "?", "#", "é",
        "\0", "=", "&", "é://", "a://",
    ];
    let mut random = Random(7);
    let mut read = 0;
    for _ in 0..20_000 {
        let text = format!("{}{}", random.one_of(&["", "a://"]), random.text(PIECES, 8));
        let uri = format!("{}{}", random.one_of(&["", "a://"]), random.text(PIECES, 8));
        if let Ok(template) = UriTemplate::parse(&text) {
            read += 1;
            let _ = template.values(&uri);
        }
    }
    assert!(read > 1_000, "{read}");
}

thread_local! {
    /// The bytes that searches have passed.
    pub(super) static PASSED: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

/// Each search begins where the one before has ended, however the URI repeats the
/// texts of the template.
#[test]
fn matching_is_linear() {
    let template = template("t://{a}-{b}-{c}/{+d}-x-{e}-y");
    for length in [20, 200, 2_000, 20_000] {
        for uri in [
            format!("t://{}/{}", "-".repeat(length), "-x".repeat(length)),
            format!("t://a-b-c/{}-x-e-y", "-x".repeat(length)),
            format!("t://{}", "a-".repeat(length)),
            format!("t://{}/d-x-e-y", "%2F-".repeat(length)),
        ] {
            PASSED.set(0);
            let _ = template.matched(&uri);
            let passed = PASSED.get();
            assert!(passed <= 3 * uri.len(), "{passed} of {}", uri.len());
        }
    }
    assert!(PASSED.get() > 20_000, "nothing is counted");
}
