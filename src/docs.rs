//! Pages about primitives and the stdlib, from the comments where they are defined.
use crate::{api, script::stdlib};
use std::collections::BTreeMap;

/// A function that a script can call.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// `host.run`, `release::stage`, `std/deploy::deploy`.
    pub name: String,
    pub signature: String,
    /// Its comment, without leaders.
    pub doc: String,
}

/// Every documented function, by name.
pub fn entries() -> Vec<Entry> {
    let mut engine = rhai::Engine::new();
    engine.set_max_expr_depths(128, 128);
    api::describe(&mut engine);
    let mut entries = Vec::new();
    let json = engine.gen_fn_metadata_to_json(false).unwrap_or_default();
    let value: serde_json::Value = serde_json::from_str(&json).unwrap_or_default();
    collect(&value, "", &mut entries);
    for (name, text) in stdlib::MODULES {
        let Ok(ast) = engine.compile(text) else { continue };
        for function in ast.iter_functions().filter(|f| f.access == rhai::FnAccess::Public && !f.comments.is_empty()) {
            let comments: Vec<String> = function.comments.iter().map(|c| c.to_string()).collect();
            entries.push(Entry {
                name: format!("{name}::{}", function.name),
                signature: format!("{}({})", function.name, function.params.join(", ")),
                doc: plain(&comments),
            });
        }
    }
    entries.sort_by(|a, b| (&a.name, a.signature.len(), &a.signature).cmp(&(&b.name, b.signature.len(), &b.signature)));
    entries
}

fn collect(value: &serde_json::Value, module: &str, entries: &mut Vec<Entry>) {
    for function in value["functions"].as_array().into_iter().flatten() {
        let comments: Vec<String> = function["docComments"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|c| c.as_str().map(str::to_owned))
            .collect();
        let name = function["name"].as_str().unwrap_or_default();
        if comments.is_empty() {
            continue;
        }
        let parameters: Vec<(String, String)> = function["params"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|p| (p["name"].as_str().unwrap_or("_").to_owned(), p["type"].as_str().unwrap_or("").to_owned()))
            .filter(|(_, kind)| !kind.contains("NativeCallContext"))
            .collect();
        entries.push(entry(module, name, &parameters, &comments));
    }
    for (name, inner) in value["modules"].as_object().into_iter().flatten() {
        collect(inner, &format!("{module}{name}::"), entries);
    }
}

fn entry(module: &str, name: &str, parameters: &[(String, String)], comments: &[String]) -> Entry {
    let receiver = match parameters.first().map(|(_, kind)| kind.as_str()) {
        Some(kind) if module.is_empty() && kind.contains("Host") => Some("host"),
        Some(kind) if module.is_empty() && kind.contains("Targets") => Some("targets"),
        Some(kind) if kind.contains("Failure") => Some("failure"),
        Some(kind) if kind.starts_with("&mut") && kind.contains("Commit") => Some("commit"),
        Some(kind) if kind.starts_with("&mut") && kind.contains("Release") => Some("release"),
        _ => None,
    };
    let property = name.strip_prefix("get$");
    let bare = property.unwrap_or(name);
    let names = |skip: usize| parameters.iter().skip(skip).map(|(n, _)| n.as_str()).collect::<Vec<_>>().join(", ");
    let (name, signature) = match receiver {
        Some(receiver) if property.is_some() => (format!("{receiver}.{bare}"), format!("{receiver}.{bare}")),
        Some(receiver) => (format!("{receiver}.{bare}"), format!("{receiver}.{bare}({})", names(1))),
        None => (format!("{module}{bare}"), format!("{module}{bare}({})", names(0))),
    };
    Entry { name, signature, doc: plain(comments) }
}

fn plain(comments: &[String]) -> String {
    let lines = comments.iter().flat_map(|c| c.lines());
    let lines: Vec<&str> =
        lines.map(|l| l.trim().strip_prefix("///").map_or(l, |l| l.strip_prefix(' ').unwrap_or(l))).collect();
    lines.join("\n").trim().to_owned()
}

/// What `rfab --docs` shows: the list, or the pages of a name; a word of their text finds pages, too.
pub fn page(name: Option<&str>) -> Option<String> {
    let entries = entries();
    let Some(name) = name else {
        let width = entries.iter().map(|e| e.signature.len()).max().unwrap_or(0).min(48);
        let first = |e: &Entry| e.doc.lines().next().unwrap_or_default().to_owned();
        return Some(entries.iter().map(|e| format!("{:width$}  {}\n", e.signature, first(e))).collect());
    };
    let by_name = |e: &&Entry| e.name == name || e.name.rsplit(['.', ':']).next() == Some(name);
    let mut found: Vec<&Entry> = entries.iter().filter(by_name).collect();
    if found.is_empty() {
        let word = name.to_lowercase();
        found = entries.iter().filter(|e| e.doc.to_lowercase().contains(&word)).collect();
    }
    (!found.is_empty()).then(|| found.iter().map(|e| format!("{}\n\n{}\n\n", e.signature, indented(&e.doc))).collect())
}

/// How functions of a name are written, each with the first line of its page.
pub fn written(name: &str) -> Option<String> {
    let by_name = |e: &&Entry| e.name == name || e.name.split_once('.').is_some_and(|(_, method)| method == name);
    let entries = entries();
    let found: Vec<&Entry> = entries.iter().filter(by_name).collect();
    let line = |e: &&Entry| format!("  {}\n      {}", e.signature, e.doc.lines().next().unwrap_or_default());
    (!found.is_empty()).then(|| found.iter().map(line).collect::<Vec<_>>().join("\n"))
}

/// A doc as a terminal shows it: without the fences around its example.
fn indented(text: &str) -> String {
    let (said, example) = text.split_once("# Example\n\n```rhai\n").unwrap_or((text, ""));
    let code = example.trim_end().trim_end_matches("```").lines().map(|line| format!("    {line}\n"));
    let code: String = code.collect();
    let text = if code.is_empty() { said.to_owned() } else { format!("{said}Example:\n\n{code}") };
    text.lines().map(|l| if l.is_empty() { String::new() } else { format!("    {l}") }).collect::<Vec<_>>().join("\n")
}

/// The pages under `docs/api`, by file name.
pub fn pages() -> BTreeMap<String, String> {
    let mut pages: BTreeMap<String, String> = BTreeMap::new();
    for entry in entries() {
        let page = match entry
            .name
            .rsplit_once("::")
            .map(|(m, _)| m.to_owned())
            .or(entry.name.split_once('.').map(|(m, _)| m.to_owned()))
        {
            Some(module) => module.replace('/', "-"),
            None => "global".to_owned(),
        };
        let text = pages.entry(page.clone()).or_insert_with(|| {
            format!(
                "# {}\n\n<!-- Written by `tests/documentation.rs` from the comments in the source; do not edit. -->\n",
                page.replace('-', "/")
            )
        });
        *text += &format!("\n## `{}`\n\n{}\n", entry.signature, entry.doc.replace("# Example\n\n", ""));
    }
    pages
}
