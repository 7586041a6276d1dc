//! Calls a task of a fabfile.
use super::{Here, RhaiResultOf, Script, Targets, lanes};
use rhai::{Dynamic, Engine, FnPtr, GlobalRuntimeState, NativeCallContext, Position};
use std::{panic, sync::Arc};

/// The result of a task.
#[derive(Clone)]
pub enum TaskValue {
    Nothing,
    Targets(Targets),
    Other(Dynamic),
}

/// A task's call: plain texts, never code.
#[derive(Clone, Debug, Default)]
pub struct Invocation {
    /// The name that a script would call: `prod`, or `proxy::flip` in a module.
    pub function: String,
    pub arguments: Vec<String>,
    /// The last argument of a task that takes `options`.
    pub options: Option<Vec<(String, String)>>,
}

impl Script {
    /// Calls a task on a lane, then runs what it deferred, however it ended.
    pub fn call(self: &Arc<Self>, here: &Here, task: &Invocation) -> RhaiResultOf<TaskValue> {
        let mut arguments: Vec<Dynamic> = task.arguments.iter().map(|a| a.clone().into()).collect();
        if let Some(options) = &task.options {
            let map: rhai::Map = options.iter().map(|(k, v)| (k.as_str().into(), v.clone().into())).collect();
            arguments.push(map.into());
        }
        let value = self.guarded(here, || self.evaluate(here, task, arguments))?;
        Ok(if value.is_unit() {
            TaskValue::Nothing
        } else {
            match value.clone().try_cast::<Targets>() {
                Some(targets) => TaskValue::Targets(targets),
                None => TaskValue::Other(value),
            }
        })
    }

    /// Calls `std/abort` with the state before a run; the fabfile's `hooks()`, if there is one, tells how to restart.
    pub fn abort(&self, here: &Here, before: rhai::Map) -> RhaiResultOf<()> {
        let hooks = self.ast.iter_functions().any(|f| f.name == "hooks" && f.params.is_empty());
        let hooks = if hooks { "hooks()" } else { "#{}" };
        let text = format!("fn give_up(a0) {{ import \"std/abort\" as aborting; aborting::abort(a0, {hooks}) }}");
        self.guarded(here, || self.evaluate_text(here, &text, "give_up", vec![before.into()])).map(drop)
    }

    /// Makes a call, then runs what it deferred, however it ended; a panic in it becomes a failure.
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
        // Arguments are passed as values of a function's parameters, never as part of its text.
        let names: Vec<String> = (0..arguments.len()).map(|i| format!("a{i}")).collect();
        let names = names.join(", ");
        let text = format!("fn call_of_a_module({names}) {{ {name}({names}) }}");
        self.evaluate_text(here, &text, "call_of_a_module", arguments)
    }

    /// Calls a function in `text`, which sees the fabfile's functions and imports.
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

    /// Returns a state in which the fabfile's functions find each other and its imports.
    ///
    /// The top level runs without a lane, so an effect there is refused.
    fn imported(&self) -> RhaiResultOf<GlobalRuntimeState> {
        let (home, _) = self.resolver.home(&self.engine, &self.ast)?;
        Ok(home.entered(&self.engine.new_global_runtime_state()))
    }
}
