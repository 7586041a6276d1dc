//! Jinja templates, filled on this machine.
use crate::{
    failure::{Cause, Failure},
    host::Host,
};
use rhai::Dynamic;
use std::{fs, path::Path};

/// Fills a template file with a map's values and the host.
///
/// `Fabfile` if the file doesn't exist, isn't a template, or needs a value that is missing.
pub fn fill(file: &Path, host: &Host, values: &Dynamic) -> Result<String, Failure> {
    let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let wrong = |e: &dyn std::fmt::Display| Failure::new(Cause::Fabfile, format!("template `{name}`: {e}"));
    let text = fs::read_to_string(file).map_err(|e| wrong(&e))?;
    let mut engine = minijinja::Environment::new();
    engine.set_undefined_behavior(minijinja::UndefinedBehavior::Strict);
    engine.set_keep_trailing_newline(true);
    engine.add_template(&name, &text).map_err(|e| wrong(&e))?;
    let values: serde_json::Value = rhai::serde::from_dynamic(values).map_err(|e| wrong(&e))?;
    let mut context = values.as_object().cloned().unwrap_or_default();
    context.insert("host".to_owned(), serde_json::to_value(host).map_err(|e| wrong(&e))?);
    engine.get_template(&name).and_then(|t| t.render(context)).map_err(|e| wrong(&e))
}
