//! What an inventory of Ansible says.
use super::{
    found::{Found, Stage, Tool},
    place::Place,
    texts::{plain, read as read_file},
};
use std::{fs, path::Path};

/// The most hosts that a range is unrolled to.
const MOST: usize = 1000;

/// Takes over the hosts of inventories, a stage for each.
pub fn look(folder: &Path, found: &mut Found) {
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
            found.notes.push(format!("`{file}` is YAML, and its hosts have to be written in by hand"));
            continue;
        }
        let Some(text) = read_file(&folder.join(&file)) else { continue };
        let stage = read(stage, &text);
        if !stage.hosts.is_empty() && !found.stages.iter().any(|known| known.name == stage.name) {
            found.stages.push(stage);
            found.tool.get_or_insert((Tool::Ansible, Vec::new())).1.push(file);
        }
    }
}

fn read(name: String, text: &str) -> Stage {
    let mut stage = Stage { name, ..Stage::default() };
    let (mut role, mut vars) = (None, false);
    for line in text.lines().map(|line| line.split(" #").next().unwrap_or_default().trim()) {
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        if let Some(section) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            vars = section.contains(':');
            role =
                Some(section.to_owned()).filter(|role| plain(role) && !["all", "ungrouped"].contains(&role.as_str()));
            continue;
        }
        let value = |key: &str| line.split_whitespace().find_map(|word| word.strip_prefix(key)?.strip_prefix('='));
        let user = value("ansible_user").or(value("ansible_ssh_user")).filter(|user| crate::fleet::is_user(user));
        stage.user = stage.user.take().or(user.map(str::to_owned));
        if vars {
            continue;
        }
        let address = value("ansible_host").or(value("ansible_ssh_host")).and_then(Place::of);
        for name in unrolled(line.split_whitespace().next().unwrap_or_default()) {
            let Some(place) = Place::of(&name) else { continue };
            stage.host(&place.host, role.clone());
            if let (Some(address), Some(host)) = (&address, stage.hosts.iter_mut().find(|h| h.name == place.host)) {
                host.address = Some(address.host.clone()).filter(|address| *address != host.name);
            }
        }
    }
    stage
}

/// `web[01:03]` is three hosts.
fn unrolled(name: &str) -> Vec<String> {
    let parts = || {
        let (before, rest) = name.split_once('[')?;
        let (range, after) = rest.split_once(']')?;
        let (from, to) = range.split_once(':')?;
        let numbers = from.parse::<usize>().ok()?..=to.parse::<usize>().ok()?;
        Some(numbers.take(MOST).map(|n| format!("{before}{n:0width$}{after}", width = from.len())).collect())
    };
    parts().unwrap_or_else(|| vec![name.to_owned()])
}
