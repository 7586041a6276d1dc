//! A literal `const` at the top of a file, visible inside its functions by its bare name.
use super::Resolver;
use rhai::{AST, Dynamic, Engine, Scope};
use std::{collections::BTreeMap, sync::Arc};

/// The literal constants of a file.
pub type Constants = BTreeMap<String, Dynamic>;

pub fn of(ast: &AST) -> Constants {
    ast.iter_literal_variables(true, false).map(|(name, _, value)| (name.to_owned(), value)).collect()
}

/// The names of a text's constants, so that strict compilation lets functions use them.
pub fn names(text: &str) -> Scope<'static> {
    let mut words = text.split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|word| !word.is_empty());
    let mut names = Scope::new();
    while words.by_ref().any(|word| word == "const") {
        words.next().into_iter().for_each(|name| _ = names.push(name, ()));
    }
    names
}

/// Lets the engine find them wherever a variable is not found otherwise.
#[expect(deprecated, reason = "`on_var` is Rhai's word for an API that may change, and there is no other")]
pub fn install(engine: &mut Engine, resolver: Arc<Resolver>) {
    engine.on_var(move |name, index, context| {
        if index > 0 || context.scope().contains(name) {
            return Ok(None);
        }
        // Rhai's own word for where it is stays with the caller's file inside a closure.
        let file = context.global_runtime_state().lib.last().and_then(|file| file.id()).unwrap_or_default();
        Ok(resolver.constant(file, name))
    });
}
