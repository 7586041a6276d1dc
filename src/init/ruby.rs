//! What Capistrano's and Mina's files say, read by the shape of their lines; no Ruby is run.
use super::{
    found::{Found, Stage, Tool},
    place::Place,
    texts::{is_path, plain, quoted, read as read_file, resolved},
};
use crate::fleet::is_user;
use std::{collections::BTreeMap, fs, path::Path};

/// Takes over what `config/deploy.rb` and the files of its stages say.
pub fn look(folder: &Path, found: &mut Found) {
    let Some(text) = read_file(&folder.join("config/deploy.rb")) else { return };
    let statements = statements(&text);
    let mina = text.contains("mina/") || statements.iter().any(|s| s.is("set", "domain"));
    let tool = if mina { Tool::Mina } else { Tool::Capistrano };
    let mut files = vec!["config/deploy.rb".to_owned()];
    let mut all = Settings::default();
    all.read(&statements, "");
    let stages = folder.join("config/deploy");
    for name in names(&stages) {
        let Some(text) = read_file(&stages.join(format!("{name}.rb"))) else { continue };
        files.push(format!("config/deploy/{name}.rb"));
        // A stage's lines hold over those for all.
        let mut own = Settings { values: all.values.clone(), stage: all.stage.clone(), ..Settings::default() };
        own.read(&self::statements(&text), &name);
        found.notes.append(&mut own.notes);
        let (user, path) = (own.user(), own.path());
        if own.linked.len() > all.linked.len() {
            all.linked.extend(own.linked.into_iter().filter(|l| !all.linked.contains(l)).collect::<Vec<_>>());
        }
        found.stages.push(Stage { name, user, path, ..own.stage });
    }
    if found.stages.is_empty() && !all.stage.hosts.is_empty() {
        found.stages.push(Stage { name: "prod".into(), user: all.user(), path: None, ..all.stage.clone() });
    }
    found.notes.append(&mut all.notes);
    found.path = all.path();
    if let Some(app) = all.values.get("application").filter(|name| plain(name)) {
        found.app = app.clone();
    }
    found.keep = all.values.get("keep_releases").and_then(|n| n.parse().ok()).filter(|n| *n > 0);
    found.repository = all.values.get("repo_url").or(all.values.get("repository")).cloned();
    found.linked = all.linked;
    found.tool = Some((tool, files));
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries
        .filter_map(|entry| entry.file_name().into_string().ok()?.strip_suffix(".rb").map(str::to_owned))
        .filter(|name| plain(name))
        .collect();
    names.sort();
    names
}

/// What the statements of a file set.
#[derive(Default)]
struct Settings {
    values: BTreeMap<String, String>,
    linked: Vec<String>,
    stage: Stage,
    notes: Vec<String>,
}

impl Settings {
    fn read(&mut self, statements: &[Statement], stage: &str) {
        if !stage.is_empty() {
            self.values.insert("stage".into(), stage.to_owned());
        }
        for Statement { verb, name, rest } in statements {
            match (verb.as_str(), name.as_str()) {
                (
                    "set" | "append",
                    "linked_files" | "linked_dirs" | "shared_files" | "shared_dirs" | "shared_paths",
                ) => {
                    let linked = quoted(rest).into_iter().filter(|path| !path.starts_with('/') && is_path(path));
                    let new: Vec<String> = linked.filter(|path| !self.linked.contains(path)).collect();
                    self.linked.extend(new);
                }
                ("set", "domain") => quoted(rest).iter().take(1).for_each(|host| self.host(host, vec!["web".into()])),
                ("set", _) => self.set(name, rest),
                ("role", _) => quoted(rest).iter().for_each(|host| self.host(host, vec![name.clone()])),
                ("server", _) => {
                    let roles = option(rest, "roles").map(list).unwrap_or_default();
                    if let Some(user) = option(rest, "user").and_then(|user| quoted(user).into_iter().next()) {
                        self.stage.user.get_or_insert(user);
                    }
                    let host = if begins_quoted(rest) { quoted(rest).into_iter().next() } else { None };
                    self.host(&host.unwrap_or_else(|| rest.split(',').next().unwrap_or_default().to_owned()), roles);
                }
                _ => {}
            }
        }
    }

    fn set(&mut self, name: &str, rest: &str) {
        let value = match quoted(rest).into_iter().next() {
            Some(value) if begins_quoted(rest) => value,
            None => rest.trim().trim_start_matches(':').to_owned(),
            // Part of an expression.
            Some(_) => return,
        };
        let known = |name: &str| self.values.get(name).cloned();
        if let Some(value) = resolved(&value, known) {
            self.values.insert(name.to_owned(), value);
        }
    }

    fn host(&mut self, text: &str, roles: Vec<String>) {
        let known = |name: &str| self.values.get(name).cloned();
        let Some(place) = resolved(text, known).and_then(|text| Place::of(&text)) else {
            self.notes
                .push(format!("the host `{}` is made by Ruby, and has to be written in by hand", text.escape_debug()));
            return;
        };
        if let Some(user) = place.user {
            self.stage.user.get_or_insert(user);
        }
        self.notes
            .extend(place.port.map(|port| format!("{}: port {port} belongs into an ssh configuration", place.host)));
        self.stage.host(&place.host, roles);
    }

    fn user(&self) -> Option<String> {
        let user = self.stage.user.as_ref().or_else(|| self.values.get("user"));
        user.filter(|user| is_user(user)).cloned()
    }

    fn path(&self) -> Option<String> {
        let path = self.values.get("deploy_to").map(|path| path.trim_end_matches('/'));
        path.filter(|path| path.starts_with('/') && is_path(path)).map(str::to_owned)
    }
}

/// `set :name, rest`, `server rest`, `role :name, rest`.
struct Statement {
    verb: String,
    name: String,
    rest: String,
}

impl Statement {
    fn is(&self, verb: &str, name: &str) -> bool {
        self.verb == verb && self.name == name
    }
}

fn begins_quoted(text: &str) -> bool {
    text.trim_start().starts_with(['\'', '"'])
}

fn statements(text: &str) -> Vec<Statement> {
    let mut lines: Vec<String> = Vec::new();
    let mut open = false;
    for line in text.lines().map(uncommented) {
        match lines.last_mut().filter(|_| open) {
            Some(last) => *last += &format!(" {}", line.trim()),
            None => lines.push(line.trim().to_owned()),
        }
        let last = lines.last().map_or("", |line| line.trim_end());
        let count = |set: &str| last.chars().filter(|c| set.contains(*c)).count();
        open = last.ends_with([',', '\\']) || count("([{") > count(")]}") && !last.ends_with("do");
    }
    lines.iter().filter_map(|line| statement(line)).collect()
}

fn statement(line: &str) -> Option<Statement> {
    let verb: String = line.chars().take_while(|c| c.is_ascii_lowercase()).collect();
    if !["set", "append", "server", "role"].contains(&verb.as_str()) {
        return None;
    }
    let rest = line[verb.len()..].trim_start_matches(|c: char| c == '(' || c.is_whitespace());
    if verb == "server" {
        return Some(Statement { verb, name: String::new(), rest: rest.to_owned() });
    }
    let (name, rest) = rest.strip_prefix(':')?.split_once(',')?;
    Some(Statement { verb, name: name.trim().to_owned(), rest: rest.trim_end_matches(')').to_owned() })
}

/// A line without its comment; `#{` is none.
fn uncommented(line: &str) -> &str {
    let mut within = None;
    for (at, c) in line.char_indices() {
        match (within, c) {
            (None, '\'' | '"') => within = Some(c),
            (Some(quote), _) if quote == c => within = None,
            (None, '#') if !line[at..].starts_with("#{") => return &line[..at],
            _ => {}
        }
    }
    line
}

/// The value of `key: …` or `:key => …`, to the end of the list that it is.
fn option<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    let new = format!("{key}:");
    let old = format!(":{key} =>");
    let at = text.find(&new).map(|at| at + new.len()).or_else(|| text.find(&old).map(|at| at + old.len()))?;
    let value = text[at..].trim_start();
    let end = match value.starts_with(['%', '[']) {
        true => value.find([']', '}', ')', '>']).map(|at| at + 1),
        false => value.find(','),
    };
    Some(&value[..end.unwrap_or(value.len())])
}

/// The words of `%w{a b}`, `[:a, 'b']` or `:a`.
fn list(text: &str) -> Vec<String> {
    let bare = text.strip_prefix("%w").or(text.strip_prefix("%i")).unwrap_or(text);
    let words = bare.split(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '-');
    words.filter(|word| !word.is_empty()).map(str::to_owned).collect()
}
