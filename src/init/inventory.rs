//! Reads inventories of Ansible.
use super::{
    found::{FoundProject, FoundStage, Tool},
    place::HostAddress,
    range::unrolled,
    texts::{named, plain, read as read_file},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

/// Takes over the hosts of inventories, with one stage for each.
pub(super) fn look(folder: &Path, found: &mut FoundProject) {
    if found.tool.is_some() {
        return;
    }
    let mut files: Vec<(String, String)> = Vec::new();
    for file in ["inventory", "inventory.ini", "hosts", "hosts.ini", "ansible/inventory", "ansible/hosts"] {
        files.push((file.to_owned(), "prod".to_owned()));
    }
    for inner in ["inventory", "inventories", "ansible/inventory", "ansible/inventories"] {
        let entries = fs::read_dir(folder.join(inner)).into_iter().flatten().flatten();
        let mut names: Vec<String> = entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
        names.sort();
        for name in names {
            let stage = name.strip_suffix(".ini").unwrap_or(&name).to_owned();
            let stage = if stage == "hosts" { "prod".to_owned() } else { stage };
            let path = format!("{inner}/{name}");
            let path = if folder.join(&path).is_dir() { format!("{path}/hosts") } else { path };
            files.push((path, stage));
        }
    }
    for (file, stage) in files.into_iter().filter(|(_, stage)| plain(stage)) {
        if [".yml", ".yaml"].iter().any(|end| file.ends_with(end)) {
            found.notes.push(format!("`{file}` is YAML: add its hosts by hand"));
            continue;
        }
        let Some(text) = read_file(&folder.join(&file)) else { continue };
        let mut reading = InventoryReading {
            stage: FoundStage { name: stage, ..FoundStage::default() },
            ..InventoryReading::default()
        };
        reading.read(&text);
        let stage = reading.end(&mut found.notes);
        if !stage.hosts.is_empty() && !found.stages.iter().any(|known| known.name == stage.name) {
            found.stages.push(stage);
            found.tool.get_or_insert((Tool::Ansible, Vec::new())).1.push(file.clone());
            let beside = Path::new(&file).parent().unwrap_or(Path::new(""));
            for vars in ["group_vars", "host_vars"] {
                let vars = beside.join(vars);
                if folder.join(&vars).is_dir() {
                    found.notes.push(format!("`{}` isn't read", vars.display()));
                }
            }
        }
    }
}

/// An inventory while it's read.
#[derive(Default)]
struct InventoryReading {
    stage: FoundStage,
    /// The login user if a host and its groups name none.
    user: Option<String>,
    /// The login users of hosts and groups.
    users: BTreeMap<String, String>,
    notes: Vec<String>,
    /// Variables that rfab has no use for.
    unread: BTreeSet<String>,
}

impl InventoryReading {
    fn read(&mut self, text: &str) {
        let (mut section, mut kind) = (String::new(), String::new());
        for line in text.lines().map(uncommented).filter(|line| !line.is_empty()) {
            if let Some(head) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
                let (name, of) = head.split_once(':').unwrap_or((head, "hosts"));
                (section, kind) = (name.trim().to_owned(), of.trim().to_owned());
                continue;
            }
            match kind.as_str() {
                "vars" => {
                    let (key, value) = line.split_once('=').unwrap_or((line, ""));
                    self.variable(&section, key.trim(), value.trim().trim_matches(['"', '\'']));
                }
                "children" => self.notes.push(format!(
                    "`{line}` is part of the group `{section}`: give its hosts that role, too, if you need it"
                )),
                _ => self.hosts(&section, line),
            }
        }
    }

    fn hosts(&mut self, section: &str, line: &str) {
        let words = words(line);
        let Some((first, variables)) = words.split_first() else { return };
        let role = Some(section).filter(|role| plain(role) && !["all", "ungrouped"].contains(role));
        let names = unrolled(first).unwrap_or_else(|| vec![first.clone()]);
        let mut hosts = Vec::new();
        for name in &names {
            let Some(place) = HostAddress::of(name) else {
                self.notes.push(format!("the host {} can't be read: add it by hand", named(name)));
                continue;
            };
            self.port(&place.host, place.port.as_deref());
            self.stage.host(&place.host, role.map(str::to_owned));
            hosts.push(place.host);
        }
        for (key, value) in variables.iter().filter_map(|word| word.split_once('=')) {
            match (key, HostAddress::of(value)) {
                ("ansible_host" | "ansible_ssh_host", Some(address)) => {
                    let own = self.stage.hosts.iter_mut().filter(|host| hosts.contains(&host.name));
                    own.for_each(|host| host.address = Some(address.host.clone()).filter(|at| *at != host.name));
                    self.port(&hosts.join(", "), address.port.as_deref());
                }
                _ => hosts.iter().for_each(|host| self.variable(host, key, value)),
            }
        }
    }

    /// Reads a variable of a host, of a group, or of `all`.
    fn variable(&mut self, of: &str, key: &str, value: &str) {
        match key {
            "ansible_user" | "ansible_ssh_user" if crate::fleet::is_user(value) => match of {
                "all" => self.user = Some(value.to_owned()),
                of => _ = self.users.insert(of.to_owned(), value.to_owned()),
            },
            "ansible_port" | "ansible_ssh_port" => self.port(of, Some(value).filter(|port| *port != "22")),
            "ansible_ssh_common_args" | "ansible_ssh_extra_args" if jump(value).is_some() => {
                let jump = jump(value).unwrap_or_default();
                self.notes.push(format!("{of}: reached through {}: write `via = \"…\"` into the fleet", named(&jump)));
            }
            _ => _ = self.unread.insert(key.to_owned()),
        }
    }

    fn port(&mut self, of: &str, port: Option<&str>) {
        self.notes.extend(port.map(|port| format!("{of}: port {port} belongs in an ssh configuration")));
    }

    /// Builds the stage. Its fleet can have only one login user.
    fn end(mut self, notes: &mut Vec<String>) -> FoundStage {
        let own = |host: &super::found::FoundHost| {
            let groups = host.roles.iter().find_map(|role| self.users.get(role));
            self.users.get(&host.name).or(groups).cloned()
        };
        let users: Vec<(String, String)> =
            self.stage.hosts.iter().filter_map(|host| Some((host.name.clone(), own(host)?))).collect();
        self.stage.user = self.user.or(users.first().map(|(_, user)| user.clone()));
        let others = users.iter().filter(|(_, user)| Some(user) != self.stage.user.as_ref());
        notes.append(&mut self.notes);
        notes.extend(
            others.map(|(host, user)| format!("{host}: its login user {user} belongs in an ssh configuration")),
        );
        if !self.unread.is_empty() {
            let unread: Vec<String> = self.unread.iter().map(|key| named(key)).collect();
            notes.push(format!("{}: variables that rfab doesn't use: {}", self.stage.name, unread.join(", ")));
        }
        self.stage
    }
}

/// Strips the comment from a line.
fn uncommented(line: &str) -> &str {
    let line = line.split(" #").next().unwrap_or_default().trim();
    if line.starts_with(['#', ';']) { "" } else { line }
}

/// Splits a line into words, but not at blanks within quotes or around `=`.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), String::new(), None);
    let mut rest = line.chars().peekable();
    while let Some(c) = rest.next() {
        match (quote, c) {
            (Some(open), _) if c == open => quote = None,
            (None, '"' | '\'') => quote = Some(c),
            (None, _) if c.is_whitespace() => {
                while rest.next_if(|c| c.is_whitespace()).is_some() {}
                if !word.ends_with('=') && rest.peek() != Some(&'=') {
                    words.push(std::mem::take(&mut word));
                }
            }
            _ => word.push(c),
        }
    }
    words.push(word);
    words.retain(|word| !word.is_empty());
    words
}

/// Finds the jump host in arguments of ssh.
fn jump(arguments: &str) -> Option<String> {
    let words: Vec<&str> = arguments.split([' ', '=']).map(|word| word.trim_matches(['"', '\''])).collect();
    let proxy = |word: &&str| ["-J", "ProxyJump", "ProxyCommand"].contains(word) || word.ends_with("ProxyJump");
    let at = words.iter().position(proxy)?;
    match words[at] {
        "ProxyCommand" => Some(words[at + 1..].join(" ")),
        _ => words.get(at + 1).map(|host| (*host).to_owned()),
    }
}
