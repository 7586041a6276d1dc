//! Which source files each source file imports from: the files that define the names that it uses.
use std::collections::{BTreeMap, BTreeSet};
use syn::{Item, ItemUse, UseTree, Visibility, visit::Visit};

/// A path from the top of the crate, such as `["effect", "door", "Lane"]`.
type Path = Vec<String>;

/// Source files by the path of their module.
pub struct Imports(BTreeMap<Path, File>);

/// The names that a source file defines and uses.
struct File {
    name: String,
    /// The names that it defines itself.
    defined: BTreeSet<String>,
    /// The names that it re-exports, each with its path; `*` stands for all.
    known: Vec<(String, Path)>,
    /// The paths that its code uses.
    used: Vec<Path>,
}

impl Imports {
    /// Reads the files, each named relative to `src/`, such as `effect/door.rs`.
    pub fn of(sources: &[(String, String)]) -> Imports {
        let modules: BTreeSet<Path> = sources.iter().map(|(name, _)| module(name)).collect();
        let read = |(name, text): &(String, String)| {
            let path = module(name);
            let tree = syn::parse_file(text).unwrap_or_else(|e| panic!("{name}: {e}"));
            let mut reader = Reader {
                modules: &modules,
                module: &path,
                defined: BTreeSet::new(),
                known: Vec::new(),
                used: Vec::new(),
            };
            reader.visit_file(&tree);
            let Reader { defined, known, used, .. } = reader;
            (path.clone(), File { name: name.clone(), defined, known, used })
        };
        Imports(sources.iter().map(read).collect())
    }

    /// Returns the files that each file imports from.
    pub fn edges(&self) -> BTreeMap<&str, BTreeSet<&str>> {
        let of = |file: &File| self.reached(file);
        self.0.values().map(|file| (&*file.name, of(file))).collect()
    }

    fn reached(&self, file: &File) -> BTreeSet<&str> {
        let reached = file.used.iter().filter_map(|path| self.defining(path, &mut Vec::new()));
        reached.filter(|name| *name != file.name && *name != "lib.rs").collect()
    }

    /// Returns the file that defines what a path names, through all re-exports.
    fn defining<'a>(&'a self, path: &Path, seen: &mut Vec<Path>) -> Option<&'a str> {
        if seen.contains(path) {
            return None;
        }
        seen.push(path.clone());
        let (file, rest) = (0..=path.len()).rev().find_map(|at| Some((self.0.get(&path[..at])?, &path[at..])))?;
        let Some(name) = rest.first().filter(|name| !file.defined.contains(*name)) else { return Some(&file.name) };
        let named = |(known, leads): &&(String, Path)| known == name && !leads.is_empty();
        if let Some((_, leads)) = file.known.iter().find(named) {
            let on = [&leads[..], &rest[1..]].concat();
            return self.defining(&on, seen).or(Some(&file.name));
        }
        let all = file.known.iter().filter(|(known, _)| known == "*");
        let defines = |leads: &Path| self.0.get(leads).is_some_and(|other| other.defined.contains(name));
        let other = all.map(|(_, leads)| leads).find(|leads| defines(leads));
        other.map_or(Some(&*file.name), |leads| self.0.get(leads).map(|file| &*file.name))
    }
}

/// Returns groups of files that reach each other; empty if no imports form a circle.
pub fn circles<'a>(edges: &BTreeMap<&'a str, BTreeSet<&'a str>>) -> Vec<Vec<&'a str>> {
    let reached: BTreeMap<&str, BTreeSet<&str>> = edges.keys().map(|file| (*file, from(edges, file))).collect();
    let group = |file: &&'a str| -> Vec<&'a str> {
        let back = |other: &&&str| reached.get(**other).is_some_and(|reached| reached.contains(*file));
        reached[*file].iter().filter(back).copied().collect()
    };
    let groups: BTreeSet<Vec<&str>> = edges.keys().map(group).filter(|group| !group.is_empty()).collect();
    groups.into_iter().collect()
}

/// Returns all files that a file reaches.
fn from<'a>(edges: &BTreeMap<&'a str, BTreeSet<&'a str>>, file: &str) -> BTreeSet<&'a str> {
    let mut reached = BTreeSet::new();
    let mut next: Vec<&str> = edges.get(file).into_iter().flatten().copied().collect();
    while let Some(file) = next.pop() {
        if reached.insert(file) {
            next.extend(edges.get(file).into_iter().flatten());
        }
    }
    reached
}

/// Returns the path of a file's module.
fn module(name: &str) -> Path {
    let path = name.trim_end_matches(".rs").trim_end_matches("/mod");
    if path == "lib" { Vec::new() } else { path.split('/').map(str::to_owned).collect() }
}

/// Collects what a file defines, re-exports and uses, without its tests.
struct Reader<'a> {
    modules: &'a BTreeSet<Path>,
    module: &'a Path,
    defined: BTreeSet<String>,
    known: Vec<(String, Path)>,
    used: Vec<Path>,
}

impl Reader<'_> {
    /// Returns a path from the top of the crate; `None` for another crate or a local name.
    fn absolute(&self, path: &[String]) -> Option<Path> {
        let above = path.iter().take_while(|word| *word == "super").count();
        match path.first().map(String::as_str)? {
            "crate" => Some(path[1..].to_vec()),
            "self" => Some([self.module, &path[1..]].concat()),
            "super" => {
                let kept = self.module.len().checked_sub(above)?;
                Some([&self.module[..kept], &path[above..]].concat())
            }
            first => {
                let child = [self.module, &[first.to_owned()][..]].concat();
                self.modules.contains(&child).then(|| [self.module, path].concat())
            }
        }
    }

    /// Collects the leaves of a tree of names, each with its name here.
    fn leaves(tree: &UseTree, before: &[String], all: &mut Vec<(String, Path)>) {
        let with = |word: &syn::Ident| [before, &[word.to_string()][..]].concat();
        match tree {
            UseTree::Path(path) => Self::leaves(&path.tree, &with(&path.ident), all),
            UseTree::Group(group) => group.items.iter().for_each(|tree| Self::leaves(tree, before, all)),
            UseTree::Name(name) if name.ident == "self" => {
                all.extend(before.last().map(|last| (last.clone(), before.to_vec())));
            }
            UseTree::Name(name) => all.push((name.ident.to_string(), with(&name.ident))),
            UseTree::Rename(rename) => all.push((rename.rename.to_string(), with(&rename.ident))),
            UseTree::Glob(_) => all.push(("*".to_owned(), before.to_vec())),
        }
    }

    fn define(&mut self, item: &Item) {
        let name = match item {
            Item::Const(item) => &item.ident,
            Item::Enum(item) => &item.ident,
            Item::Fn(item) => &item.sig.ident,
            Item::Static(item) => &item.ident,
            Item::Struct(item) => &item.ident,
            Item::Trait(item) => &item.ident,
            Item::Type(item) => &item.ident,
            _ => return,
        };
        self.defined.insert(name.to_string());
    }
}

/// Returns whether an item is compiled only for tests.
fn is_test(item: &Item) -> bool {
    let Item::Mod(item) = item else { return false };
    item.attrs.iter().any(|attribute| {
        attribute.path().is_ident("cfg") && attribute.parse_args::<syn::Path>().is_ok_and(|path| path.is_ident("test"))
    })
}

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_item(&mut self, item: &'ast Item) {
        if !is_test(item) {
            self.define(item);
            syn::visit::visit_item(self, item);
        }
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        let mut leaves = Vec::new();
        Self::leaves(&item.tree, &[], &mut leaves);
        let public = !matches!(item.vis, Visibility::Inherited);
        for (name, path) in leaves {
            let Some(path) = self.absolute(&path) else { continue };
            if public { self.known.push((name, path)) } else { self.used.push(path) }
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let words: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        self.used.extend(self.absolute(&words).filter(|_| words.len() > 1));
        syn::visit::visit_path(self, path);
    }
}
