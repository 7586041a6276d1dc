//! The boundary between a script and a primitive.
use crate::failure::{Cause, Failure};
use crate::script::{thrown, unmetered};
use rhai::{
    Dynamic, EvalAltResult, NativeCallContext,
    plugin::{PluginFunc, RhaiResult},
};
use std::panic;

/// A primitive as a script calls it: an error has the position of the call, and a panic is a failure.
///
/// Rhai gives no position to an error of a function in a namespace, and lets a panic unwind through the script.
pub(super) struct Called(pub &'static (dyn PluginFunc + Send + Sync));

impl PluginFunc for Called {
    fn call(&self, context: Option<NativeCallContext>, args: &mut [&mut Dynamic]) -> RhaiResult {
        let at = context.as_ref().map(NativeCallContext::call_position).unwrap_or_default();
        let name = context.as_ref().map(|c| c.fn_name().to_owned()).unwrap_or_default();
        let called = unmetered(|| panic::catch_unwind(panic::AssertUnwindSafe(|| self.0.call(context, args))));
        let result = called.unwrap_or_else(|_| Err(failed(&name)));
        result.map_err(|mut error| {
            if error.position().is_none() {
                error.set_position(at);
            }
            error
        })
    }

    fn is_method_call(&self) -> bool {
        self.0.is_method_call()
    }

    fn has_context(&self) -> bool {
        true
    }

    fn is_pure(&self) -> bool {
        self.0.is_pure()
    }

    fn is_volatile(&self) -> bool {
        self.0.is_volatile()
    }
}

fn failed(name: &str) -> Box<EvalAltResult> {
    let failure = Failure::new(Cause::Internal, format!("internal error in `{name}`"));
    thrown(failure.help("report this bug; check the hosts' state before you continue"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::Reason;
    use rhai::{Engine, Module, plugin::*};

    struct Panics;

    impl PluginFunc for Panics {
        fn call(&self, _: Option<NativeCallContext>, _: &mut [&mut Dynamic]) -> RhaiResult {
            panic!("a mistake in rfab")
        }

        fn is_method_call(&self) -> bool {
            false
        }

        fn has_context(&self) -> bool {
            false
        }
    }

    #[test]
    fn a_primitive_that_panics_is_a_failure_with_its_place() {
        let mut module = Module::new();
        let func = RhaiFunc::Plugin { func: rhai::Shared::new(Called(&Panics)) };
        FuncRegistration::new("panics").set_into_module_raw(&mut module, [], func);
        let mut engine = Engine::new();
        engine.register_static_module("x", module.into());
        let error = engine.run("let a = 1;\n  x::panics();").unwrap_err();
        let failure = crate::script::failure_of(&error);
        assert_eq!((failure.reason(), &*failure.message), (Reason::Unknown, "internal error in `panics`"));
        assert_eq!((error.position().line(), error.position().position()), (Some(2), Some(6)));
    }
}
