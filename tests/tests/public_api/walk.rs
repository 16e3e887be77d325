//! Which items are public, under which paths, and what belongs to each.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use syn::{Item, Type};

use super::print;
use super::source::{Named, Source, is_for_tests};

/// What is public of a crate.
pub(crate) struct Api {
    source: Source,
    /// Each item's paths with the conditions on them.
    paths: BTreeMap<Named, BTreeSet<(String, Vec<String>)>>,
}

impl Api {
    pub(crate) fn of(root: &Path) -> Self {
        let mut api = Self {
            source: Source::read(root),
            paths: BTreeMap::new(),
        };
        api.module(0, "mcp_kit", &[], &mut Vec::new());
        api
    }

    fn add(&mut self, named: Named, path: String, conditions: Vec<String>) {
        self.paths
            .entry(named)
            .or_default()
            .insert((path, conditions));
    }

    /// Lists what is public in a module that is known as `path`.
    fn module(&mut self, module: usize, path: &str, around: &[String], within: &mut Vec<usize>) {
        if within.contains(&module) {
            return;
        }
        within.push(module);
        let mut found = Vec::new();
        let source = &self.source;
        for item in &source.modules[module].items {
            let attributes = print::attributes(item);
            if is_for_tests(attributes) || print::is_hidden(attributes) {
                continue;
            }
            let Some(name) = print::name(item) else {
                continue;
            };
            let is_exported = matches!(item, Item::Macro(one)
                if one.attrs.iter().any(|attribute| attribute.path().is_ident("macro_export")));
            if is_exported {
                self.paths
                    .entry(Named::Item(module, name.clone()))
                    .or_default()
                    .insert((format!("mcp_kit::{name}"), print::conditions(attributes)));
            } else if print::is_public(item) {
                let named = match source.modules[module].children.get(&name) {
                    Some(child) if matches!(item, Item::Mod(_)) => Named::Module(*child),
                    _ => Named::Item(module, name.clone()),
                };
                found.push((named, name, print::conditions(attributes)));
            }
        }
        let mut globs = Vec::new();
        for import in source.imports(module) {
            if !import.is_public {
                continue;
            }
            let named = source.resolve(module, &import.path);
            match (&import.name, named) {
                (Some(name), named) => found.push((named, name.clone(), import.conditions.clone())),
                (None, Named::Module(from)) => globs.push(from),
                (None, named) => found.push((named, "*".to_owned(), import.conditions.clone())),
            }
        }
        for (named, name, own) in found {
            let path = format!("{path}::{name}");
            let conditions = print::joined(around, &own);
            if let Named::Module(inner) = named {
                self.module(inner, &path, &conditions, within);
            }
            self.add(named, path, conditions);
        }
        for from in globs {
            self.module(from, path, around, within);
        }
        within.pop();
    }

    pub(crate) fn to_text(&self) -> String {
        let mut lines = BTreeMap::new();
        for (named, paths) in &self.paths {
            // The details are under the shortest path, but not under the prelude's.
            let mut paths: Vec<_> = paths.iter().collect();
            paths.sort_by_key(|(path, _)| {
                let is_prelude = path.contains("::prelude::");
                (is_prelude, path.matches("::").count(), path.clone())
            });
            for (at, (path, conditions)) in paths.iter().enumerate() {
                let when = print::when(conditions);
                let (what, members) = match named {
                    _ if at > 0 => (format!("{path}{when} = {}", paths[0].0), Vec::new()),
                    Named::Module(_) => (format!("mod {path}{when}"), Vec::new()),
                    Named::Foreign(other) => (format!("use {path}{when} = {other}"), Vec::new()),
                    Named::Item(module, name) => self.item(*module, name, path, conditions),
                };
                lines.insert((path.clone(), what), members);
            }
        }
        let mut text = String::new();
        for ((_, what), members) in lines {
            text.push_str(&what);
            text.push('\n');
            for member in members {
                text.push_str("    ");
                text.push_str(&member);
                text.push('\n');
            }
        }
        text
    }

    /// An item's first line, and one for each of its members.
    fn item(
        &self,
        module: usize,
        name: &str,
        path: &str,
        conditions: &[String],
    ) -> (String, Vec<String>) {
        let items = &self.source.modules[module].items;
        let mut members = BTreeSet::new();
        let mut heads = Vec::new();
        for item in items
            .iter()
            .filter(|item| print::name(item).as_deref() == Some(name))
        {
            let attributes = print::attributes(item);
            if is_for_tests(attributes)
                || !(print::is_public(item) || matches!(item, Item::Macro(_)))
            {
                continue;
            }
            heads.push(print::head(item, path));
            members.extend(print::members(item));
        }
        let of = Named::Item(module, name.to_owned());
        // What holds for the item itself is not repeated.
        let known = print::joined(conditions, &self.source.modules[module].conditions);
        for (at, other) in self.source.modules.iter().enumerate() {
            for item in &other.items {
                if let Item::Impl(block) = item
                    && !is_for_tests(&block.attrs)
                {
                    self.implementation(at, block, (&of, &known), &mut members);
                }
            }
        }
        heads.dedup();
        let when = print::when(conditions);
        (
            format!("{}{when}", heads.join(" / ")),
            members.into_iter().collect(),
        )
    }

    /// The lines of an `impl` block, if it belongs to `of`: one of its type, or
    /// of its trait for a type that is not listed.
    fn implementation(
        &self,
        module: usize,
        block: &syn::ItemImpl,
        (of, known): (&Named, &[String]),
        members: &mut BTreeSet<String>,
    ) {
        let owner = self.named(module, &block.self_ty);
        let around = &self.source.modules[module].conditions;
        let mut conditions = print::joined(around, &print::conditions(&block.attrs));
        conditions.retain(|condition| !known.contains(condition));
        match &block.trait_ {
            None if owner.as_ref() == Some(of) => {
                members.extend(print::associated(block, &conditions));
            }
            None => {}
            Some((name, ..)) => {
                let path = print::segments(name);
                let implemented = self.source.resolve(module, &path);
                let is_listed = |named: &Named| self.paths.contains_key(named);
                let is_known = match &implemented {
                    Named::Foreign(_) => true,
                    known => is_listed(known),
                };
                let owner_is_listed = owner.as_ref().is_some_and(is_listed);
                let belongs = match owner_is_listed {
                    true => owner.as_ref() == Some(of),
                    false => &implemented == of && !matches!(&owner, Some(Named::Item(..))),
                };
                if is_known && belongs {
                    members.insert(print::implementation(block, &conditions));
                }
            }
        }
    }

    fn named(&self, module: usize, ty: &Type) -> Option<Named> {
        match ty {
            Type::Path(path) => Some(self.source.resolve(module, &print::segments(&path.path))),
            Type::Reference(reference) => self.named(module, &reference.elem),
            _ => None,
        }
    }
}
