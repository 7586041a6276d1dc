//! Writes the fabfile.
use super::{found::FoundProject, plan::PlannedFleet};
use crate::control::hidden;

const TEMPLATE: &str = include_str!("templates/fabfile.rhai");

const BALANCED: &str = include_str!("templates/balanced.rhai");

/// Returns the fabfile for these fleets; the first one is the default.
pub(super) fn text(found: &FoundProject, fleets: &[PlannedFleet]) -> String {
    let balanced = if fleets.iter().any(|fleet| fleet.example) {
        BALANCED.to_owned()
    } else {
        let about = "// If you add a balancer to the fleet file, these tasks deploy so that no request fails:\n//\n";
        let line = |line: &str| if line.is_empty() { "//\n".to_owned() } else { format!("// {line}\n") };
        format!("{about}{}", BALANCED.lines().map(line).collect::<String>())
    };
    let naming: Vec<String> = fleets.iter().map(naming).collect();
    let default = fleets.first().map_or("", |fleet| fleet.function.trim_end_matches('_'));
    TEMPLATE
        .replace("@APP@", &found.app)
        .replace("@DEFAULT@", default)
        .replace("@FLEETS@\n", &naming.join("\n"))
        .replace("@BALANCED@\n", &balanced)
        .replace("@HOOKS@\n", &hooks(found))
}

fn naming(fleet: &PlannedFleet) -> String {
    let (function, file) = (&fleet.function, fleet.file());
    let words = if fleet.example { "out, live, group1, a role, hosts" } else { "a role, hosts" };
    let (name, gap) = (&fleet.stage.name, " ".repeat("which".len()));
    format!(
        "/// The hosts of {name}, or those that `which` selects: {words}.\n\
         fn {function}(which) {{ fleet(\"{file}\").select(which) }}\n\
         fn {function}(){gap} {{ {function}(\"all\") }}\n"
    )
}

fn capital(name: &str) -> String {
    let mut chars = name.chars();
    chars.next().map(|c| c.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

fn hooks(found: &FoundProject) -> String {
    let mut text = hook("prepare", "in the new release, before the switch", &found.prepare, "bin/build", found);
    text += &hook("migrate", "on one host, once per release", &found.migrate, "bin/migrate", found);
    text + "        // After the switch, while the host is out; `rfab --abort` calls it, too.\n        restart: |host| service::restart(host),\n"
}

fn hook(name: &str, when: &str, commands: &[String], example: &str, found: &FoundProject) -> String {
    let when = capital(when);
    match commands {
        [] => format!("        // {when}:\n        // {name}: |host| host.run(\"{example}\"),\n"),
        [one] if found.environment.is_empty() => {
            format!("        // {when}.\n        {name}: |host| host.run({}),\n", command(one))
        }
        several => {
            let host = match environment(found) {
                Some(environment) => format!("            let host = host.env({environment});\n"),
                None => String::new(),
            };
            let runs = several.iter().map(|c| format!("            host.run({});\n", command(c)));
            format!("        // {when}.\n        {name}: |host| {{\n{host}{}        }},\n", runs.collect::<String>())
        }
    }
}

fn environment(found: &FoundProject) -> Option<String> {
    let pairs: Vec<String> =
        found.environment.iter().map(|(name, value)| format!("{name}: {}", literal(value))).collect();
    (!pairs.is_empty()).then(|| format!("#{{ {} }}", pairs.join(", ")))
}

/// Returns a command in Rhai: a list of words, or a line for a shell if it needs one.
fn command(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || " _-./:=,+@%".contains(c);
    if text.chars().all(plain) { literal(text) } else { format!("sh({})", literal(text)) }
}

fn literal(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace(hidden, " "))
}
