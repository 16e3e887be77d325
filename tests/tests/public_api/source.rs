//! The crate's modules, read from its files, and what a path names in them.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use syn::{Attribute, Item, ItemMacro, UseTree, Visibility};

use super::{expand, print};

/// A module: its items, and the names that it gives them.
pub(crate) struct Module {
    pub(crate) parent: usize,
    pub(crate) items: Vec<Item>,
    /// The conditions of the module and of those around it.
    pub(crate) conditions: Vec<String>,
    pub(crate) children: BTreeMap<String, usize>,
    imports: Vec<Import>,
}

/// A name that a `use` brings in.
pub(crate) struct Import {
    /// `None` for `*`.
    pub(crate) name: Option<String>,
    pub(crate) path: Vec<String>,
    pub(crate) is_public: bool,
    pub(crate) conditions: Vec<String>,
}

/// What a path names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Named {
    Module(usize),
    /// An item of a module, by its name there.
    Item(usize, String),
    /// Something of another crate.
    Foreign(String),
}

pub(crate) struct Source {
    pub(crate) modules: Vec<Module>,
}

impl Source {
    pub(crate) fn read(root: &Path) -> Self {
        let mut source = Self {
            modules: Vec::new(),
        };
        let folder = root.parent().unwrap();
        source.add(items_of(root), folder, 0, Vec::new());
        source.expand();
        source
    }

    /// Replaces the calls of the crate's macros by what they make.
    fn expand(&mut self) {
        let written: Vec<_> = (self.modules.iter().map(|module| &module.items))
            .cloned()
            .collect();
        for (module, items) in written.into_iter().enumerate() {
            let definition = |name: &str| self.definition(module, name);
            let expanded = expand::items(items, &definition);
            self.modules[module].items = expanded;
        }
    }

    fn add(
        &mut self,
        mut items: Vec<Item>,
        folder: &Path,
        parent: usize,
        conditions: Vec<String>,
    ) -> usize {
        // A macro for tests would be taken for one that can make any name.
        items.retain(|item| !is_for_tests(print::attributes(item)));
        let index = self.modules.len();
        let imports = items.iter().flat_map(imports).collect();
        self.modules.push(Module {
            parent,
            conditions,
            children: BTreeMap::new(),
            imports,
            items: Vec::new(),
        });
        for item in &items {
            let Item::Mod(module) = item else { continue };
            let name = module.ident.to_string();
            let inner = folder.join(&name);
            let items = match &module.content {
                Some((_, items)) => items.clone(),
                None => {
                    let beside = folder.join(format!("{name}.rs"));
                    let within = inner.join("mod.rs");
                    items_of(if beside.exists() { &beside } else { &within })
                }
            };
            let mut conditions = self.modules[index].conditions.clone();
            conditions.extend(print::conditions(&module.attrs));
            let child = self.add(items, &inner, index, conditions);
            self.modules[index].children.insert(name, child);
        }
        self.modules[index].items = items;
        index
    }

    pub(crate) fn imports(&self, module: usize) -> &[Import] {
        &self.modules[module].imports
    }

    /// What `path` names when it is written in `module`.
    pub(crate) fn resolve(&self, module: usize, path: &[String]) -> Named {
        self.find(module, path, 0)
            .unwrap_or_else(|| Named::Foreign(path.join("::")))
    }

    fn find(&self, module: usize, path: &[String], depth: usize) -> Option<Named> {
        let (first, rest) = path.split_first()?;
        let here = match first.as_str() {
            "crate" => Named::Module(0),
            "self" => Named::Module(module),
            "super" => Named::Module(self.modules[module].parent),
            name => self.name(module, name, depth)?,
        };
        match here {
            here if rest.is_empty() => Some(here),
            Named::Module(inner) => self.find(inner, rest, depth),
            // A variant or an associated item.
            Named::Item(..) => Some(here),
            Named::Foreign(start) => Some(Named::Foreign(format!("{start}::{}", rest.join("::")))),
        }
    }

    /// What a name means in a module.
    fn name(&self, module: usize, name: &str, depth: usize) -> Option<Named> {
        let found = &self.modules[module];
        if let Some(child) = found.children.get(name) {
            return Some(Named::Module(*child));
        }
        if found
            .items
            .iter()
            .any(|item| print::name(item).as_deref() == Some(name))
        {
            return Some(Named::Item(module, name.to_owned()));
        }
        if depth < 20 {
            for import in &found.imports {
                // `use x::y as x` names a crate `x`.
                let is_meant = import.name.as_deref() == Some(name)
                    && import.path.first().is_none_or(|first| first != name);
                if is_meant && let Some(named) = self.find(module, &import.path, depth + 1) {
                    return Some(named);
                }
                if is_meant {
                    return Some(Named::Foreign(import.path.join("::")));
                }
            }
            for import in &found.imports {
                if import.name.is_none()
                    && let Some(Named::Module(from)) = self.find(module, &import.path, depth + 1)
                    && from != module
                    && let Some(named) = self.name(from, name, depth + 1)
                {
                    return Some(named);
                }
            }
        }
        None
    }

    /// The definition of a macro: that of the module, or any of the crate.
    fn definition(&self, module: usize, name: &str) -> Option<&ItemMacro> {
        let own = std::iter::once(&self.modules[module]);
        let mut items = own.chain(&self.modules).flat_map(|module| &module.items);
        items.find_map(|item| match item {
            Item::Macro(one) => one
                .ident
                .as_ref()
                .is_some_and(|ident| ident == name)
                .then_some(one),
            _ => None,
        })
    }
}

fn items_of(file: &Path) -> Vec<Item> {
    let text = fs::read_to_string(file).unwrap_or_else(|error| panic!("{file:?}: {error}"));
    let parsed = syn::parse_file(&text).unwrap_or_else(|error| panic!("{file:?}: {error}"));
    parsed.items
}

/// `#[cfg(test)]`.
pub(crate) fn is_for_tests(attributes: &[Attribute]) -> bool {
    let conditions = print::conditions(attributes);
    conditions
        .iter()
        .any(|condition| condition == "test" || condition == "doctest")
}

fn imports(item: &Item) -> Vec<Import> {
    let Item::Use(item) = item else {
        return Vec::new();
    };
    let is_public = matches!(item.vis, Visibility::Public(_)) && !print::is_hidden(&item.attrs);
    let mut all = Vec::new();
    flatten(&item.tree, &mut Vec::new(), &mut |name, path| {
        all.push(Import {
            name,
            path,
            is_public,
            conditions: print::conditions(&item.attrs),
        });
    });
    all
}

fn flatten(
    tree: &UseTree,
    before: &mut Vec<String>,
    add: &mut impl FnMut(Option<String>, Vec<String>),
) {
    match tree {
        UseTree::Path(path) => {
            before.push(path.ident.to_string());
            flatten(&path.tree, before, add);
            before.pop();
        }
        UseTree::Name(name) if name.ident == "self" => add(before.last().cloned(), before.clone()),
        UseTree::Name(name) => {
            let name = name.ident.to_string();
            let path = [before.as_slice(), std::slice::from_ref(&name)].concat();
            add(Some(name), path);
        }
        UseTree::Rename(rename) => {
            let path = [before.as_slice(), &[rename.ident.to_string()]].concat();
            add(Some(rename.rename.to_string()), path);
        }
        UseTree::Glob(_) => add(None, before.clone()),
        UseTree::Group(group) => {
            for tree in &group.items {
                flatten(tree, before, add);
            }
        }
    }
}
