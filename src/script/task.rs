//! A call of one of a fabfile's tasks.
use super::{Here, RhaiResultOf, Script, Targets, lanes};
use rhai::{Dynamic, Engine, FnPtr, GlobalRuntimeState, NativeCallContext, Position};
use std::{panic, sync::Arc};

/// What a task gave back.
#[derive(Clone)]
pub enum TaskValue {
    Nothing,
    Targets(Targets),
    Other(Dynamic),
}

/// A task's call: plain texts, never code.
#[derive(Clone, Debug, Default)]
pub struct Invocation {
    /// As a script calls it: `prod`, or `proxy::flip` of a module.
    pub function: String,
    pub arguments: Vec<String>,
    /// The last argument, for a task that takes `options`.
    pub options: Option<Vec<(String, String)>>,
}

impl Script {
    /// Calls a task on a lane; what it deferred runs however it ends.
    pub fn call(self: &Arc<Self>, here: &Here, task: &Invocation) -> RhaiResultOf<TaskValue> {
        let mut arguments: Vec<Dynamic> = task.arguments.iter().map(|a| a.clone().into()).collect();
        if let Some(options) = &task.options {
            let map: rhai::Map = options.iter().map(|(k, v)| (k.as_str().into(), v.clone().into())).collect();
            arguments.push(map.into());
        }
        let value = self.guarded(here, || self.evaluate(here, task, arguments))?;
        Ok(match value.is_unit() {
            true => TaskValue::Nothing,
            false => match value.clone().try_cast::<Targets>() {
                Some(targets) => TaskValue::Targets(targets),
                None => TaskValue::Other(value),
            },
        })
    }

    /// Calls `std/abort` with what was so before a run; `hooks()` of the fabfile, if it is there, says how to restart.
    pub fn abort(&self, here: &Here, before: rhai::Map) -> RhaiResultOf<()> {
        let hooks = self.ast.iter_functions().any(|f| f.name == "hooks" && f.params.is_empty());
        let hooks = if hooks { "hooks()" } else { "#{}" };
        let text = format!("fn give_up(a0) {{ import \"std/abort\" as aborting; aborting::abort(a0, {hooks}) }}");
        self.guarded(here, || self.evaluate_text(here, &text, "give_up", vec![before.into()])).map(drop)
    }

    /// Runs what was deferred however a call ends, and lets nothing of rfab's own break out of it.
    fn guarded(&self, here: &Here, call: impl FnOnce() -> RhaiResultOf<Dynamic>) -> RhaiResultOf<Dynamic> {
        let called = panic::catch_unwind(panic::AssertUnwindSafe(call));
        let result = called.unwrap_or_else(|_| Err("internal error in this call; report this bug".into()));
        lanes::run_defers(here, result)
    }

    fn evaluate(&self, here: &Here, task: &Invocation, arguments: Vec<Dynamic>) -> RhaiResultOf<Dynamic> {
        let name = &*task.function;
        if !name.contains("::") {
            return self.enter(here, self.imported()?, name, arguments);
        }
        // Arguments go in as values of a function's parameters, never into its text.
        let names: Vec<String> = (0..arguments.len()).map(|i| format!("a{i}")).collect();
        let names = names.join(", ");
        let text = format!("fn call_of_a_module({names}) {{ {name}({names}) }}");
        self.evaluate_text(here, &text, "call_of_a_module", arguments)
    }

    /// Calls a function of a text that sees the fabfile's functions and imports.
    fn evaluate_text(&self, here: &Here, text: &str, name: &str, arguments: Vec<Dynamic>) -> RhaiResultOf<Dynamic> {
        let mut global = self.imported()?;
        global.lib.push(Engine::new_raw().compile(text)?.shared_lib().clone());
        self.enter(here, global, name, arguments)
    }

    fn enter(
        &self,
        here: &Here,
        mut global: GlobalRuntimeState,
        name: &str,
        arguments: Vec<Dynamic>,
    ) -> RhaiResultOf<Dynamic> {
        global.tag = Dynamic::from(here.clone());
        let ctx = NativeCallContext::new_with_all_fields(&self.engine, name, None, &global, Position::NONE);
        FnPtr::new(name)?.call_within_context(&ctx, arguments)
    }

    /// The state in which the fabfile's functions find each other and its imports.
    ///
    /// The top level is read without a lane, so an effect there is refused.
    fn imported(&self) -> RhaiResultOf<GlobalRuntimeState> {
        let (home, _) = self.resolver.home(&self.engine, &self.ast)?;
        Ok(home.entered(&self.engine.new_global_runtime_state()))
    }
}
