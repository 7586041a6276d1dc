//! The pages about primitives and the stdlib, made from the comments of their definitions.
use crate::{api, misspelled::did_you_mean, script::stdlib};
use std::collections::BTreeMap;

/// A function that a script can call.
#[derive(Clone, Debug, PartialEq)]
pub struct FunctionDoc {
    /// The full name: `host.run`, `release::stage`, `std/deploy::deploy`.
    pub name: String,
    pub signature: String,
    /// The comment without its `///`.
    pub doc: String,
}

impl FunctionDoc {
    /// Returns the code of its example.
    pub fn example(&self) -> Option<&str> {
        let (_, example) = self.doc.split_once("# Example\n\n```rhai\n")?;
        example.split_once("```").map(|(code, _)| code)
    }

    /// Returns the page that it's on: `host`, `release`, `std/deploy`, `global`.
    fn page(&self) -> &str {
        let module = self.name.rsplit_once("::").map(|(module, _)| module);
        module.or(self.name.split_once('.').map(|(value, _)| value)).unwrap_or("global")
    }
}

/// Returns every documented function, by name.
pub fn entries() -> Vec<FunctionDoc> {
    let engine = described();
    let mut entries = Vec::new();
    let json = engine.gen_fn_metadata_to_json(false).unwrap_or_default();
    let value: serde_json::Value = serde_json::from_str(&json).unwrap_or_default();
    collect(&value, "", &mut entries);
    for (name, text) in stdlib::MODULES {
        let Ok(ast) = engine.compile(text) else { continue };
        for function in
            ast.iter_functions().filter(|f| f.access == rhai::FnAccess::Public && !f.name.starts_with("anon$"))
        {
            let comments: Vec<String> = function.comments.iter().map(|c| c.to_string()).collect();
            entries.push(FunctionDoc {
                name: format!("{name}::{}", function.name),
                signature: format!("{}({})", function.name, function.params.join(", ")),
                doc: plain(&comments),
            });
        }
    }
    entries.sort_by(|a, b| key(a).cmp(&key(b)));
    entries
}

/// Returns an entry's sort key: overloads that look the same are sorted by their comments.
fn key(entry: &FunctionDoc) -> (&str, usize, &str, &str) {
    (&entry.name, entry.signature.len(), &entry.signature, &entry.doc)
}

/// Returns an engine that knows the primitives' comments.
fn described() -> rhai::Engine {
    let mut engine = rhai::Engine::new();
    engine.set_max_expr_depths(128, 128);
    api::describe(&mut engine);
    engine
}

fn collect(value: &serde_json::Value, module: &str, entries: &mut Vec<FunctionDoc>) {
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

fn entry(module: &str, name: &str, parameters: &[(String, String)], comments: &[String]) -> FunctionDoc {
    let receiver = match parameters.first().map(|(_, kind)| kind.as_str()) {
        Some(kind) if module.is_empty() && kind.contains("Host") => Some("host"),
        Some(kind) if module.is_empty() && kind.contains("Targets") => Some("targets"),
        Some(kind) if kind.contains("Failure") => Some("failure"),
        Some(kind) if kind.starts_with("&mut") && kind.contains("Commit") => Some("commit"),
        Some(kind) if kind.starts_with("&mut") && kind.contains("Release") => Some("release"),
        Some(kind) if kind.starts_with("&mut") && kind.contains("Local") => Some("local"),
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
    FunctionDoc { name, signature, doc: plain(comments) }
}

fn plain(comments: &[String]) -> String {
    let lines = comments.iter().flat_map(|c| c.lines());
    let lines: Vec<&str> =
        lines.map(|l| l.trim().strip_prefix("///").map_or(l, |l| l.strip_prefix(' ').unwrap_or(l))).collect();
    lines.join("\n").trim().to_owned()
}

/// Returns what `rfab --docs` shows: the list, a module and the pages of a name, or the functions that contain a word,
/// the best ones first.
pub fn page(name: Option<&str>) -> Option<String> {
    let entries = entries();
    let Some(name) = name else { return Some(listed(&entries.iter().collect::<Vec<_>>())) };
    let name = name.trim_end_matches("()").trim_end_matches("::");
    let by_name = |e: &&FunctionDoc| e.name == name || e.name.rsplit(['.', ':']).next() == Some(name);
    let named: Vec<&FunctionDoc> = entries.iter().filter(by_name).collect();
    let functions: String = named.iter().map(|e| format!("{}\n\n{}\n\n", e.signature, indented(&e.doc))).collect();
    let of_stdlib = || module(&entries, &format!("std/{name}")).filter(|_| named.is_empty());
    if let Some(module) = module(&entries, name).or_else(of_stdlib) {
        return Some([module, functions].join(if named.is_empty() { "" } else { "\n" }));
    }
    if !named.is_empty() {
        return Some(functions);
    }
    let found = having(&entries, name);
    (!found.is_empty()).then(|| listed(&found))
}

/// Returns what a module or a namespace is about, and what it contains.
fn module(entries: &[FunctionDoc], name: &str) -> Option<String> {
    let of_it: Vec<&FunctionDoc> = entries.iter().filter(|e| e.page() == name).collect();
    (!of_it.is_empty()).then(|| format!("{name}\n\n{}\n\n{}", indented(&about(name)), listed(&of_it)))
}

/// Returns the name that was probably meant by an unknown one.
pub fn near(name: &str) -> Option<String> {
    let entries = entries();
    let pages = entries.iter().map(FunctionDoc::page);
    let whole = entries.iter().map(|e| &*e.name);
    let last = entries.iter().filter_map(|e| e.name.rsplit(['.', ':']).next());
    did_you_mean(name, pages.chain(whole).chain(last))
}

/// Returns the modules and namespaces that have a page, each with the first line of what it's about.
pub fn modules() -> BTreeMap<String, String> {
    let first = |page: &str| about(page).lines().next().unwrap_or_default().to_owned();
    entries().iter().map(|entry| (entry.page().to_owned(), first(entry.page()))).collect()
}

/// Lists functions, each with the first line of its page; a function of the stdlib with its module.
fn listed(entries: &[&FunctionDoc]) -> String {
    let shown = |e: &FunctionDoc| {
        if e.name.starts_with("std/") { format!("{}::{}", e.page(), e.signature) } else { e.signature.clone() }
    };
    let width = entries.iter().map(|e| shown(e).len()).max().unwrap_or(0).min(48);
    let first = |e: &FunctionDoc| e.doc.lines().next().unwrap_or_default().to_owned();
    entries.iter().map(|e| format!("{:width$}  {}\n", shown(e), first(e))).collect()
}

/// Returns the entries that have all words of a text. Matches in the name come first, then those in the first line.
fn having<'a>(entries: &'a [FunctionDoc], text: &str) -> Vec<&'a FunctionDoc> {
    let words: Vec<String> = text.split_whitespace().map(str::to_lowercase).collect();
    let place = |entry: &FunctionDoc, word: &str| {
        let (name, doc) = (entry.name.to_lowercase(), entry.doc.to_lowercase());
        let first = doc.lines().next().unwrap_or_default();
        let whole = |text: &str| text.split(|c: char| !c.is_alphanumeric() && c != '_').any(|w| w == word);
        let begins =
            |text: &str| whole(text) || text.split(|c: char| !c.is_alphanumeric()).any(|w| w.starts_with(word));
        let places = [begins(&name), whole(first), begins(first), whole(&doc), begins(&doc)];
        places.iter().position(|found| *found)
    };
    let rank = |entry: &FunctionDoc| words.iter().map(|word| place(entry, word)).sum::<Option<usize>>();
    let mut found: Vec<(usize, &FunctionDoc)> = entries.iter().filter_map(|e| Some((rank(e)?, e))).collect();
    found.retain(|_| !words.is_empty());
    found.sort_by_key(|(rank, _)| *rank);
    found.into_iter().map(|(_, entry)| entry).collect()
}

/// Returns how functions of a name are written, in every namespace, each with the first line of its page.
pub fn written(name: &str) -> Option<String> {
    let behind = |e: &FunctionDoc| !e.name.starts_with("std/") && e.name.rsplit(['.', ':']).next() == Some(name);
    let by_name = |e: &&FunctionDoc| e.name == name || behind(e);
    let entries = entries();
    let found: Vec<&FunctionDoc> = entries.iter().filter(by_name).collect();
    let line = |e: &&FunctionDoc| format!("  {}\n      {}", e.signature, e.doc.lines().next().unwrap_or_default());
    (!found.is_empty()).then(|| found.iter().map(line).collect::<Vec<_>>().join("\n"))
}

/// Formats a comment for a terminal: without the fences around its example.
fn indented(text: &str) -> String {
    let (said, example) = text.split_once("# Example\n\n```rhai\n").unwrap_or((text, ""));
    let code = example.trim_end().trim_end_matches("```").lines().map(|line| format!("    {line}\n"));
    let code: String = code.collect();
    let text = if code.is_empty() { said.to_owned() } else { format!("{said}Example:\n\n{code}") };
    text.lines().map(|l| if l.is_empty() { String::new() } else { format!("    {l}") }).collect::<Vec<_>>().join("\n")
}

/// Returns the pages under `docs/api`, by file name.
pub fn pages() -> BTreeMap<String, String> {
    let mut pages: BTreeMap<String, String> = BTreeMap::new();
    for entry in entries() {
        let page = entry.page();
        let text = pages.entry(format!("{}.md", page.replace('/', "-"))).or_insert_with(|| begun(page));
        *text += &format!("\n## `{}`\n\n{}\n", entry.signature, entry.doc.replace("# Example\n\n", ""));
    }
    let contents: String = pages.keys().map(|file| format!("- [{}]({file})\n", title(file))).collect();
    pages.insert(
        "README.md".to_owned(),
        format!("# What a script can call\n\n{NOTICE}\n{contents}\nEditors with Rhai support read the definitions beside these pages, in the `*.d.rhai` files.\n"),
    );
    pages
}

const NOTICE: &str = "<!-- Made by `scripts/pages` from the comments in the source; don't edit. -->\n";

fn begun(page: &str) -> String {
    format!("# {page}\n\n{NOTICE}\n{}\n", about(page))
}

/// Returns what a page is about.
fn about(page: &str) -> String {
    let about = match page {
        "global" => "Functions that you call without a namespace.",
        "host" => "What a script can do on a host. `each` passes a `host` to its closure.",
        "targets" => "The hosts that a script works on, as `targets()` and `fleet(…)` return them.",
        "failure" => "What `catch (failure)` gets. A string that a script throws has the same properties.",
        "commit" => "A commit, as `release::resolve` and `git::resolve` return it.",
        "release" => "Releases on hosts. Each is a commit's tree under a number, and one rename makes it current.",
        "balancer" => "Takes servers out of the balancer, and puts them back.",
        "clock" => "The current time, pauses, retries, and waits with a deadline.",
        "git" => "The repository that the fleet's app comes from.",
        "forge" => {
            "What a fleet's gate requires of a commit. `std/gate` asks the forge about it: see [gates](../guide/gates.md)."
        }
        "health" => "Checks that hosts are healthy and serve the right version.",
        "ledger" => "The record of who did what, kept on the fleet's balancer machine and on each host.",
        "secret" => {
            "Values that rfab never shows. A script reads them from where they are kept, and passes them on.\n\
             See [secrets](../secrets.md)."
        }
        "notice" => {
            "Messages to people and services, sent in the background. See [how to tell people](../guide/telling.md)."
        }
        "http" => "HTTP requests from this machine, for example to post to a chat, start a build or purge a cache.",
        "local" => {
            "Processes on this machine, in the fabfile's folder, with the environment that rfab was started in.\n\n\
             `local::cd(…)`, `env`, `timeout` and `stdin` return a value that has the same functions as methods:\n\
             `local::cd(\"web\").run(\"npm ci\")`. This page calls the value `local`. Write commands as on a host. Each\n\
             process has its own session without a terminal, and gets no input unless `stdin` gives it some. A second\n\
             Ctrl-C or a time limit stops the process and everything that it started. rfab shows what `run` prints with\n\
             `here` in front. The simulator runs nothing: a command succeeds and prints nothing."
        }
        "service" => "The app's units, which the fleet file lists by role.",
        "ui" => "Messages and tables for the person at the terminal, and questions to them.",
        "version" => {
            "Reads and writes the version in the project's files, and changes nothing else in them.\nSee [version files](../version-files.md)."
        }
        module => return stdlib::text(module).map(first_lines).unwrap_or_default(),
    };
    about.to_owned()
}

/// Returns the `//!` lines at the start of a module.
fn first_lines(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map_while(|line| line.strip_prefix("//!")).map(str::trim).collect();
    lines.join("\n")
}

fn title(file: &str) -> String {
    file.trim_end_matches(".md").replace('-', "/")
}

/// Returns the definitions that editors read, by file name: every primitive with its types, without a body.
pub fn definitions() -> BTreeMap<String, String> {
    let engine = described();
    let definitions = engine.definitions().with_headers(false).include_standard_packages(false);
    let plain = |text: String| {
        [
            ("HostValue", "Host"),
            ("CommitValue", "Commit"),
            ("ReleaseValue", "Release"),
            ("LocalValue", "Local"),
            ("-> String", "-> string"),
        ]
        .into_iter()
        .fold(text, |text, (rust, script)| text.replace(rust, script))
    };
    let files = definitions.iter_files().filter(|(_, text)| text.contains("///"));
    files.map(|(name, text)| (name.replace("__static__", "global"), plain(text))).collect()
}
