//! Reads statements of Ruby: `set :name, …`, `server …`, `role :name, …`, even in loops over lists.
use super::texts::{quoted, uncommented};
use std::collections::BTreeSet;

/// A statement: `set :name, rest`, `server rest`, `role :name, rest`.
pub(super) struct Statement {
    pub verb: String,
    pub name: String,
    pub rest: String,
}

impl Statement {
    pub(super) fn is(&self, verb: &str, name: &str) -> bool {
        self.verb == verb && self.name == name
    }
}

pub(super) fn begins_quoted(text: &str) -> bool {
    text.trim_start().starts_with(['\'', '"'])
}

pub(super) fn statements(text: &str) -> Vec<Statement> {
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
    unrolled(&lines).iter().filter_map(|line| statement(line)).collect()
}

/// A loop over a list, or over a range of numbers.
struct Loop {
    variable: String,
    values: Vec<String>,
}

/// Returns the lines, with those in loops repeated for each value.
fn unrolled(lines: &[String]) -> Vec<String> {
    let mut all = Vec::new();
    let mut rest = lines.iter();
    while let Some(line) = rest.next() {
        let Some((each, inline)) = each(line) else {
            all.push(line.clone());
            continue;
        };
        let body: Vec<String> = match inline {
            Some(body) => vec![body],
            None => {
                let mut depth = 1;
                let within = rest.by_ref().take_while(|line| {
                    let opens = line.ends_with(" do") || line.contains(" do |") || line.starts_with("if ");
                    depth += i32::from(opens) - i32::from(line.as_str() == "end");
                    depth > 0
                });
                within.cloned().collect()
            }
        };
        for value in &each.values {
            all.extend(unrolled(&body.iter().map(|line| each.filled(line, value)).collect::<Vec<_>>()));
        }
        if each.values.is_empty() {
            all.extend(body);
        }
    }
    all
}

impl Loop {
    /// Returns a line with a value in place of the variable.
    fn filled(&self, line: &str, value: &str) -> String {
        let line = line.replace(&format!("#{{{}}}", self.variable), value);
        let Some(rest) = line.strip_prefix("server ").map(str::trim_start) else { return line };
        match rest.strip_prefix(&self.variable) {
            Some(rest) if !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_') => {
                format!("server \"{value}\"{rest}")
            }
            _ => line,
        }
    }
}

/// Parses `%w[a b].each do |host|`, or `(1..3).each { |n| … }` with its body.
fn each(line: &str) -> Option<(Loop, Option<String>)> {
    let (list, rest) = line.split_once(".each")?;
    let rest = rest.trim_start();
    let block = rest.strip_prefix("do").or_else(|| rest.strip_prefix('{'))?;
    let (variable, body) = block.trim_start().strip_prefix('|')?.split_once('|')?;
    let numbers = || {
        let (from, to) = list.trim_matches(['(', ')', ' ']).split_once("..")?;
        Some((from.parse::<u16>().ok()?..=to.parse().ok()?).map(|n| n.to_string()).collect())
    };
    let values = numbers().unwrap_or_else(|| quoted(list));
    let inline = rest.starts_with('{').then(|| body.trim().trim_end_matches('}').trim().to_owned());
    Some((Loop { variable: variable.trim().to_owned(), values }, inline))
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
    // The bracket must close the call, not something inside it.
    let count = |c: char| rest.matches(c).count();
    let rest = if count(')') > count('(') { rest.trim_end().trim_end_matches(')') } else { rest };
    Some(Statement { verb, name: name.trim().to_owned(), rest: rest.to_owned() })
}

/// Lists the tasks of a file, and its hooks before and after the tool's own tasks, as they're written.
pub(super) fn own_tasks(text: &str) -> BTreeSet<String> {
    let own = |line: &str| {
        let line = uncommented(line).trim();
        let verb = line.split([' ', '(']).next().unwrap_or_default();
        let name = line[verb.len()..].trim_start_matches(['(', ' ']).split([',', ' ', ')']).next()?;
        let name = name.trim_matches(['"', '\'', ':']);
        (["task", "after", "before"].contains(&verb) && !name.is_empty()).then(|| format!("{verb} {name}"))
    };
    text.lines().filter_map(own).collect()
}

/// Returns the value of `key: …` or `:key => …`, up to its end if it's a list.
pub(super) fn option<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    let new = format!("{key}:");
    let old = format!(":{key} =>");
    // Skips a match that is the end of a longer name.
    let whole = |at: &usize| !text[..*at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
    let at = text.match_indices(&new).map(|(at, _)| at).find(whole).map(|at| at + new.len());
    let at = at.or_else(|| text.find(&old).map(|at| at + old.len()))?;
    let value = text[at..].trim_start();
    let end = if value.starts_with(['%', '[']) {
        value.find([']', '}', ')', '>']).map(|at| at + 1)
    } else {
        value.find([',', '}'])
    };
    Some(&value[..end.unwrap_or(value.len())])
}

/// Returns the words of `%w{a b}`, `[:a, 'b']` or `:a`.
pub(super) fn list(text: &str) -> Vec<String> {
    let bare = text.strip_prefix("%w").or(text.strip_prefix("%i")).unwrap_or(text);
    let words = bare.split(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '-');
    words.filter(|word| !word.is_empty()).map(str::to_owned).collect()
}
