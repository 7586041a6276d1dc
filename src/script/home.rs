//! Keeps files apart: a function or closure sees what its own file defines and imports, from wherever it is called.
//!
//! Rhai looks for a function in all files that are being called, before its own file. So the stdlib would call a
//! fabfile's `fn len(x)`, too. Here, each call into another file starts with only that file in scope.
use super::{RhaiResultOf, constants::Constants};
use rhai::{
    AST, Array, Dynamic, EncapsulatedEnviron, Engine, EvalAltResult, FnAccess, FnPtr, FuncRegistration,
    GlobalRuntimeState, ImmutableString, Locked, Map, Module, NativeCallContext, Scope, Shared,
    plugin::{RhaiFunc, RhaiResult},
};
use std::{any::TypeId, sync::Arc};

/// The name of a closure that left its file.
pub(super) const CLOSURE: &str = "the_closure";

/// What the functions of a file see: each other, and the file's imports and constants.
pub struct FileScope {
    seen: EncapsulatedEnviron,
    source: Option<ImmutableString>,
}

impl FileScope {
    /// Runs the top level of a file, without a lane; also returns the module with its exported variables.
    pub fn of(engine: &Engine, ast: &AST, constants: Constants) -> RhaiResultOf<(FileScope, Module)> {
        let ran = Module::eval_ast_as_new(Scope::new(), ast, engine)?;
        let constants = constants.into_iter().map(|(name, value)| (name.into(), value)).collect();
        let seen = EncapsulatedEnviron {
            lib: [ast.shared_lib().clone()].into_iter().collect(),
            imports: ran.iter_sub_modules().map(|(alias, module)| (alias.into(), module.clone())).collect(),
            constants: Some(Shared::new(Locked::new(constants))),
        };
        Ok((FileScope { seen, source: ast.source().map(Into::into) }, ran))
    }

    /// Returns the file that is running.
    fn running(state: &GlobalRuntimeState) -> FileScope {
        FileScope { seen: state.into(), source: state.source.clone() }
    }

    /// Returns the state of a call from another file into this one: with the same lane and depth.
    pub fn entered(&self, from: &GlobalRuntimeState) -> GlobalRuntimeState {
        let mut state = from.clone();
        state.truncate_imports(0);
        self.seen.imports.iter().for_each(|(alias, module)| state.push_import(alias.clone(), module.clone()));
        state.lib.clone_from(&self.seen.lib);
        state.constants.clone_from(&self.seen.constants);
        state.source.clone_from(&self.source);
        state
    }

    /// Returns the public functions and variables of the file, for other files.
    pub fn exports(self, ast: &AST, ran: &Module) -> Module {
        let home = Arc::new(self);
        let mut module = Module::new();
        module.set_id(home.source.clone().unwrap_or_default());
        ran.iter_sub_modules().for_each(|(alias, inner)| _ = module.set_sub_module(alias, inner.clone()));
        let state = |engine: &Engine| home.entered(&engine.new_global_runtime_state());
        let inside = state(&Engine::new_raw());
        ran.iter_var().for_each(|(name, value)| _ = module.set_var(name, carried(value.clone(), &inside)));
        let public = |access, name: &str| access == FnAccess::Public && !name.starts_with("anon$");
        for function in ast.iter_functions().filter(|function| public(function.access, function.name)) {
            let (home, name) = (home.clone(), function.name.to_owned());
            let call = move |ctx: Option<NativeCallContext>, args: &mut [&mut Dynamic]| {
                let ctx = ctx.expect("it is registered as one that has a context");
                let outer = ctx.global_runtime_state();
                let args = args.iter_mut().map(|arg| carried(arg.take(), outer)).collect();
                home.call(&ctx, &FnPtr::new(&*name)?, None, args)
            };
            let call = RhaiFunc::Pure { func: Shared::new(call), has_context: true, is_pure: false, is_volatile: true };
            let types = vec![TypeId::of::<Dynamic>(); function.params.len()];
            FuncRegistration::new(function.name).set_into_module_raw(&mut module, types, call);
        }
        module.build_index();
        module
    }

    fn call(
        &self,
        ctx: &NativeCallContext,
        function: &FnPtr,
        this: Option<&mut Dynamic>,
        args: Vec<Dynamic>,
    ) -> RhaiResult {
        let inside = self.entered(ctx.global_runtime_state());
        let source = self.source.as_deref();
        let (engine, at) = (ctx.engine(), ctx.call_position());
        let ctx = NativeCallContext::new_with_all_fields(engine, function.fn_name(), source, &inside, at);
        function.call_raw(&ctx, this, args).map(|value| carried(value, &inside))
    }

    /// Returns whether the file has a function with this name and number of parameters.
    fn has(&self, name: &str, parameters: usize) -> bool {
        self.seen.lib.iter().any(|file| file.get_script_fn(name, parameters).is_some())
    }
}

/// Prepares a value for another file: its closures take along the file that they were written in.
fn carried(value: Dynamic, from: &GlobalRuntimeState) -> Dynamic {
    if !has_closure(&value) {
        return value;
    }
    let value = match value.flatten().try_cast_result::<Map>() {
        Ok(map) => return map.into_iter().map(|(name, value)| (name, carried(value, from))).collect::<Map>().into(),
        Err(value) => value,
    };
    match value.try_cast_result::<Array>() {
        Ok(all) => all.into_iter().map(|value| carried(value, from)).collect::<Array>().into(),
        Err(closure) => abroad(closure.cast(), FileScope::running(from)).into(),
    }
}

/// Returns whether a value contains a closure of the running file, at any depth.
fn has_closure(value: &Dynamic) -> bool {
    value.read_lock::<FnPtr>().is_some_and(|closure| closure.fn_name() != CLOSURE)
        || value.read_lock::<Array>().is_some_and(|all| all.iter().any(has_closure))
        || value.read_lock::<Map>().is_some_and(|map| map.values().any(has_closure))
}

/// Wraps a closure for another file. Its captured values stay outside, where a lane copies them.
#[expect(deprecated, reason = "`from_fn` is Rhai's word for an API that may change, and there is no other")]
fn abroad(mut closure: FnPtr, home: FileScope) -> FnPtr {
    let captured: Vec<Dynamic> = closure.iter_curry().cloned().collect();
    let first = captured.len();
    closure.set_curry([]);
    let call = move |ctx: NativeCallContext, args: &mut [&mut Dynamic]| {
        let outer = ctx.global_runtime_state();
        // If no function matches, Rhai tries again with the same arguments.
        let mut given: Vec<Dynamic> = args.iter().map(|arg| (**arg).clone()).collect();
        let this = this_of(&home, closure.fn_name(), &given, first);
        let mut this = this.map(|at| (at, given.remove(at)));
        let own = given.drain(..first.min(given.len())).collect::<Vec<_>>();
        let given = own.into_iter().chain(given.into_iter().map(|arg| carried(arg, outer))).collect();
        let result = home.call(&ctx, &closure, this.as_mut().map(|(_, this)| this), given);
        if let Some((at, this)) = this {
            *args[at] = this;
        }
        result.map_err(|error| renamed(*error, closure.fn_name()))
    };
    let mut abroad = FnPtr::from_fn(CLOSURE, call).expect("the name is one of a function");
    abroad.set_curry(captured);
    abroad
}

/// Returns the position of `this` among the arguments of a closure that is called as a method and has no parameter for
/// it.
///
/// Rhai puts it first if a map's closure is called by its key; otherwise after the captured values.
fn this_of(home: &FileScope, name: &str, args: &[Dynamic], captured: usize) -> Option<usize> {
    let others = args.len().checked_sub(1)?;
    let method = home.has(name, others) && !home.has(name, args.len());
    let map = args[0].is_map() && !args[0].is_shared();
    method.then_some(if map { 0 } else { captured.min(others) })
}

/// Renames a closure in an error about its arguments to the name outside: Rhai then tries it with more arguments.
fn renamed(error: EvalAltResult, name: &str) -> Box<EvalAltResult> {
    match error {
        EvalAltResult::ErrorFunctionNotFound(signature, at) if signature.starts_with(name) => {
            let signature = format!("{CLOSURE}{}", &signature[name.len()..]);
            Box::new(EvalAltResult::ErrorFunctionNotFound(signature, at))
        }
        other => Box::new(other),
    }
}
