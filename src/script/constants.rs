//! A literal `const` at the top of a file, visible inside its functions by its bare name.
use super::Resolver;
use rhai::{AST, Dynamic, Engine};
use std::{collections::BTreeMap, sync::Arc};

/// The literal constants of a file.
pub type Constants = BTreeMap<String, Dynamic>;

pub fn of(ast: &AST) -> Constants {
    ast.iter_literal_variables(true, false).map(|(name, _, value)| (name.to_owned(), value)).collect()
}

/// Lets the engine find them wherever a variable is not found otherwise.
#[expect(deprecated, reason = "`on_var` is Rhai's word for an API that may change, and there is no other")]
pub fn install(engine: &mut Engine, resolver: Arc<Resolver>) {
    engine.on_var(move |name, index, context| {
        if index > 0 || context.scope().contains(name) {
            return Ok(None);
        }
        let source = context.global_runtime_state().source().unwrap_or_default();
        Ok(resolver.constant(source, name))
    });
}
