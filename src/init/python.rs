//! Reads a `fabfile.py` by the form of its lines, without running Python.
use super::{
    found::{FoundProject, FoundStage, Tool},
    place::HostAddress,
    texts::{is_path, named, plain, quoted, read as read_file},
};
use std::{collections::BTreeMap, path::Path};

/// Names that people use for the folder of their app.
const PATHS: [&str; 7] = ["deploy_to", "code_dir", "deploy_path", "project_dir", "path", "DEPLOY_PATH", "CODE_DIR"];

/// Calls with hosts as their positional arguments.
const GROUPS: [&str; 6] = ["Connection(", "SerialGroup(", "ThreadingGroup(", "Group(", "@hosts(", "hosts=["];

/// Settings of Fabric that belong in an ssh configuration, or in other keys of a fleet file.
const SETTINGS: [&str; 9] = [
    "port",
    "gateway",
    "key_filename",
    "password",
    "passwords",
    "forward_agent",
    "connect_kwargs",
    "disable_known_hosts",
    "shell",
];

/// Takes over hosts and users from `env.hosts`, `env.roledefs`, `hosts=[…]`, `Connection(…)` and groups.
pub(super) fn look(folder: &Path, found: &mut FoundProject) {
    let Some(text) = read_file(&folder.join("fabfile.py")) else { return };
    if found.tool.is_some() {
        return;
    }
    found.tool = Some((Tool::Fabric, vec!["fabfile.py".to_owned()]));
    let lines = lines(&text);
    let mut reading = PythonReading { found, lists: lists(&lines), user: None, function: None };
    for line in &lines {
        if let Some((name, parameters)) = line.trim_start().strip_prefix("def ").and_then(|rest| rest.split_once('(')) {
            reading.function = line.starts_with("def ").then(|| name.trim().to_owned());
            reading.parameters(parameters);
        } else if !line.starts_with([' ', '\t', '@']) {
            reading.function = None;
        }
        reading.read(line);
    }
    let user = reading.user;
    // A setting outside all functions applies to all of them.
    found.stages.iter_mut().for_each(|stage| stage.user = stage.user.take().or(user.clone()));
    found.stages.retain(|stage| !stage.hosts.is_empty());
    found.notes.dedup();
}

struct PythonReading<'a> {
    found: &'a mut FoundProject,
    /// Lists of texts, by the names of their variables.
    lists: BTreeMap<String, Vec<String>>,
    /// The login user that is set outside all functions.
    user: Option<String>,
    function: Option<String>,
}

impl PythonReading<'_> {
    fn read(&mut self, line: &str) {
        let word = line.trim();
        let assigned = |names: &[&str]| {
            let (left, right) = word.split_once('=')?;
            names.contains(&left.trim().trim_start_matches("env.")).then_some(right)
        };
        self.says_more(word);
        if let Some(path) = assigned(&PATHS).and_then(folder) {
            self.path(path, word);
            return;
        }
        let name = self.function.as_deref().filter(|name| plain(name)).unwrap_or("prod").to_owned();
        if let Some(user) = assigned(&["user"]).filter(|_| word.starts_with("env.user")) {
            match quoted(user).into_iter().next().filter(|user| crate::fleet::is_user(user)) {
                Some(user) if self.function.is_none() => self.user = Some(user),
                Some(user) => self.stage(&name).user = Some(user),
                None => self.by_hand("the login user", user),
            }
        } else if let Some(roles) = word.strip_prefix("env.roledefs").and_then(|rest| rest.split_once('=')) {
            for part in roles.1.split(']') {
                if let [role, hosts @ ..] = &quoted(part)[..]
                    && plain(role)
                {
                    hosts.iter().for_each(|host| self.take(&name, host, Some(role)));
                }
            }
        } else if let Some(hosts) = assigned(&["hosts"]) {
            self.hosts(&name, hosts);
        } else if let Some((call, arguments)) = GROUPS.iter().find_map(|call| Some((*call, word.split_once(call)?.1))) {
            let close = if call.ends_with('[') { ']' } else { ')' };
            let arguments = arguments.split(close).next().unwrap_or_default();
            // A named argument isn't a host: `user="deploy"`.
            let (named, plain): (Vec<&str>, Vec<&str>) = arguments.split(',').partition(|part| part.contains('='));
            let user = named.iter().find_map(|part| part.trim().strip_prefix("user")?.trim().strip_prefix('='));
            let user = user.and_then(|user| quoted(user).into_iter().next());
            self.hosts("prod", &plain.join(","));
            if let Some(user) = user.filter(|user| crate::fleet::is_user(user)) {
                self.stage("prod").user.get_or_insert(user);
            }
        }
    }

    /// Reads hosts from texts, or from the name of a list of them.
    fn hosts(&mut self, stage: &str, text: &str) {
        let mut hosts = quoted(text);
        let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).filter(|word| !word.is_empty());
        hosts.extend(words.filter_map(|word| self.lists.get(word)).flatten().cloned());
        if hosts.is_empty() && !matches!(text.trim(), "" | "[]") {
            self.by_hand("hosts", text);
        }
        hosts.iter().for_each(|host| self.take(stage, host, None));
    }

    fn take(&mut self, stage: &str, host: &str, role: Option<&String>) {
        let Some(place) = HostAddress::of(host) else { return self.by_hand("a host", host) };
        let port = place.port.map(|port| format!("{}: port {port} belongs in an ssh configuration", place.host));
        self.found.notes.extend(port);
        let stage = self.stage(stage);
        stage.user = stage.user.take().or(place.user);
        stage.host(&place.host, role.cloned());
    }

    /// Sets the app's folder. It's a guess if no variable's name makes it certain.
    fn path(&mut self, path: String, by: &str) {
        if self.found.path.is_none() {
            self.found.guesses.push(format!("the app's folder is {path}, by {}", named(by)));
            self.found.path = Some(path);
        }
    }

    /// Notes a line that belongs elsewhere in rfab.
    fn says_more(&mut self, word: &str) {
        let env = word.strip_prefix("env.").and_then(|rest| rest.split([' ', '=']).next());
        if let Some(setting) = env.filter(|setting| SETTINGS.contains(setting)) {
            self.found.notes.push(match setting {
                "gateway" => "`env.gateway`: write `via = \"…\"` into the fleet".to_owned(),
                setting => format!("`env.{setting}` belongs in an ssh configuration"),
            });
        }
        let of_ssh = ["gateway=", "port=", "connect_kwargs="].into_iter().filter(|part| word.contains(part));
        if GROUPS.iter().any(|call| word.contains(call)) {
            let notes = of_ssh.map(|part| format!("`{part}…` of {}: it belongs in an ssh configuration", named(word)));
            self.found.notes.extend(notes);
        }
        let cd = [" cd(", ".cd("]
            .iter()
            .find_map(|call| format!(" {word}").split_once(call).map(|(_, rest)| rest.to_owned()));
        if let Some(path) = cd.as_deref().and_then(folder) {
            self.path(path, word);
        }
        for tool in ["supervisorctl", "systemctl", "service "] {
            if let Some(command) = quoted(word).iter().find(|text| text.contains(tool) && text.contains("restart")) {
                let tool = tool.trim();
                self.found.notes.push(format!(
                    "{} restarts the app: name what it restarts in `units`{}",
                    named(command),
                    if tool == "supervisorctl" {
                        ", and write `restart = \"supervisorctl restart {unit}\"`, and likewise for `start`, `stop` and `status`"
                    } else {
                        ""
                    }
                ));
            }
        }
    }

    /// Notes a task's parameter for the version to deploy, which is an argument of `deploy` in rfab.
    fn parameters(&mut self, parameters: &str) {
        let names = ["branch", "tag", "revision", "commit", "version", "ref"];
        for parameter in parameters.split([',', ')']) {
            let (name, default) = parameter.split_once('=').unwrap_or((parameter, ""));
            if names.contains(&name.trim()) {
                let default = quoted(default).into_iter().next().filter(|text| !text.is_empty());
                let example = default.unwrap_or_else(|| "stable".to_owned());
                self.found.notes.push(format!(
                    "what is deployed (`{}`) is the argument of `deploy` here, as in {}",
                    name.trim(),
                    named(&format!("rfab deploy:{example}"))
                ));
            }
        }
    }

    fn by_hand(&mut self, what: &str, text: &str) {
        self.found.notes.push(format!("{what} computed in Python, {}: add it by hand", named(text)));
    }

    fn stage(&mut self, name: &str) -> &mut FoundStage {
        let stages = &mut self.found.stages;
        let at = stages.iter().position(|stage| stage.name == name).unwrap_or_else(|| {
            stages.push(FoundStage { name: name.to_owned(), ..FoundStage::default() });
            stages.len() - 1
        });
        &mut stages[at]
    }
}

/// Returns the first absolute path among the quoted texts.
fn folder(text: &str) -> Option<String> {
    let paths = quoted(text).into_iter().map(|path| path.trim_end_matches('/').to_owned());
    paths.into_iter().find(|path| path.starts_with('/') && is_path(path))
}

/// Reads each `NAME = ["a", "b"]` at the top level of the file.
fn lists(lines: &[String]) -> BTreeMap<String, Vec<String>> {
    let list = |line: &String| {
        let (name, value) = line.split_once('=')?;
        let name = name.trim_end();
        let is_name = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        (is_name && value.trim_start().starts_with(['[', '('])).then(|| (name.to_owned(), quoted(value)))
    };
    lines.iter().filter_map(list).collect()
}

/// Returns lines without comments. A line that ends within brackets is joined with the next.
fn lines(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut open = false;
    for line in text.lines().map(|line| line.split(" #").next().unwrap_or_default().trim_end()) {
        if line.trim_start().starts_with('#') {
            continue;
        }
        match lines.last_mut().filter(|_| open) {
            Some(last) => *last += &format!(" {}", line.trim()),
            None => lines.push(line.to_owned()),
        }
        let count = |set: &str| lines.last().map_or(0, |l| l.chars().filter(|c| set.contains(*c)).count());
        open = count("([{") > count(")]}");
    }
    lines
}
