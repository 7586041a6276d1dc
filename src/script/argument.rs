//! A script's argument for the outside: a text, or a secret that only the outside may see.
use crate::{
    failure::{Cause, Failure},
    secret::{MASK, Masks, Secret},
};
use rhai::{Array, Dynamic, Map};

/// A value for a command, a file or a request.
#[derive(Clone, Debug, PartialEq)]
pub enum Argument {
    Text(String),
    Secret(Secret),
}

impl Argument {
    /// Makes an argument from a text, a number, a boolean or a secret; none for a value without a text.
    pub fn of(value: &Dynamic) -> Option<Argument> {
        if let Some(secret) = value.read_lock::<Secret>() {
            return Some(Argument::Secret(secret.clone()));
        }
        let plain = value.is_string() || value.is_int() || value.is_float() || value.is_bool() || value.is_char();
        plain.then(|| Argument::Text(value.to_string()))
    }

    /// Makes an argument from each value of a map, with its name.
    ///
    /// `Fabfile` for a value without a text.
    pub fn each(map: Map) -> Result<Vec<(String, Argument)>, Failure> {
        let each = map.into_iter().map(|(name, value)| match Argument::of(&value) {
            Some(given) => Ok((name.to_string(), given)),
            None => {
                let message = format!("`{name}` must be text, but its type is {}", value.type_name());
                Err(Failure::new(Cause::Fabfile, message))
            }
        });
        each.collect()
    }

    /// Returns the argument as a secret, which is sealed wherever it is written down.
    pub fn sealed(self) -> Secret {
        match self {
            Argument::Text(text) => text.into(),
            Argument::Secret(secret) => secret,
        }
    }

    /// Returns the text; refuses a secret with `why` and `help`.
    pub fn open(self, why: &str, help: &str) -> Result<String, Failure> {
        match self {
            Argument::Text(text) => Ok(text),
            Argument::Secret(_) => Err(Failure::new(Cause::Fabfile, why).help(help)),
        }
    }
}

/// Returns a value as people see it.
pub fn worded(value: &Dynamic) -> String {
    if value.is::<Secret>() { MASK.to_owned() } else { value.to_string() }
}

/// Replaces the secrets in a value by their texts, at any depth; only for what nobody sees.
pub fn revealed(value: Dynamic) -> Dynamic {
    let value = value.flatten();
    let secret = value.read_lock::<Secret>().map(|secret| secret.reveal().to_owned());
    if let Some(text) = secret {
        return text.into();
    }
    match value.try_cast_result::<Map>() {
        Ok(map) => map.into_iter().map(|(name, value)| (name, revealed(value))).collect::<Map>().into(),
        Err(value) => match value.try_cast_result::<Array>() {
            Ok(all) => all.into_iter().map(revealed).collect::<Array>().into(),
            Err(value) => value,
        },
    }
}

/// Returns whether the values contain a secret, at any depth.
pub fn has_secret(values: &Map) -> bool {
    fn sealed(value: &Dynamic) -> bool {
        if value.is::<Secret>() {
            return true;
        }
        let within = value.read_lock::<Map>().is_some_and(|map| map.values().any(sealed));
        within || value.read_lock::<Array>().is_some_and(|all| all.iter().any(sealed))
    }
    values.values().any(sealed)
}

/// Refuses a text with the stars that replace a secret in a text: on a host they are never intended.
pub fn refuse_stars(masks: &Masks, text: &str) -> Result<(), Failure> {
    if !(masks.was_worded() && text.contains(MASK)) {
        return Ok(());
    }
    let message =
        format!("a string for a host contains `{MASK}`, which stands for a secret that was put into a string");
    Err(Failure::new(Cause::Fabfile, message)
        .help("pass the secret itself: `host.env(#{ X: secret })`, `host.stdin(secret)`, `host.write(path, secret)`, or `host.template(from, to, #{ x: secret })`"))
}

/// Returns a value with its secrets masked, at any depth: also the texts that contain one.
pub fn masked(value: Dynamic, masks: &Masks) -> Dynamic {
    let value = value.flatten();
    if value.is::<Secret>() {
        return MASK.into();
    }
    if let Ok(text) = value.as_immutable_string_ref() {
        return masks.text(&text).into_owned().into();
    }
    match value.try_cast_result::<Map>() {
        Ok(map) => map
            .into_iter()
            .map(|(name, value)| (masks.text(&name).as_ref().into(), masked(value, masks)))
            .collect::<Map>()
            .into(),
        Err(value) => match value.try_cast_result::<Array>() {
            Ok(all) => all.into_iter().map(|value| masked(value, masks)).collect::<Array>().into(),
            Err(value) => value,
        },
    }
}
