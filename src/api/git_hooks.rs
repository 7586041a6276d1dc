//! Primitives for hooks that git itself doesn't run, such as git-flow's.
use super::git::worked_in;
use crate::{
    git::{ReadHooks, RunHook},
    script::{RhaiResultOf, here},
};
use rhai::{Array, Dynamic, Map, NativeCallContext, plugin::*};

#[export_module(manifest)]
pub(super) mod git_hooks {
    /// Returns the names of the repository's executable hooks. It respects `core.hooksPath`.
    ///
    /// # Example
    ///
    /// ```rhai
    /// for name in git::hooks() { ui::note(name); }
    /// ```
    #[rhai_fn(name = "hooks", return_raw)]
    pub(crate) fn hooks(ctx: NativeCallContext) -> RhaiResultOf<Array> {
        let here = here(&ctx)?.clone();
        let names = here.perform(ReadHooks { repository: worked_in(&here)? })?;
        Ok(names.into_iter().map(Dynamic::from).collect())
    }

    /// Runs a hook of the repository in the work tree, and returns what the hook printed.
    ///
    /// If the hook fails, so does the call. rfab adds `variables` to the hook's environment. You don't need this call
    /// for git's own hooks, because git runs those.
    ///
    /// # Example
    ///
    /// ```rhai
    /// if "pre-flow-hotfix-start" in git::hooks() {
    ///     git::run_hook("pre-flow-hotfix-start", ["v3.0.2", "origin"], #{ MASTER_BRANCH: "main" });
    /// }
    /// ```
    #[rhai_fn(name = "run_hook", return_raw)]
    pub(crate) fn run_hook(
        ctx: NativeCallContext,
        name: &str,
        arguments: Array,
        variables: Map,
    ) -> RhaiResultOf<String> {
        let here = here(&ctx)?.clone();
        let arguments = arguments.into_iter().map(|one| one.to_string()).collect();
        let variables = variables.into_iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        here.perform(RunHook { repository: worked_in(&here)?, name: name.to_owned(), arguments, variables })
    }
}
