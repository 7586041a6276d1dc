//! Reports on a new fabfile: what was found, what was written, and what to type next.
use super::{File, FoundProject, plan::PlannedFleet};

/// Returns the whole report.
pub fn said(found: &FoundProject, fleets: &[PlannedFleet], files: &[File]) -> String {
    let mut text = String::from("found:\n");
    for line in facts(found) {
        text += &format!("  {line}\n");
    }
    let strange = fleets.iter().filter(|fleet| !fleet.strange.is_empty());
    let strange = strange.map(|fleet| {
        format!("{}: {}: in no group that the app seems to run on", fleet.stage.name, fleet.strange.join(", "))
    });
    let notes: Vec<String> = found.notes.iter().cloned().chain(strange).collect();
    if !notes.is_empty() {
        text += "\nnot taken over:\n";
        notes.iter().for_each(|note| text += &format!("  {note}\n"));
    }
    let guesses = guesses(found, fleets);
    if !guesses.is_empty() {
        text += "\nguessed, so check it:\n";
        guesses.iter().for_each(|guess| text += &format!("  {guess}\n"));
    }
    text += "\nwritten:\n";
    files.iter().for_each(|file| text += &format!("  {}\n", file.path));
    format!("{text}\n{}", next(fleets))
}

fn facts(found: &FoundProject) -> Vec<String> {
    let by = |file: &str| format!(" (`{file}`)");
    let mut facts = vec![match &found.by {
        Some(file) => format!("{}: {}{}", found.app, found.kind.word(), by(file)),
        None => format!("{}: no package file that rfab knows", found.app),
    }];
    if !found.processes.is_empty() {
        facts.push(format!("processes {}{}", found.processes.join(", "), by("Procfile")));
    }
    if !found.units.is_empty() {
        facts.push(format!("units {}", found.units.join(", ")));
    }
    let Some((tool, files)) = &found.tool else {
        facts.push("nothing that deploys it".to_owned());
        return facts;
    };
    facts.push(format!("{} (`{}`)", tool.word(), files.join("`, `")));
    let known = [
        found.path.as_ref().map(|path| format!("path {path}")),
        found.keep.map(|keep| format!("{keep} releases kept")),
        (!found.linked.is_empty()).then(|| format!("linked: {}", found.linked.join(", "))),
        found.repository.as_ref().map(|url| format!("deployed from {url}; rfab uses this repository")),
    ];
    facts.extend(known.into_iter().flatten());
    for stage in &found.stages {
        let hosts = match stage.hosts.len() {
            0 => "no hosts, so no fleet file is written for it".to_owned(),
            1 => "1 host".to_owned(),
            count => format!("{count} hosts"),
        };
        let user = stage.user.as_ref().map(|user| format!(", user {user}")).unwrap_or_default();
        facts.push(format!("{}: {hosts}{user}", stage.name));
    }
    facts
}

/// Lists what rfab wrote into the files without knowing it for certain.
fn guesses(found: &FoundProject, fleets: &[PlannedFleet]) -> Vec<String> {
    let mut guesses = found.guesses.clone();
    let made_up = fleets.iter().any(|fleet| fleet.example);
    if made_up {
        guesses.push("all hosts and the balancer are made up".to_owned());
    }
    if found.path.is_none() && fleets.iter().any(|fleet| fleet.stage.path.is_none()) {
        guesses.push(format!("the app's folder is /srv/{}", found.app));
    }
    if found.units.is_empty() {
        let units: Vec<&String> = fleets.iter().flat_map(|fleet| &fleet.units).flat_map(|(_, units)| units).collect();
        let mut names: Vec<&str> = units.into_iter().map(String::as_str).collect();
        names.sort_unstable();
        names.dedup();
        guesses.push(format!("its units are {}", names.join(", ")));
    }
    if found.health.is_some() || made_up {
        guesses.push(format!("it listens on port {}", found.kind.port()));
    }
    if !made_up && fleets.iter().any(|fleet| fleet.first > 0) {
        guesses.push("the hosts that serve are split in half, into two groups".to_owned());
    }
    guesses
}

fn next(fleets: &[PlannedFleet]) -> String {
    let Some(first) = fleets.first() else { return String::new() };
    let task = first.function.trim_end_matches('_');
    let example = fleets.iter().any(|fleet| fleet.example);
    let (read, reference) = if example {
        ("put your own hosts into the fleet files; then type", "stable")
    } else {
        ("review them, because they list every default; then type", "stable")
    };
    let lines = [
        ("rfab".to_owned(), "show what you can type here"),
        (format!("rfab {task} --trust all"), "show the hosts' key fingerprints; compare them, then answer yes"),
        (format!("rfab {task} setup"), "make the app's folders"),
        (format!("rfab {task} deploy:{reference}"), "deploy the newest stable tag; or a tag, a branch, a commit"),
    ];
    let width = lines.iter().map(|(line, _)| line.len()).max().unwrap_or(0);
    let lines: String = lines.iter().map(|(line, about)| format!("  {line:width$}   {about}\n")).collect();
    format!("{read}\n{lines}\nhosts' keys go into `known_hosts` beside the fabfile; commit it with them\n")
}
