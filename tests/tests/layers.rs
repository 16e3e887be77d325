//! The layers of mcp-kit: which module uses which, compared with the table in
//! ARCHITECTURE.md, and no cycle among the modules or among the folders of
//! `transport/http`.
//!
//! The source is read as tokens: comments do not count, paths within macros do,
//! and the result does not depend on features. Code behind `#[cfg(test)]` is left
//! out.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// Modules that re-export for users, macros and rustdoc. Nothing uses them, and
/// what they re-export is no layer.
const FACADES: [&str; 3] = ["__private", "guide", "prelude"];

/// Edges that are left to be removed, since they close a cycle. None may be added.
const EXCEPTIONS: &[(&str, &str)] = &[];

#[test]
fn modules_use_only_what_the_table_in_architecture_md_lists() {
    let edges = Source::read().edges_below(&[]);
    let table = table();
    let mut faults = Vec::new();
    for (from, to, files) in edges.iter() {
        let listed = table.get(from).is_some_and(|uses| uses.contains(to));
        let is_exception = EXCEPTIONS.contains(&(from, to));
        if FACADES.contains(&to) {
            faults.push(format!(
                "{files}: `{from}` uses `{to}`, which is there for users and macros; import the \
                 item from the module that defines it"
            ));
        } else if is_exception && listed {
            faults.push(format!(
                "`{from}` uses `{to}` is in ARCHITECTURE.md and in EXCEPTIONS; remove it from one"
            ));
        } else if !is_exception && !listed && !FACADES.contains(&from) {
            faults.push(format!(
                "{files}: `{from}` uses `{to}`, and the row of `{from}` in ARCHITECTURE.md, \"Which \
                 module uses which\", does not list it; move what is used to a lower module, or \
                 add `{to}` to the row if the edge closes no cycle"
            ));
        }
    }
    for &(from, to) in EXCEPTIONS {
        if !edges.has(from, to) {
            faults.push(format!(
                "`{from}` no longer uses `{to}`; remove the edge from EXCEPTIONS in {}, and the \
                 sentence about it below the table in ARCHITECTURE.md",
                file!()
            ));
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn table_in_architecture_md_lists_no_module_and_no_edge_that_is_gone() {
    let source = Source::read();
    let edges = source.edges_below(&[]);
    let table = table();
    let modules: BTreeSet<_> = source.children(&[]);
    let mut faults = Vec::new();
    for (from, uses) in &table {
        if !modules.contains(from.as_str()) {
            faults.push(format!(
                "mcp-kit/src has no module `{from}`; remove its row from ARCHITECTURE.md"
            ));
            continue;
        }
        for to in uses.iter().filter(|to| !edges.has(from, to)) {
            faults.push(format!(
                "`{from}` no longer uses `{to}`; remove it from the row of `{from}` in \
                 ARCHITECTURE.md"
            ));
        }
    }
    for module in modules {
        if !table.contains_key(module) && !FACADES.contains(&module) {
            faults.push(format!(
                "the module `{module}` has no row in ARCHITECTURE.md, \"Which module uses which\"; \
                 add one"
            ));
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn modules_have_no_cycle() {
    let mut edges = Source::read().edges_below(&[]);
    for &(from, to) in EXCEPTIONS {
        edges.0.remove(&(from.to_owned(), to.to_owned()));
    }
    edges.assert_no_cycle("the modules of mcp-kit/src");
}

#[test]
fn folders_of_http_have_no_cycle() {
    let edges = Source::read().edges_below(&["transport", "http"]);
    assert!(!edges.0.is_empty());
    edges.assert_no_cycle("the folders of mcp-kit/src/transport/http");
}

/// ARCHITECTURE.md's table: a module, and the modules that it uses.
fn table() -> BTreeMap<String, BTreeSet<String>> {
    let text = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let (_, section) = text
        .split_once("\n### Which module uses which\n")
        .expect("ARCHITECTURE.md has the heading \"### Which module uses which\"");
    let section = section.split("\n#").next().unwrap();
    let mut table = BTreeMap::new();
    for row in section.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<_> = row.split('|').collect();
        let [_, module, uses, _] = cells[..] else {
            panic!("a row of ARCHITECTURE.md's table has two cells: {row}");
        };
        let of = |cell: &str| -> BTreeSet<_> {
            cell.split('`')
                .skip(1)
                .step_by(2)
                .map(str::to_owned)
                .collect()
        };
        let module = of(module).pop_first().unwrap();
        assert!(
            table.insert(module, of(uses)).is_none(),
            "ARCHITECTURE.md's table has two rows of one module: {row}"
        );
    }
    table
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// Who uses whom, and the files in which it does.
struct Edges(BTreeMap<(String, String), BTreeSet<String>>);

impl Edges {
    fn iter(&self) -> impl Iterator<Item = (&str, &str, String)> {
        self.0.iter().map(|((from, to), files)| {
            let files: Vec<_> = files.iter().map(String::as_str).collect();
            (from.as_str(), to.as_str(), files.join(", "))
        })
    }

    fn has(&self, from: &str, to: &str) -> bool {
        self.0.contains_key(&(from.to_owned(), to.to_owned()))
    }

    /// Takes away modules that use none, and edges to them, until none is left.
    fn assert_no_cycle(&self, what: &str) {
        let mut left: Vec<_> = self.iter().collect();
        loop {
            let users: BTreeSet<_> = left.iter().map(|(from, ..)| *from).collect();
            let before = left.len();
            left.retain(|(_, to, _)| users.contains(to));
            let used: BTreeSet<_> = left.iter().map(|(_, to, _)| *to).collect();
            left.retain(|(from, ..)| used.contains(from));
            if left.len() == before {
                break;
            }
        }
        let edges: Vec<_> = left
            .into_iter()
            .map(|(from, to, files)| format!("`{from}` uses `{to}`: {files}"))
            .collect();
        assert!(
            edges.is_empty(),
            "{what} have a cycle; move what is used to a lower module, or hand it over as a \
             trait object:\n{}",
            edges.join("\n")
        );
    }
}

/// The modules of mcp-kit, and the paths that each names.
#[derive(Default)]
struct Source {
    modules: BTreeMap<Vec<String>, Module>,
}

#[derive(Default)]
struct Module {
    file: String,
    /// Paths from the root of the crate, of `use` and of everything else.
    paths: Vec<Vec<String>>,
    /// What `use` of a child module brings in: the name, and its path.
    names: BTreeMap<String, Vec<String>>,
}

impl Source {
    fn read() -> Self {
        let mut source = Self::default();
        let folder = root().join("mcp-kit/src");
        source.read_file(&folder.join("lib.rs"), Vec::new());
        source
    }

    fn read_file(&mut self, file: &Path, module: Vec<String>) {
        let text = fs::read_to_string(file).unwrap();
        let tokens: TokenStream = text.parse().unwrap();
        self.read_module(tokens, file, module);
    }

    fn read_module(&mut self, tokens: TokenStream, file: &Path, module: Vec<String>) {
        let name = file.strip_prefix(root()).unwrap().display().to_string();
        self.modules.entry(module.clone()).or_default().file = name;
        let tokens: Vec<_> = tokens.into_iter().collect();
        self.read_tokens(&tokens, file, &module);
    }

    fn read_tokens(&mut self, tokens: &[TokenTree], file: &Path, module: &[String]) {
        let mut at = 0;
        while let Some(token) = tokens.get(at) {
            if is_punct(token, '#') && is_for_tests(tokens.get(at + 1)) {
                at = end_of_item(tokens, at + 2);
                continue;
            }
            match token {
                TokenTree::Group(group) => {
                    let inner: Vec<_> = group.stream().into_iter().collect();
                    self.read_tokens(&inner, file, module);
                    at += 1;
                }
                TokenTree::Ident(ident) if ident == "mod" => {
                    at += 1 + self.read_child(&tokens[at + 1..], file, module);
                }
                TokenTree::Ident(ident) => {
                    let is_use = ident == "use";
                    let start = at + usize::from(is_use);
                    // `$crate` is the path of a macro's user.
                    let is_users = start > 0 && is_punct(&tokens[start - 1], '$');
                    let mut paths = Vec::new();
                    at = read_path(tokens, start, &[], &mut paths);
                    for (path, alias) in paths.into_iter().filter(|_| !is_users) {
                        self.add_path(&path, alias, is_use, module);
                    }
                }
                _ => at += 1,
            }
        }
    }

    /// Reads `name;` or `name { … }`, which follows `mod`: the number of tokens.
    fn read_child(&mut self, tokens: &[TokenTree], file: &Path, module: &[String]) -> usize {
        let [TokenTree::Ident(name), content, ..] = tokens else {
            return 0;
        };
        let child = [module, &[name.to_string()]].concat();
        match content {
            TokenTree::Group(group) => self.read_module(group.stream(), file, child),
            _ => self.read_file(&file_of(file, &child), child),
        }
        2
    }

    fn add_path(
        &mut self,
        path: &[String],
        alias: Option<String>,
        is_use: bool,
        module: &[String],
    ) {
        let mut absolute = module.to_vec();
        let mut rest = path;
        match path[0].as_str() {
            "crate" => {
                absolute.clear();
                rest = &path[1..];
            }
            "self" | "super" => {
                while let [first, others @ ..] = rest
                    && (first == "self" || first == "super")
                {
                    if first == "super" {
                        absolute.pop();
                    }
                    rest = others;
                }
            }
            _ if is_use => {}
            _ => return,
        }
        absolute.extend_from_slice(rest);
        let entry = self.modules.get_mut(module).unwrap();
        if is_use && let Some(name) = alias.or_else(|| path.last().cloned()) {
            entry.names.insert(name, absolute.clone());
        }
        entry.paths.push(absolute);
    }

    fn children(&self, parent: &[&str]) -> BTreeSet<&str> {
        let depth = parent.len();
        let below = self.modules.keys().filter(|path| path.len() == depth + 1);
        below
            .filter(|path| path[..depth] == *parent)
            .map(|path| path[depth].as_str())
            .collect()
    }

    /// The edges between the child modules of `parent`. A name that `parent`
    /// re-exports counts as one of the child that it is from.
    fn edges_below(&self, parent: &[&str]) -> Edges {
        let depth = parent.len();
        let children = self.children(parent);
        let parent: Vec<_> = parent.iter().map(|name| (*name).to_owned()).collect();
        let names = &self.modules[&parent].names;
        let mut edges = Edges(BTreeMap::new());
        for (path, module) in &self.modules {
            if path.len() <= depth || path[..depth] != parent[..] {
                continue;
            }
            let from = &path[depth];
            for used in &module.paths {
                if used.len() <= depth || used[..depth] != parent[..] {
                    continue;
                }
                let to = match names.get(&used[depth]) {
                    Some(whole) if !children.contains(used[depth].as_str()) => whole.get(depth),
                    _ => used.get(depth),
                };
                let Some(to) = to.filter(|to| children.contains(to.as_str()) && *to != from) else {
                    continue;
                };
                let edge = edges.0.entry((from.clone(), to.clone())).or_default();
                edge.insert(module.file.clone());
            }
        }
        edges
    }
}

/// A path, and the name that `as` gives it.
type Named = (Vec<String>, Option<String>);

/// Reads the path that begins at `at`, with all that its braces hold, into `found`:
/// the place behind it.
fn read_path(tokens: &[TokenTree], at: usize, before: &[String], found: &mut Vec<Named>) -> usize {
    let mut path = before.to_vec();
    let mut at = at;
    loop {
        match tokens.get(at) {
            Some(TokenTree::Ident(ident)) => path.push(ident.to_string()),
            Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
                let inner: Vec<_> = group.stream().into_iter().collect();
                for part in inner.split(|token| is_punct(token, ',')) {
                    read_path(part, 0, &path, found);
                }
                return at + 1;
            }
            _ => break,
        }
        at += 1;
        let is_colon = |at: usize| tokens.get(at).is_some_and(|token| is_punct(token, ':'));
        if !(is_colon(at) && is_colon(at + 1)) {
            break;
        }
        at += 2;
    }
    let alias = match tokens.get(at..at + 2) {
        Some([TokenTree::Ident(word), TokenTree::Ident(name)]) if word == "as" => {
            Some(name.to_string())
        }
        _ => None,
    };
    if !path.is_empty() {
        found.push((path, alias));
    }
    at.max(1)
}

fn is_punct(token: &TokenTree, wanted: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == wanted)
}

/// Whether the attribute's brackets are `[cfg(test)]`, `[cfg(all(test, …))]`, or
/// the same with `doctest`.
fn is_for_tests(brackets: Option<&TokenTree>) -> bool {
    let Some(TokenTree::Group(brackets)) = brackets else {
        return false;
    };
    let text = brackets.stream().to_string().replace(' ', "");
    ["cfg(test)", "cfg(all(test,", "cfg(all(doctest,"]
        .iter()
        .any(|start| text.starts_with(start))
}

/// Behind the item at `at`: behind its `;` or its braces.
fn end_of_item(tokens: &[TokenTree], at: usize) -> usize {
    let ends = |token: &TokenTree| {
        is_punct(token, ';')
            || matches!(token, TokenTree::Group(group) if group.delimiter() == Delimiter::Brace)
    };
    let length = tokens[at..].iter().position(ends);
    length.map_or(tokens.len(), |length| at + length + 1)
}

/// The file of a module that is declared in `declared_in`.
fn file_of(declared_in: &Path, module: &[String]) -> PathBuf {
    let folder = root().join("mcp-kit/src").join(module.join("/"));
    let beside = folder.with_extension("rs");
    let within = folder.join("mod.rs");
    let file = if beside.exists() { beside } else { within };
    assert!(
        file.exists(),
        "{} declares the module {}, which has no file",
        declared_in.display(),
        module.join("::")
    );
    file
}
