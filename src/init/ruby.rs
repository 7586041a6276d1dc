//! Reads the files of Capistrano and Mina by the form of their lines, without running Ruby.
use super::{
    found::{FoundProject, FoundStage, Tool},
    place::HostAddress,
    ruby_lines::{Statement, begins_quoted, list, option, own_tasks, statements},
    texts::{is_path, named, plain, quoted, read as read_file, resolved},
};
use crate::fleet::is_user;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

/// Settings of how a tool works, which rfab doesn't need.
const IDLE: [&str; 12] = [
    "application",
    "repo_url",
    "repository",
    "deploy_to",
    "keep_releases",
    "stage",
    "user",
    "domain",
    "scm",
    "format",
    "log_level",
    "pty",
];

/// Takes over the settings in `config/deploy.rb` and in the files of its stages.
pub(super) fn look(folder: &Path, found: &mut FoundProject) {
    let Some(text) = read_file(&folder.join("config/deploy.rb")) else { return };
    let statements = statements(&text);
    let mina = text.contains("mina/") || statements.iter().any(|s| s.is("set", "domain"));
    let tool = if mina { Tool::Mina } else { Tool::Capistrano };
    let mut files = vec!["config/deploy.rb".to_owned()];
    let mut all = Settings::default();
    all.read(&statements, "");
    let mut own_tasks = own_tasks(&text);
    let stages = folder.join("config/deploy");
    for name in names(&stages) {
        let Some(text) = read_file(&stages.join(format!("{name}.rb"))) else { continue };
        files.push(format!("config/deploy/{name}.rb"));
        own_tasks.extend(self::own_tasks(&text));
        // A stage's settings override those for all stages.
        let mut own = Settings { values: all.values.clone(), stage: all.stage.clone(), ..Settings::default() };
        own.read(&self::statements(&text), &name);
        let (user, path) = (own.user(), own.path());
        own.miss(path.as_ref());
        found.notes.append(&mut own.notes);
        all.unread.append(&mut own.unread);
        if own.linked.len() > all.linked.len() {
            all.linked.extend(own.linked.into_iter().filter(|l| !all.linked.contains(l)).collect::<Vec<_>>());
        }
        found.stages.push(FoundStage { name, user, path, ..own.stage });
    }
    if found.stages.is_empty() && !all.stage.hosts.is_empty() {
        found.stages.push(FoundStage { name: "prod".into(), user: all.user(), path: None, ..all.stage.clone() });
    }
    found.path = all.path();
    if found.stages.is_empty() || !stages.is_dir() {
        all.miss(found.path.as_ref());
    }
    found.notes.append(&mut all.notes);
    found.notes.dedup();
    let listed = |names: &BTreeSet<String>| names.iter().map(|name| named(name)).collect::<Vec<_>>().join(", ");
    if !all.unread.is_empty() {
        found.notes.push(format!("settings that rfab doesn't use: {}", listed(&all.unread)));
    }
    if !own_tasks.is_empty() {
        let tasks = listed(&own_tasks);
        found.notes.push(format!("its own tasks and hooks: write them as functions of the fabfile: {tasks}"));
    }
    if let Some(app) = all.value("application").filter(|name| plain(name)) {
        found.app = app;
    }
    found.keep = all.value("keep_releases").and_then(|n| n.parse().ok()).filter(|n| *n > 0);
    found.repository = all.value("repo_url").or(all.value("repository"));
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

/// The settings in the statements of a file.
#[derive(Default)]
struct Settings {
    /// Values as written. A lambda is filled in when it's read, as in Ruby.
    values: BTreeMap<String, String>,
    linked: Vec<String>,
    stage: FoundStage,
    notes: Vec<String>,
    unread: BTreeSet<String>,
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
                ("set", "domain") => {
                    quoted(rest).iter().take(1).for_each(|host| self.host(host, vec!["web".into()], None));
                }
                ("set", _) => self.set(name, rest),
                ("role", _) => quoted(rest).iter().for_each(|host| self.host(host, vec![name.clone()], None)),
                ("server", _) => self.server(rest),
                _ => {}
            }
        }
    }

    fn server(&mut self, rest: &str) {
        let roles = option(rest, "roles").map(list).unwrap_or_default();
        let user = option(rest, "user").and_then(|user| quoted(user).into_iter().next());
        let first = rest.split(',').next().unwrap_or_default().trim();
        let host = if begins_quoted(rest) {
            quoted(rest).into_iter().next()
        } else {
            self.value(first.trim_start_matches("fetch").trim_matches(['(', ')', ':']))
        };
        let Some(host) = host else { return self.by_hand("the host", first) };
        let text = option(rest, "port")
            .map_or(host.clone(), |port| format!("{host}:{}", port.trim().trim_matches(['"', '\''])));
        for key in ["ssh_options", "no_release"] {
            if rest.contains(&format!("{key}:")) || rest.contains(&format!(":{key} ")) {
                self.notes.push(format!("{}: {}", named(&host), beyond(key)));
            }
        }
        self.host(&text, roles, user);
    }

    fn set(&mut self, name: &str, rest: &str) {
        let body = lambda(rest);
        let value = match quoted(body).into_iter().next() {
            Some(value) if begins_quoted(body) => Some(value),
            None => Some(body.trim().trim_start_matches(':').to_owned()),
            // A part of an expression.
            Some(_) => None,
        };
        match name {
            "branch" => {
                let branch = value.filter(|value| resolved(value, |_| None).is_some()).unwrap_or("stable".to_owned());
                let line = named(&format!("rfab deploy:{branch}"));
                self.notes.push(format!("what is deployed (`:branch`) is the argument of `deploy` here, as in {line}"));
            }
            "repo_tree" | "ssh_options" | "default_env" | "gateway" | "port" => {
                self.notes.push(format!("`:{name}` {}: {}", rest_named(rest, name), beyond(name)));
            }
            _ => {
                let known = IDLE.contains(&name);
                if !known {
                    self.unread.insert(format!(":{name}"));
                }
                match value {
                    // Other settings may use it.
                    Some(value) => _ = self.values.insert(name.to_owned(), value),
                    None if known => self.by_hand(&format!("`:{name}`"), rest),
                    None => {}
                }
            }
        }
    }

    /// Returns a setting with the settings that it uses filled in.
    fn value(&self, name: &str) -> Option<String> {
        self.filled(name, 0)
    }

    fn filled(&self, name: &str, depth: usize) -> Option<String> {
        let value = self.values.get(name).filter(|_| depth < 8)?;
        resolved(value, |name| self.filled(name, depth + 1))
    }

    fn host(&mut self, text: &str, roles: Vec<String>, user: Option<String>) {
        let Some(place) = resolved(text, |name| self.value(name)).and_then(|text| HostAddress::of(&text)) else {
            return self.by_hand("the host", text);
        };
        if let Some(user) = user.or(place.user) {
            let first = self.stage.user.get_or_insert(user.clone());
            if *first != user {
                let note = format!("{}: its login user {user} belongs in an ssh configuration", place.host);
                self.notes.push(note);
            }
        }
        self.notes
            .extend(place.port.map(|port| format!("{}: port {port} belongs in an ssh configuration", place.host)));
        self.stage.host(&place.host, roles);
    }

    fn by_hand(&mut self, what: &str, text: &str) {
        self.notes.push(format!("{what} {} is computed in Ruby: add it by hand", named(text)));
    }

    fn user(&self) -> Option<String> {
        self.stage.user.clone().or_else(|| self.value("user")).filter(|user| is_user(user))
    }

    fn path(&self) -> Option<String> {
        let path = self.value("deploy_to").map(|path| path.trim_end_matches('/').to_owned());
        path.filter(|path| path.starts_with('/') && is_path(path))
    }

    /// Notes that a folder is set in a way that only Ruby could compute.
    fn miss(&mut self, path: Option<&String>) {
        if let (None, Some(written)) = (path, self.values.get("deploy_to").cloned()) {
            self.by_hand("`:deploy_to`", &written);
        }
    }
}

/// Returns the text in a lambda or a block.
fn lambda(text: &str) -> &str {
    let text = text.trim();
    let body = ["->", "lambda", "proc", "Proc.new"].iter().find_map(|begin| text.strip_prefix(begin));
    let body = body.unwrap_or(text).trim_start().trim_start_matches("()").trim_start();
    let inner = body.strip_prefix('{').and_then(|rest| rest.trim_end().strip_suffix('}'));
    inner.map_or(text, str::trim)
}

/// Returns what to do about a setting that belongs elsewhere in rfab.
fn beyond(setting: &str) -> &'static str {
    match setting {
        "repo_tree" => "rfab releases the whole tree; a `build` hook with `built` releases a part of it",
        "default_env" => "write it as `host.env(#{ … })` in the hooks",
        "gateway" => "write it as `via` of the fleet",
        "no_release" => "nothing is released there: leave it out, or give it no role of `[app]`",
        "port" => "it belongs in an ssh configuration",
        _ => "ports, keys and proxies belong in an ssh configuration, jump hosts into `via` of the fleet",
    }
}

/// Returns the value of a setting, unless it may contain a password.
fn rest_named(rest: &str, name: &str) -> String {
    if name == "repo_tree" { named(rest.trim().trim_matches(['"', '\''])) } else { "isn't taken over".to_owned() }
}
