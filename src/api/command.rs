//! Commands as scripts write them.
use crate::{
    command::{Command, CommandError, is_variable},
    failure::{Cause, Failure},
    script::{Argument, Here, RhaiResultOf, refuse_stars, thrown},
    secret::Secret,
};
use rhai::{Array, EvalAltResult, Map};

/// Turns an error in a command into an error of the script.
pub(super) fn command_error(e: CommandError) -> Box<EvalAltResult> {
    let failure = Failure::new(Cause::Fabfile, e.to_string());
    thrown(match e {
        CommandError::NoValue { name } => failure.help(format!("pass it in a map: `#{{ {name}: … }}`")),
        _ => failure,
    })
}

/// Returns a word of a command, which everyone may see; a secret is refused.
fn word(name: &str, given: Argument) -> RhaiResultOf<String> {
    let why = format!("{name} is a secret, and every user of the host can see the words of a command");
    let help = "pass it with `host.env(#{ PASSWORD: secret })` or `host.stdin(secret)`, \
                or to a shell line: `sh(\"… \\\"$password\\\"\", #{ password: secret })`";
    given.open(&why, help).map_err(thrown)
}

/// Returns the values of a command as texts.
fn values(map: Map) -> RhaiResultOf<Vec<(String, String)>> {
    let each = Argument::each(map).map_err(thrown)?.into_iter();
    each.map(|(name, given)| Ok((name.clone(), word(&format!("the value of `{name}`"), given)?))).collect()
}

/// Returns the variables of an environment, secret or not.
pub(super) fn variables(map: Map) -> RhaiResultOf<Vec<(String, Secret)>> {
    let variables = Argument::each(map).map_err(thrown)?;
    // `env` on the host would read any other name as a flag or a program.
    if let Some((name, _)) = variables.iter().find(|(name, _)| !is_variable(name)) {
        return Err(command_error(CommandError::BadName(name.clone())));
    }
    Ok(variables.into_iter().map(|(name, given)| (name, given.sealed())).collect())
}

/// Builds a command from a program and its arguments.
pub(super) fn argv(words: Array) -> RhaiResultOf<Command> {
    let each = words.into_iter().map(|value| match Argument::of(&value) {
        Some(given) => word("a word", given),
        None => Ok(value.to_string()),
    });
    Command::of(each.collect::<Result<_, _>>()?).map_err(command_error)
}

/// Refuses stars in everything that a call passes on: its words, environment and input.
pub(super) fn refuse_stars_in<'a>(
    here: &Here,
    sealed: impl Iterator<Item = &'a Secret>,
    command: &'a Command,
) -> RhaiResultOf<()> {
    let words: Vec<&str> = match command {
        Command::Words(words) => words.iter().map(String::as_str).collect(),
        Command::Line { values, .. } => values.iter().map(|(_, value)| value.as_str()).collect(),
    };
    words
        .into_iter()
        .chain(sealed.map(Secret::reveal))
        .try_for_each(|text| refuse_stars(here.lane.masks(), text))
        .map_err(thrown)
}

/// Splits a text into the words of a command.
pub(super) fn words(text: &str, map: Map) -> RhaiResultOf<Command> {
    Command::words(text, &values(map)?).map_err(command_error)
}
