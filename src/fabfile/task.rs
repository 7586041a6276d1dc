//! A task as people list and call it, as plain data.
use serde::Serialize;

/// A task, with all its overloads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Signature {
    /// The name in lists: `prod`, `proxy.flip`, or `sync` for the function `sync_`.
    pub name: String,
    /// The name in a script: `proxy_flip`, or `proxy::flip` in a module.
    pub function: String,
    /// The name that its module is imported as.
    pub module: Option<String>,
    pub overloads: Vec<Overload>,
    /// Whether it calls `fleet`, itself or through the project's functions.
    pub names_hosts: bool,
    /// The doc comment without its slashes.
    pub doc: String,
}

/// One of the functions that make up a task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Overload {
    /// The names of the parameters, without a last `options`.
    pub parameters: Vec<String>,
    /// Whether the last parameter is `options`, which collects the named arguments that match no other parameter.
    pub options: bool,
}

impl Signature {
    /// Returns whether a typed name means this task. `.`, `-` and `_` count as the same character.
    pub fn answers_to(&self, typed: &str) -> bool {
        key(typed).is_some_and(|typed| key(&self.name).as_ref() == Some(&typed))
    }

    /// Lists how many arguments it takes, in ascending order. A last `options` doesn't count.
    pub fn counts(&self) -> Vec<usize> {
        let mut counts: Vec<usize> = self.overloads.iter().map(|overload| overload.parameters.len()).collect();
        counts.sort_unstable();
        counts.dedup();
        counts
    }

    /// Returns the name of the parameter at an index, from the shortest overload that has one there.
    pub fn parameter(&self, place: usize) -> Option<&str> {
        let having = self.overloads.iter().filter(|overload| overload.parameters.len() > place);
        having.min_by_key(|overload| overload.parameters.len()).map(|overload| overload.parameters[place].as_str())
    }

    /// Returns the first line of the doc comment that isn't empty.
    pub fn summary(&self) -> &str {
        self.doc.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or("")
    }
}

/// Returns the form that all spellings of a task's name share; `None` if the text can't be a task's name.
///
/// A `_` at the end of a part doesn't count: it's only there because Rhai reserves the word.
pub fn key(name: &str) -> Option<String> {
    let parts: Vec<&str> = name.split(['.', '-']).map(|part| part.strip_suffix('_').unwrap_or(part)).collect();
    let begins = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    let whole = |part: &&str| !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    (begins && parts.iter().all(whole)).then(|| parts.join("_"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_a_name_has_one_key() {
        for name in ["proxy.flip", "proxy-flip", "proxy_flip", "proxy_.flip_"] {
            assert_eq!(key(name).as_deref(), Some("proxy_flip"), "{name}");
        }
        assert_eq!((key("sync"), key("sync_")), (Some("sync".into()), Some("sync".into())));
    }

    #[test]
    fn what_cannot_be_a_function_is_no_name() {
        for text in
            ["", "_", "-", "3", "a b", "proxy.", ".flip", "a--b", "a..b", "-f", "prod,x", "prod\\", "prød", "a/b"]
        {
            assert_eq!(key(text), None, "{text}");
        }
    }

    #[test]
    fn counts_and_parameters_are_those_of_all_overloads() {
        let overload =
            |names: &[&str]| Overload { parameters: names.iter().map(|n| n.to_string()).collect(), options: false };
        let task = Signature {
            name: "roll".into(),
            function: "roll".into(),
            module: None,
            overloads: vec![overload(&["what", "share", "pause"]), overload(&["reference"])],
            names_hosts: false,
            doc: "\n  Rolls.  \n\nMore.".into(),
        };
        assert_eq!(task.counts(), [1, 3]);
        assert_eq!((task.parameter(0), task.parameter(2), task.parameter(3)), (Some("reference"), Some("pause"), None));
        assert_eq!(task.summary(), "Rolls.");
    }
}
