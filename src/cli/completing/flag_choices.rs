//! Where the values of a flag come from.
use super::shell::Shell;
use crate::{fleet::TransportKind, store::Ending};

/// Where the values of a flag come from.
#[derive(Clone, Copy)]
pub(super) enum FlagChoices {
    /// A person makes them up, or the shell knows them, as it knows files.
    Typed,
    /// They are always the same.
    Words(fn() -> Vec<&'static str>),
    Runs,
    RunsToResume,
    /// What a script can call.
    Functions,
    Fleets,
    Tasks,
    Machines,
    Pools,
    Selections,
}

impl FlagChoices {
    /// Those of a flag, by its long name; none if it takes no value.
    pub(super) fn of(flag: &str) -> Option<FlagChoices> {
        Some(match flag {
            "--fabfile" | "--set" | "--parallel" | "--since" | "--until" | "--newest" | "--without-gate" => {
                FlagChoices::Typed
            }
            "--pause" => FlagChoices::Words(|| vec!["10m", "ask"]),
            "--transport" => FlagChoices::Words(|| TransportKind::ALL.map(TransportKind::word).to_vec()),
            "--color" => FlagChoices::Words(|| vec!["auto", "always", "never"]),
            "--completions" => FlagChoices::Words(|| Shell::ALL.map(Shell::word).to_vec()),
            "--outcome" => FlagChoices::Words(|| Ending::ALL.map(Ending::word).to_vec()),
            "--show" | "--abort" => FlagChoices::Runs,
            "--resume" => FlagChoices::RunsToResume,
            "--docs" => FlagChoices::Functions,
            "--fleet" | "--yes" => FlagChoices::Fleets,
            "--task" => FlagChoices::Tasks,
            "--trust" => FlagChoices::Machines,
            "--allow-outage" | "--without-balancer" => FlagChoices::Pools,
            "--limit" | "--exclude" => FlagChoices::Selections,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::flag::{FlagValue, all},
        FlagChoices,
    };
    use crate::cli::flags;

    #[test]
    fn each_flag_with_a_value_has_choices_and_no_other_flag_has_them() {
        for flag in all(&flags::command()) {
            assert_eq!(FlagChoices::of(&flag.long).is_some(), flag.value != FlagValue::None, "{}", flag.long);
        }
    }
}
