//! What a `fabfile.py` says, read by the shape of its lines; no Python is run.
use super::{
    found::{Found, Stage, Tool},
    place::Place,
    texts::{is_path, plain, quoted, read as read_file},
};
use std::path::Path;

/// Takes over hosts and users: of `env.hosts`, `env.roledefs`, `hosts=[…]`, `Connection(…)` and groups.
pub fn look(folder: &Path, found: &mut Found) {
    let Some(text) = read_file(&folder.join("fabfile.py")) else { return };
    if found.tool.is_some() {
        return;
    }
    found.tool = Some((Tool::Fabric, vec!["fabfile.py".to_owned()]));
    let mut function = None;
    for line in lines(&text) {
        if let Some(name) = line.trim_start().strip_prefix("def ").and_then(|rest| rest.split('(').next()) {
            function = line.starts_with("def ").then(|| name.trim().to_owned());
        } else if !line.starts_with([' ', '\t', '@']) {
            function = None;
        }
        read(&line, function.as_deref(), found);
    }
    found.stages.retain(|stage| !stage.hosts.is_empty());
}

fn read(line: &str, function: Option<&str>, found: &mut Found) {
    let word = line.trim();
    let named = |names: &[&str]| {
        let (left, right) = word.split_once('=')?;
        names.contains(&left.trim().trim_start_matches("env.")).then_some(right)
    };
    if let Some(path) =
        named(&["deploy_to", "code_dir", "deploy_path", "project_dir", "path", "DEPLOY_PATH", "CODE_DIR"])
        && let Some(path) = quoted(path)
            .into_iter()
            .map(|path| path.trim_end_matches('/').to_owned())
            .find(|path| path.starts_with('/') && is_path(path))
    {
        found.path.get_or_insert(path);
        return;
    }
    let name = function.filter(|name| plain(name)).unwrap_or("prod");
    if word.starts_with("env.user") {
        let user = named(&["user"]).and_then(|user| quoted(user).into_iter().next());
        stage(found, name).user = user.filter(|user| crate::fleet::is_user(user));
    } else if let Some(roles) = word.strip_prefix("env.roledefs").and_then(|rest| rest.split_once('=')) {
        for part in roles.1.split(']') {
            if let [role, hosts @ ..] = &quoted(part)[..]
                && plain(role)
            {
                hosts.iter().for_each(|host| take(found, name, host, Some(role)));
            }
        }
    } else if let Some(hosts) = named(&["hosts"]) {
        quoted(hosts).iter().for_each(|host| take(found, name, host, None));
    } else {
        for call in ["Connection(", "SerialGroup(", "ThreadingGroup(", "Group(", "hosts=["] {
            if let Some((_, arguments)) = word.split_once(call) {
                let close = if call.ends_with('[') { ']' } else { ')' };
                let arguments = arguments.split(close).next().unwrap_or_default();
                // What stands behind a name is no host: `user="deploy"`.
                let plain = arguments.split(',').filter(|argument| !argument.contains('='));
                plain.flat_map(quoted).for_each(|host| take(found, "prod", &host, None));
                return;
            }
        }
    }
}

fn take(found: &mut Found, name: &str, host: &str, role: Option<&String>) {
    let Some(place) = Place::of(host) else { return };
    found.notes.extend(place.port.map(|port| format!("{}: port {port} belongs into an ssh configuration", place.host)));
    let stage = stage(found, name);
    stage.user = stage.user.take().or(place.user);
    stage.host(&place.host, role.cloned());
}

fn stage<'a>(found: &'a mut Found, name: &str) -> &'a mut Stage {
    let at = found.stages.iter().position(|stage| stage.name == name).unwrap_or_else(|| {
        found.stages.push(Stage { name: name.to_owned(), ..Stage::default() });
        found.stages.len() - 1
    });
    &mut found.stages[at]
}

/// Lines without comments; one that ends within brackets goes on.
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
