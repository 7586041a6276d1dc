//! Every block of every page is true: fabfiles compile and run, fleet files are read, and lines of rfab are understood.
//!
//! A comment before a block tells more about it. `run:` is a line to run on the fabfile; tasks that need no arguments
//! and are in no such line run too. `not run:` is why its tasks don't run. `not valid:` is why it isn't a fabfile,
//! fleet file or line.
use super::book;
use crate::project::{self, Project};
use rfab::{
    cli::{flags, request::Action},
    command::Command,
    docs,
    fabfile::Signature,
    failure::Exit,
    fleet, line,
};
use std::{collections::BTreeMap, fs, path::Path};

/// A block of a page, with the comments before it.
pub struct Block {
    pub page: String,
    line: usize,
    /// The word after the fence; a block without a fence is `indented`.
    pub language: String,
    pub text: String,
    said: Vec<(String, String)>,
}

impl Block {
    fn said<'a>(&'a self, what: &'a str) -> impl Iterator<Item = &'a str> {
        self.said.iter().filter(move |(key, _)| key == what).map(|(_, text)| &**text)
    }

    pub fn is_valid(&self) -> bool {
        self.said("not valid").next().is_none()
    }

    fn place(&self) -> String {
        format!("{}:{}", self.page, self.line)
    }
}

/// Returns the key and the text of a page's comment for this test.
fn comment(line: &str) -> Option<(String, String)> {
    let (what, text) = line.trim().strip_prefix("<!-- ")?.strip_suffix(" -->")?.split_once(": ")?;
    ["run", "not run", "not valid"].contains(&what).then(|| (what.to_owned(), text.to_owned()))
}

/// Returns the blocks of all pages, in order.
pub fn blocks() -> Vec<Block> {
    let pages = book::pages().into_iter().chain(["README.md".to_owned()]);
    pages.flat_map(|page| blocks_of(&page)).collect()
}

fn blocks_of(page: &str) -> Vec<Block> {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(page)).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let mut blocks = Vec::new();
    let (mut at, mut said) = (0, Vec::new());
    while at < lines.len() {
        let (line, begins) = (lines[at], at + 1);
        let language = line.strip_prefix("```").map(str::to_owned);
        let inside = |line: &str| match language {
            Some(_) => line != "```",
            None => line.starts_with("    ") || line.is_empty(),
        };
        let indented = line.starts_with("    ") && at > 0 && lines[at - 1].is_empty();
        if language.is_none() && !indented {
            match comment(line) {
                Some(one) => said.push(one),
                None => assert!(said.is_empty(), "{page}:{at}: `{said:?}` stands before no block"),
            }
            at += 1;
            continue;
        }
        let first = if language.is_some() { at + 1 } else { at };
        let length = lines[first..].iter().position(|line| !inside(line)).unwrap_or(lines.len() - first);
        let text: String = lines[first..first + length].iter().map(|line| format!("{line}\n")).collect();
        at = first + length + usize::from(language.is_some());
        let language = language.unwrap_or_else(|| "indented".to_owned());
        blocks.push(Block { page: page.to_owned(), line: begins, language, text, said: std::mem::take(&mut said) });
    }
    blocks
}

/// Returns whether a block of Rhai is a fabfile, and not code from inside a function.
pub fn is_fabfile(text: &str) -> bool {
    text.lines().any(|line| ["fn ", "private fn ", "import ", "const "].iter().any(|word| line.starts_with(word)))
}

/// Makes the project of a block of Rhai, with all other files that the pages assume.
pub fn project_of(text: &str) -> Project {
    let fabfile = match (is_fabfile(text), text.contains("fleet(")) {
        (true, true) => text.to_owned(),
        (true, false) => format!("{text}\n{}", project::HEAD),
        (false, _) => format!("fn shown() {{\nlet host = targets().host(\"jobs1\");\n{text}\n}}\n{}", project::HEAD),
    };
    let project = Project::bare(&fabfile);
    let named = text.split("fleet(\"").skip(1).filter_map(|rest| rest.split('"').next());
    let fleets = named.filter(|name| name.ends_with(".toml")).chain(["fleets/prod.toml", "fleets/testing1.toml"]);
    let two_apps = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/two-apps/prod.toml");
    let fleet =
        if text.contains(".app(\"") { fs::read_to_string(two_apps).unwrap() } else { project::FLEET.to_owned() };
    let project = fleets.fold(project, |project, name| project.with(name, &fleet));
    let templates = ["maintenance.html.j2", "database.yml.j2", "shop.conf.j2", "jobs.cron.j2", "motd.txt"];
    let project = templates.into_iter().fold(project, |project, name| project.with(name, "{{ host.name }}\n"));
    project.with("VERSION", "3.0.1\n").tagged()
}

/// Returns the lines that run a fabfile's tasks without parameters.
fn lines_of(tasks: &[Signature]) -> Vec<String> {
    let prod = tasks.iter().any(|task| task.names_hosts && task.name == "prod");
    let alone = tasks.iter().filter(|task| task.counts().first() == Some(&0));
    alone
        .map(|task| if task.names_hosts || !prod { task.name.clone() } else { format!("prod {}", task.name) })
        .collect()
}

/// Runs a block of Rhai. Returns how many lines ran, and what is wrong with it.
fn tried(block: &Block) -> (usize, Vec<String>) {
    let project = project_of(&block.text);
    let loaded = project.load().and_then(|loaded| loaded.check().map(|()| loaded));
    let loaded = match loaded {
        Ok(loaded) => loaded,
        Err(wrong) => return (0, vec![format!("{}: {} {:?}", block.place(), wrong.message, wrong.help)]),
    };
    let mut lines: Vec<String> = block.said("run").map(str::to_owned).collect();
    if block.said("not run").next().is_none() {
        let known = lines.join(" ");
        lines.extend(
            lines_of(&loaded.tasks).into_iter().filter(|line| !known.contains(line.rsplit(' ').next().unwrap())),
        );
    }
    let mut wrong = Vec::new();
    for line in &lines {
        let ran = project.run(line);
        if !matches!(ran.ended.exit, Exit::Done | Exit::LeftOut) {
            let why = ran.ended.failures.iter().map(|failure| &*failure.message).collect::<Vec<_>>().join("; ");
            wrong.push(format!("{}: `{line}` ends with {:?}: {why}", block.place(), ran.ended.exit));
        }
    }
    (lines.len(), wrong)
}

#[test]
fn every_block_of_rhai_compiles_and_its_tasks_run_in_the_simulator() {
    let (mut ran, mut wrong, mut of_api) = (0, Vec::new(), 0);
    for block in blocks().iter().filter(|block| block.language == "rhai" && block.is_valid()) {
        // These are the examples in the source, which another test runs one by one.
        if block.page.starts_with("docs/api/") {
            of_api += 1;
            continue;
        }
        let (lines, more) = tried(block);
        ran += lines;
        wrong.extend(more);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(ran >= 45, "{ran}");
    assert_eq!(of_api, docs::entries().iter().filter(|entry| entry.example().is_some()).count());
}

/// Returns what is wrong with a block of TOML: as `rfab.toml`, as a fleet file, or as a part of one.
fn misread(block: &Block) -> Option<String> {
    let mut whole: toml::Table = match block.text.parse() {
        Ok(table) => table,
        Err(wrong) => return Some(format!("{}: {wrong}", block.place())),
    };
    if whole.contains_key("version") {
        let project = Project::bare("").with(fleet::PROJECT_FILE, &block.text);
        return fleet::version_files(project.path()).err().map(|wrong| format!("{}: {wrong:?}", block.place()));
    }
    if !whole.contains_key("hosts") {
        let base: toml::Table = project::FLEET.parse().unwrap();
        let part = std::mem::replace(&mut whole, base);
        // The driver decides which keys a balancer has, so a part replaces the whole balancer.
        if part.contains_key("balancer") {
            whole.remove("balancer");
        }
        laid_over(&mut whole, part);
    }
    let project = Project::bare("").with("fleet.toml", &toml::to_string(&whole).unwrap()).with("ssh_config", "");
    let printed = r#"{ "cloud[1..2]": { "roles": ["web"], "group": "group1" } }"#;
    let read = fleet::WrittenFleet::in_file("fleet.toml", project.path(), &[]);
    let read = read.and_then(|written| match written.hosts_from()? {
        Some(_) => written.with(printed),
        None => Ok(written),
    });
    read.and_then(|written| written.fleet()).err().map(|wrong| format!("{}: {wrong:?}", block.place()))
}

/// Puts a part's keys over a table's, also within tables that both have.
fn laid_over(table: &mut toml::Table, part: toml::Table) {
    for (key, value) in part {
        match (table.get_mut(&key), value) {
            (Some(toml::Value::Table(below)), toml::Value::Table(part)) => laid_over(below, part),
            (_, value) => drop(table.insert(key, value)),
        }
    }
}

#[test]
fn every_block_of_toml_is_a_projects_settings_a_fleet_or_a_part_of_one() {
    let blocks: Vec<Block> =
        blocks().into_iter().filter(|block| block.language == "toml" && block.is_valid()).collect();
    let wrong: Vec<String> = blocks.iter().filter_map(misread).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(blocks.len() >= 6, "{}", blocks.len());
}

/// Returns the call of rfab at the beginning of a shell line, without prompt, variables and comment.
pub fn call(line: &str) -> Option<&str> {
    let mut rest = line.trim().trim_start_matches("- ").trim_start_matches("$ ");
    while let Some((word, more)) = rest.split_once(' ')
        && word.contains('=')
        && word.starts_with(|c: char| c.is_ascii_uppercase())
    {
        rest = more;
    }
    let begins = rest == "rfab" || rest.starts_with("rfab ");
    let (mut quote, mut before) = (None, ' ');
    let end = rest.char_indices().find(|(_, c)| {
        let ends = quote.is_none() && (before == ' ' && "#|>&".contains(*c) || *c == ';');
        match quote {
            None if "'\"".contains(*c) => quote = Some(*c),
            Some(open) if open == *c => quote = None,
            _ => {}
        }
        before = *c;
        ends
    });
    begins.then(|| rest[..end.map_or(rest.len(), |(at, _)| at)].trim())
}

/// Returns the tasks of the project's own fabfile, and of each fabfile on a page.
fn tasks_of(page: &str, blocks: &[Block]) -> Vec<Signature> {
    let own = include_str!("../../fabfile.rhai");
    let on_page = blocks.iter().filter(|block| block.page == page && block.language == "rhai" && block.is_valid());
    let fabfiles = on_page.map(|block| &*block.text).filter(|text| is_fabfile(text)).chain([own]);
    let mut tasks: BTreeMap<String, Signature> = BTreeMap::new();
    for fabfile in fabfiles {
        for task in project_of(fabfile).load().unwrap().tasks {
            let name = task.name.clone();
            tasks.entry(name).and_modify(|known| known.overloads.extend(task.overloads.clone())).or_insert(task);
        }
    }
    tasks.into_values().collect()
}

/// Returns why a line of rfab isn't understood. Without tasks, it doesn't check the words.
fn misunderstood(call: &str, tasks: Option<&[Signature]>) -> Option<String> {
    let Ok(Command::Words(words)) = Command::words(call, &[]) else { return Some("these are no words".to_owned()) };
    let request = match flags::read(words.into_iter().map(Into::into), true) {
        Ok(request) => request,
        Err(wrong) => return Some(wrong.to_string()),
    };
    match (request.action, tasks) {
        (Action::Run { words, .. }, _) if words.is_empty() => None,
        (Action::Run { words, command }, Some(tasks)) => {
            line::parse(&words, command.as_deref(), tasks).err().map(|wrong| wrong.to_string())
        }
        (Action::Trust { words, .. }, Some(tasks)) if !words.is_empty() => {
            line::parse(&words, None, tasks).err().map(|wrong| wrong.to_string())
        }
        _ => None,
    }
}

#[test]
fn every_line_of_rfab_in_a_block_is_understood() {
    let blocks = blocks();
    let mut of_pages: BTreeMap<&str, Vec<Signature>> = BTreeMap::new();
    let (mut counted, mut wrong) = (0, Vec::new());
    for block in blocks.iter().filter(|block| block.is_valid()) {
        let prompted = match &*block.language {
            "sh" | "yaml" | "console" | "indented" => false,
            // In a terminal's output, only what was typed is a line.
            "" => true,
            _ => continue,
        };
        for line in block.text.lines().filter(|line| !prompted || line.starts_with("$ ")) {
            let Some(call) = call(line) else { continue };
            let tasks = of_pages.entry(&block.page).or_insert_with(|| tasks_of(&block.page, &blocks));
            counted += 1;
            // A screen may show a line with an error, if it also shows the message.
            if let Some(why) = misunderstood(call, Some(tasks)).filter(|why| !prompted || !block.text.contains(why)) {
                wrong.push(format!("{}: `{call}`: {why}", block.place()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(counted >= 55, "{counted}");
}

#[test]
fn every_line_of_rfab_in_a_sentence_or_a_table_has_flags_that_there_are() {
    let (mut counted, mut wrong) = (0, Vec::new());
    for page in book::pages().into_iter().chain(["README.md".to_owned()]) {
        let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(&page)).unwrap();
        for code in book::prose(&text).replace("\\|", "|").split('`').skip(1).step_by(2) {
            let Some(call) = call(code).filter(|_| !code.contains('…')) else { continue };
            counted += 1;
            wrong.extend(misunderstood(call, None).map(|why| format!("{page}: `{call}`: {why}")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(counted >= 100, "{counted}");
}

#[test]
fn what_one_sees_at_night_is_what_rfab_says_and_what_one_types_is_understood() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(top.join("docs/guide/night.md")).unwrap();
    let mut sources = String::new();
    for folder in ["src", "stdlib"] {
        book::walk(&top.join(folder), &mut |file| sources += &fs::read_to_string(file).unwrap_or_default());
    }
    let tasks = tasks_of("README.md", &[]);
    let codes = |cell: &str| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>();
    let rows: Vec<Vec<String>> = crate::documentation::cells(&page).into_iter().skip(2).collect();
    assert!(rows.len() >= 18, "{}", rows.len());
    for row in rows {
        for seen in codes(&row[0]) {
            assert!(sources.contains(&seen), "nothing says `{seen}`");
        }
        let typed = codes(&row[2]);
        for call in typed.iter().filter_map(|code| call(code)) {
            assert_eq!(misunderstood(call, Some(&tasks)), None, "{call}");
        }
    }
}

/// Checks that a test covers every block, also those that aren't Rhai, TOML or shell lines.
#[test]
fn no_block_is_passed_over_in_silence() {
    let mut not_valid = Vec::new();
    let mut not_run = Vec::new();
    for block in blocks() {
        let place = block.place();
        match (&*block.language, &*block.page) {
            ("rhai" | "toml" | "sh" | "console" | "indented", _) => {}
            ("json", _) => {
                let _: serde_json::Value = serde_json::from_str(&block.text).unwrap_or_else(|e| panic!("{place}: {e}"));
            }
            // Other tests read its lines of rfab; a template isn't YAML until it is filled.
            ("yaml", "docs/ci.md" | "docs/releases.md" | "docs/recipes.md") => {}
            // Made from the source; the tests that make them compare them.
            ("text", "docs/habits.md") | ("", "docs/screens.md") => {}
            (language, _) => panic!("{place}: nothing checks a block of `{language}`"),
        }
        not_valid.extend(block.said("not valid").map(|why| format!("{}: {why}", block.page)));
        not_run.extend(block.said("not run").map(|why| format!("{}: {why}", block.page)));
    }
    assert_eq!(not_valid, Vec::<String>::new(), "blocks that say that they aren't valid");
    let known = ["docs/rollback.md: fresh hosts have no earlier release"];
    assert_eq!(not_run, known, "blocks whose tasks aren't run");
}
