//! Files kept apart: a function or closure sees what its own file defines and imports, whoever calls it.
//!
//! Rhai looks for a function among those of all files that are being called, before its own. So a `fn len(x)` of a
//! fabfile would be called by the stdlib, too. Here each call into another file begins with that file alone.
use super::{RhaiResultOf, constants::Constants};
use rhai::{
    AST, Array, Dynamic, EncapsulatedEnviron, Engine, EvalAltResult, FnAccess, FnPtr, FuncRegistration,
    GlobalRuntimeState, ImmutableString, Locked, Map, Module, NativeCallContext, Scope, Shared,
    plugin::{RhaiFunc, RhaiResult},
};
use std::{any::TypeId, sync::Arc};

/// The name of a closure that left the file it was written in.
pub const CLOSURE: &str = "the_closure";

/// What the functions of a file see: each other, and the file's imports and constants.
pub struct FileScope {
    seen: EncapsulatedEnviron,
    source: Option<ImmutableString>,
}

impl FileScope {
    /// Runs the top level of a file, without a lane; its exported variables come back beside.
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

    /// The file that is being run.
    fn running(state: &GlobalRuntimeState) -> FileScope {
        FileScope { seen: state.into(), source: state.source.clone() }
    }

    /// The state of a call into this file, from another's: the same lane, and as deep.
    pub fn entered(&self, from: &GlobalRuntimeState) -> GlobalRuntimeState {
        let mut state = from.clone();
        state.truncate_imports(0);
        self.seen.imports.iter().for_each(|(alias, module)| state.push_import(alias.clone(), module.clone()));
        state.lib.clone_from(&self.seen.lib);
        state.constants.clone_from(&self.seen.constants);
        state.source.clone_from(&self.source);
        state
    }

    /// The public functions and variables of the file, as other files call them.
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

    /// Whether the file has a function of this name with so many parameters.
    fn has(&self, name: &str, parameters: usize) -> bool {
        self.seen.lib.iter().any(|file| file.get_script_fn(name, parameters).is_some())
    }
}

/// A value that goes into another file: its closures take the file along that they were written in.
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

/// Whether a closure of the file that is being run is in a value, however deep.
fn has_closure(value: &Dynamic) -> bool {
    value.read_lock::<FnPtr>().is_some_and(|closure| closure.fn_name() != CLOSURE)
        || value.read_lock::<Array>().is_some_and(|all| all.iter().any(has_closure))
        || value.read_lock::<Map>().is_some_and(|map| map.values().any(has_closure))
}

/// A closure as another file may hold and call it. What it captured stays outside, where a lane makes copies of it.
#[expect(deprecated, reason = "`from_fn` is Rhai's word for an API that may change, and there is no other")]
fn abroad(mut closure: FnPtr, home: FileScope) -> FnPtr {
    let captured: Vec<Dynamic> = closure.iter_curry().cloned().collect();
    let first = captured.len();
    closure.set_curry([]);
    let call = move |ctx: NativeCallContext, args: &mut [&mut Dynamic]| {
        let outer = ctx.global_runtime_state();
        // Rhai tries again with the same arguments if there is no such function.
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

/// Where `this` stands among the arguments of a closure that is called as a method, and that has no parameter for it.
///
/// Rhai puts it in front for a map whose closure is called by its key, and else behind what was captured.
fn this_of(home: &FileScope, name: &str, args: &[Dynamic], captured: usize) -> Option<usize> {
    let others = args.len().checked_sub(1)?;
    let method = home.has(name, others) && !home.has(name, args.len());
    let map = args[0].is_map() && !args[0].is_shared();
    method.then_some(if map { 0 } else { captured.min(others) })
}

/// A closure that takes other arguments has the name under which it is known abroad: Rhai tries it with more of them.
fn renamed(error: EvalAltResult, name: &str) -> Box<EvalAltResult> {
    match error {
        EvalAltResult::ErrorFunctionNotFound(signature, at) if signature.starts_with(name) => {
            let signature = format!("{CLOSURE}{}", &signature[name.len()..]);
            Box::new(EvalAltResult::ErrorFunctionNotFound(signature, at))
        }
        other => Box::new(other),
    }
}
