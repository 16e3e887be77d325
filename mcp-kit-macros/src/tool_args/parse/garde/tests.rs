//! Tests of what is read from garde's attributes, and of what garde itself
//! reads.

use std::path::Path;
use std::process::Command;

use syn::parse_quote;

use super::*;

fn names(input: DeriveInput) -> Vec<String> {
    fn name(rule: &Rule) -> String {
        match &rule.kind {
            RuleKind::Plain(name) | RuleKind::Custom(name) | RuleKind::Compare(name, _) => {
                (*name).to_owned()
            }
            RuleKind::Length { mode, min, max } => {
                format!("{mode:?} {} {}", min.is_some(), max.is_some())
            }
            RuleKind::Range { min, max } => {
                format!("Range {} {}", min.is_some(), max.is_some())
            }
            RuleKind::Pattern(literal) => format!("Pattern {}", literal.is_some()),
            RuleKind::Matches(field) => format!("Matches {field}"),
            RuleKind::Text(path) => format!("Text {}", path.segments.len()),
            RuleKind::Misspelt => "Misspelt".to_owned(),
            RuleKind::Unknown(unknown) => match unknown.slip {
                true => format!("slip {}", unknown.text),
                false => format!("unknown {}", unknown.text),
            },
            RuleKind::Inner(inner) => inner.iter().map(name).collect::<Vec<_>>().join("+"),
        }
    }
    rules(&input.attrs).iter().map(name).collect()
}

#[test]
fn every_rule_of_garde_is_read() {
    let found = names(parse_quote! {
        #[garde(skip, dive, dive(ctx), required, ascii, alphanumeric, email, url)]
        #[garde(ip, ipv4, ipv6)]
        #[garde(credit_card, phone_number, contains("a"), prefix(P), suffix("c"), pattern("x"))]
        #[garde(pattern(P), matches(other), custom(f), custom(|v, _| Ok(())), code("x"))]
        #[garde(if(cond = self.a, length(min = 1)), inner(ascii, inner(length(chars, max = N))))]
        #[garde(length(min = 1), length(chars, equal = 2), length(bytes, max = 3))]
        #[garde(length(utf16, min = 1, max = 2), length(graphemes, max = 1), range(min = -1))]
        #[garde(range(equal = 2.5),)]
        struct S;
    });
    assert_eq!(
        found,
        [
            "Skip",
            "Dive",
            "Dive",
            "Required",
            "Ascii",
            "Alphanumeric",
            "Email",
            "Url",
            "Ip",
            "IpV4",
            "IpV6",
            "CreditCard",
            "PhoneNumber",
            "Contains",
            "Prefix",
            "Suffix",
            "Pattern true",
            "Pattern false",
            "Matches other",
            "custom",
            "custom",
            "if",
            "Ascii+Chars false true",
            "Simple true false",
            "Chars true true",
            "Bytes false true",
            "Utf16 true true",
            "Graphemes false true",
            "Range true false",
            "Range true true",
        ]
    );
}

#[test]
fn an_incomplete_rule_is_left_to_garde() {
    let found = names(parse_quote! {
        #[garde(custom)]
        #[garde(custom())]
        #[garde(matches())]
        #[garde(if(length(min = 1)))]
        #[garde(pattern)]
        struct S;
    });
    assert_eq!(found, [""; 0]);
}

#[test]
fn what_is_not_in_the_tables_is_unknown() {
    let found = names(parse_quote! {
        #[garde(lenght(max = 3), ipv5, length(char, max = 3), range(mn = 1))]
        #[garde(no_markup, min_length = 3, inner(forbidden("a", "b")), ascii)]
        #[garde(length(words, max = 3), range(step = 5, min = 1), length(below = 3))]
        struct S;
    });
    assert_eq!(
        found,
        [
            "slip lenght",
            "slip ipv5",
            "slip length(char)",
            "slip range(mn)",
            "unknown no_markup",
            "unknown min_length",
            "unknown forbidden",
            "Ascii",
            "unknown length(words)",
            "unknown range(step)",
            "unknown length(below)",
        ]
    );
    let of = |input: DeriveInput| container(&input.attrs).unknown;
    assert!(of(parse_quote! { #[garde(custm(f))] struct S; }).is_some_and(|(_, key)| key.slip));
    assert!(of(parse_quote! { #[garde(after(f))] struct S; }).is_some_and(|(_, key)| !key.slip));
}

#[test]
fn rules_for_text_are_known_by_their_names() {
    let found = names(parse_quote! {
        #[garde(custom(slug), custom(mcp_kit::guard::text::no_markup), custom(text::slgu))]
        #[garde(custom(slgu), custom(text::other), inner(custom(text::slug)))]
        struct S;
    });
    assert_eq!(
        found,
        ["Text 1", "Text 4", "Misspelt", "custom", "custom", "Text 2"]
    );
}

#[test]
fn an_adapter_changes_what_rules_mean() {
    let found = names(parse_quote! { #[garde(adapt(decimal), range(min = 1))] struct S; });
    assert_eq!(found, ["adapt"]);
}

#[test]
fn a_forgotten_or_unknown_rule_is_seen() {
    assert!(fails(
        &parse_quote! { struct S { #[garde(skip)] a: u8, b: u8 } }
    ));
    assert!(fails(&parse_quote! { enum S { A, B(#[garde(skp)] u8) } }));
    assert!(fails(&parse_quote! { struct S(#[garde(range(1))] u8); }));
    assert!(fails(
        &parse_quote! { struct S(#[garde(inner(custom, lenght(max = 3)))] Vec<String>); }
    ));
    assert!(fails(
        &parse_quote! { struct S(#[garde(inner(lenght(max = 3)))] Vec<String>); }
    ));
    assert!(!fails(
        &parse_quote! { struct S { #[garde(skip, code("x"))] a: u8 } }
    ));
    assert!(!fails(&parse_quote! {
        #[garde(allow_unvalidated)]
        struct S { #[garde(dive)] a: T, b: u8 }
    }));
    // A rule that garde may have, and one that is described.
    assert!(!fails(&parse_quote! { struct S(#[garde(no_markup)] T); }));
    assert!(!fails(
        &parse_quote! { struct S(#[garde(ipv5)] #[tool_args(opaque)] T); }
    ));
    // Perhaps `Validate` is written by hand.
    assert!(!fails(&parse_quote! { struct S { a: u8 } }));
}

#[test]
fn a_context_of_its_own_is_found() {
    let of = |input: DeriveInput| container(&input.attrs);
    assert!(
        of(parse_quote! { #[garde(context(Db as db))] struct S; })
            .context
            .is_some()
    );
    assert!(
        of(parse_quote! { #[garde(context(()))] struct S; })
            .context
            .is_none()
    );
    let both = of(parse_quote! { #[garde(transparent)] #[garde(custom(f))] struct S; });
    assert!(both.transparent && both.custom.is_some());
}

/// Compares the tables with garde's own. Its derive does not publish them, so its
/// source is read, which cargo has on each machine that builds this.
///
/// If this fails after an update of garde: add the new key to the tables, with the
/// way it goes into the schema, or as `Form::Words`, which requires words.
#[test]
fn garde_has_no_rule_that_is_missing_here() {
    let source = source_of_garde();
    let part = |start: &str| {
        let parts = source.split_once(start);
        let (_, rest) = parts.unwrap_or_else(|| panic!("garde's source has no {start:?}"));
        rest.split_once("\n}\n").unwrap().0.to_owned()
    };
    // `"word" =>` at the start of a line.
    let arms = |start: &str| {
        let part = part(start);
        let lines = part.lines().filter(|line| line.contains(" => "));
        let words = lines.filter_map(|line| line.trim().strip_prefix('"')?.split('"').next());
        sorted(words)
    };
    assert_eq!(
        arms("impl Parse for model::Attr {"),
        sorted(CONTAINER.iter().copied())
    );
    let rules = RULES.iter().map(|(name, _)| *name);
    assert_eq!(arms("rules! {\n"), sorted(rules));
    let modes = MODES.iter().map(|(name, _)| *name);
    assert_eq!(
        arms("impl Parse for RawLengthArgument {"),
        sorted(modes.chain(RANGE.iter().copied()))
    );
    let range = part("impl<T> Parse for model::Range<T>");
    let words = range.split("is_ident(\"").skip(1);
    assert_eq!(
        sorted(words.filter_map(|rest| rest.split('"').next())),
        sorted(RANGE.iter().copied())
    );
}

fn sorted<'a>(words: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut words: Vec<_> = words.map(str::to_owned).collect();
    words.sort();
    words
}

/// The file of garde's derive that reads the attributes.
fn source_of_garde() -> String {
    let cargo = |arguments: &[&str]| {
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap());
        cargo
            .args(arguments)
            .current_dir(env!("CARGO_MANIFEST_DIR"));
        let output = cargo.output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let version = cargo(&["-vV"]);
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    // Nothing for other systems has to be there.
    let metadata = cargo(&[
        "metadata",
        "--format-version=1",
        "--locked",
        "--filter-platform",
        host.unwrap(),
    ]);
    let metadata: serde_json::Value = serde_json::from_str(&metadata).unwrap();
    let mut packages = metadata["packages"].as_array().unwrap().iter();
    let derive = packages
        .find(|package| package["name"] == "garde_derive")
        .unwrap();
    let manifest = Path::new(derive["manifest_path"].as_str().unwrap());
    std::fs::read_to_string(manifest.with_file_name("src").join("syntax.rs")).unwrap()
}
