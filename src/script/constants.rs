//! Literal `const`s at the top of a file, which its functions see by their bare names.
use rhai::{AST, Dynamic, Scope};
use std::collections::BTreeMap;

/// The literal constants of a file.
pub(super) type Constants = BTreeMap<String, Dynamic>;

pub(super) fn of(ast: &AST) -> Constants {
    ast.iter_literal_variables(true, false).map(|(name, _, value)| (name.to_owned(), value)).collect()
}

/// Returns the names of a text's constants, so that strict compilation lets functions use them.
pub(super) fn names(text: &str) -> Scope<'static> {
    let mut words = text.split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|word| !word.is_empty());
    let mut names = Scope::new();
    while words.by_ref().any(|word| word == "const") {
        words.next().into_iter().for_each(|name| _ = names.push(name, ()));
    }
    names
}
