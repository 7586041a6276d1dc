//! What runs on a host: words or a shell line with values, and how they are quoted for POSIX sh.
use crate::secret::Secret;
use serde::{Deserialize, Serialize};

/// A command that a host can run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Command {
    /// A program and its arguments; no shell sees them.
    Words(Vec<String>),
    /// A line for `/bin/sh`, under `set -u`; its values arrive as shell variables, the secret ones by stdin.
    Line {
        line: String,
        values: Vec<(String, String)>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        secrets: Vec<(String, Secret)>,
    },
}

/// Why a string or a list of words isn't a command.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    #[error("a command needs at least one word")]
    Empty,
    #[error("a quote in `{0}` isn't closed")]
    OpenQuote(String),
    #[error("`{{{name}}}` in the command has no value")]
    NoValue { name: String },
    #[error("`{0}` isn't a name for a shell variable")]
    BadName(String),
    #[error("a command can't contain the character NUL")]
    Nul,
}

impl Command {
    /// Splits a text into words; `values` fill in `{name}`, as one word or as a part of one.
    ///
    /// Quotes group, as in sh. Nothing else of sh has a meaning: `$`, `;`, `|` and `*` are text.
    pub fn words(text: &str, values: &[(String, String)]) -> Result<Command, CommandError> {
        let mut words = Vec::new();
        let mut word: Option<String> = None;
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            match c {
                ' ' | '\t' | '\n' => words.extend(word.take()),
                '\'' | '"' => {
                    let into = word.get_or_insert_default();
                    loop {
                        match chars.next() {
                            Some(end) if end == c => break,
                            Some('{') if c == '"' => fill(&mut chars, values, into)?,
                            Some('\\') if c == '"' && matches!(chars.peek(), Some('"' | '\\')) => {
                                into.extend(chars.next())
                            }
                            Some(inside) => into.push(inside),
                            None => return Err(CommandError::OpenQuote(text.to_owned())),
                        }
                    }
                }
                '\\' => word.get_or_insert_default().extend(chars.next()),
                '{' => fill(&mut chars, values, word.get_or_insert_default())?,
                c => word.get_or_insert_default().push(c),
            }
        }
        words.extend(word);
        Self::of(words)
    }

    /// Builds a command from a program and its arguments.
    pub fn of(words: Vec<String>) -> Result<Command, CommandError> {
        match words.first() {
            None => Err(CommandError::Empty),
            Some(_) if words.iter().any(|w| w.contains('\0')) => Err(CommandError::Nul),
            Some(_) => Ok(Command::Words(words)),
        }
    }

    /// Builds a shell line; its values arrive as shell variables.
    pub fn line(line: &str, values: Vec<(String, String)>) -> Result<Command, CommandError> {
        Self::line_with(line, values, Vec::new())
    }

    /// Builds a shell line that also has values that nobody may see.
    pub fn line_with(
        line: &str,
        values: Vec<(String, String)>,
        secrets: Vec<(String, Secret)>,
    ) -> Result<Command, CommandError> {
        let open = values.iter().map(|(name, value)| (name, value.as_str()));
        for (name, value) in open.chain(secrets.iter().map(|(name, secret)| (name, secret.reveal()))) {
            if !is_variable(name) {
                return Err(CommandError::BadName(name.clone()));
            }
            if value.contains('\0') {
                return Err(CommandError::Nul);
            }
        }
        if line.contains('\0') {
            return Err(CommandError::Nul);
        }
        Ok(Command::Line { line: line.to_owned(), values, secrets })
    }

    /// Returns the command as text for POSIX sh, which must have [`Command::secrets`] set; never for another shell.
    pub fn for_sh(&self) -> String {
        match self {
            Command::Words(words) => words.iter().map(|w| quoted(w)).collect::<Vec<_>>().join(" "),
            Command::Line { line, values, .. } => {
                let mut text = String::from("set -u\n");
                for (name, value) in values {
                    text += &format!("{name}={}\n", quoted(value));
                }
                text.push_str(line);
                text
            }
        }
    }

    /// Returns the program and its arguments. A line runs in POSIX sh, which must have [`Command::secrets`] set.
    pub fn argv(&self) -> Vec<String> {
        match self {
            Command::Words(words) => words.clone(),
            Command::Line { .. } => vec!["/bin/sh".to_owned(), "-c".to_owned(), self.for_sh()],
        }
    }

    /// Returns the shell variables of a line that appear in no text of it.
    pub fn secrets(&self) -> &[(String, Secret)] {
        match self {
            Command::Words(_) => &[],
            Command::Line { secrets, .. } => secrets,
        }
    }

    /// Returns the command as people would type it.
    pub fn shown(&self) -> String {
        match self {
            Command::Words(_) => self.for_sh(),
            Command::Line { line, .. } => line.clone(),
        }
    }
}

/// Fills in a `{name}`; `{}` and braces around anything but a name stay as they are.
fn fill(
    chars: &mut std::iter::Peekable<std::str::Chars<'_>>,
    values: &[(String, String)],
    into: &mut String,
) -> Result<(), CommandError> {
    let rest: String = chars.clone().take_while(|c| *c != '}').collect();
    let closed = chars.clone().nth(rest.chars().count()) == Some('}');
    let named = rest.chars().next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && rest.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if !(closed && named) {
        into.push('{');
        return Ok(());
    }
    chars.nth(rest.chars().count());
    let value = values.iter().find(|(name, _)| *name == rest).ok_or(CommandError::NoValue { name: rest.clone() })?;
    into.push_str(&value.1);
    Ok(())
}

/// Returns whether a text is the name of a shell variable.
pub fn is_variable(name: &str) -> bool {
    name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && name.chars().next().is_some_and(|c| !c.is_ascii_digit())
}

/// Quotes a word so that POSIX sh reads it back unchanged.
pub fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./:=,+@%^".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// Returns a program of rfab's own for a POSIX shell without comments, indents and empty lines.
pub(crate) fn lean(program: &str) -> String {
    let lines = program.lines().map(str::trim_start).filter(|line| !line.is_empty() && !line.starts_with("# "));
    lines.flat_map(|line| [line, "\n"]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str, values: &[(&str, &str)]) -> Result<Vec<String>, CommandError> {
        let values: Vec<_> = values.iter().map(|(n, v)| (n.to_string(), v.to_string())).collect();
        match Command::words(text, &values)? {
            Command::Words(words) => Ok(words),
            Command::Line { .. } => unreachable!(),
        }
    }

    #[test]
    fn a_text_is_split_into_words_and_nothing_of_sh_means_anything() {
        assert_eq!(words("a  b;c $HOME * | `x`", &[]).unwrap(), ["a", "b;c", "$HOME", "*", "|", "`x`"]);
        assert_eq!(
            words(r#"say "two words" 'and $these' x\ y """#, &[]).unwrap(),
            ["say", "two words", "and $these", "x y", ""]
        );
        assert_eq!(words("a 'b", &[]), Err(CommandError::OpenQuote("a 'b".into())));
        assert_eq!(words(" \n ", &[]), Err(CommandError::Empty));
    }

    #[test]
    fn a_value_is_one_word_whatever_is_in_it() {
        assert_eq!(
            words("tar xf {file} -C /x/{dir}/y", &[("file", "a b; rm"), ("dir", "'")]).unwrap(),
            ["tar", "xf", "a b; rm", "-C", "/x/'/y"]
        );
        assert_eq!(words("echo {no}", &[]), Err(CommandError::NoValue { name: "no".into() }));
        assert_eq!(words("echo {} {1} '{x}' {", &[]).unwrap(), ["echo", "{}", "{1}", "{x}", "{"]);
    }

    #[test]
    fn sh_reads_back_what_was_quoted() {
        let hostile = ["", "a b", "'", "''\\", "$(touch x)", "`x`", "-n", "a\nb", "!x", "ünï", "{a,b}", "~"];
        let command =
            Command::of([&["printf", "%s|"], &hostile[..]].concat().iter().map(|s| s.to_string()).collect()).unwrap();
        let out = std::process::Command::new("/bin/sh").arg("-c").arg(command.for_sh()).output().unwrap();
        assert_eq!(String::from_utf8(out.stdout).unwrap(), hostile.map(|h| format!("{h}|")).concat());
    }

    #[test]
    fn a_lines_values_are_shell_variables_and_a_missing_one_is_an_error() {
        let line = Command::line(r#"printf %s "$dir" "$none""#, vec![("dir".into(), "$(x) 'y'".into())]).unwrap();
        let out = std::process::Command::new("/bin/sh").arg("-c").arg(line.for_sh()).output().unwrap();
        assert!(!out.status.success());
        assert_eq!(Command::line("x", vec![("a b".into(), "".into())]), Err(CommandError::BadName("a b".into())));
    }
}
