//! Primitives that load a fleet.
use crate::script::{RhaiResultOf, Targets, fleet_of_file, fleet_of_map, here};
use rhai::{Map, NativeCallContext, plugin::*};

#[export_module(manifest)]
pub mod fleet {
    /// Returns the hosts of a fleet file in the `fleets/` folder beside the fabfile.
    ///
    /// # Example
    ///
    /// ```rhai
    /// let production = fleet("fleets/prod.toml");
    /// ```
    #[rhai_fn(name = "fleet", return_raw)]
    pub(crate) fn of_file(ctx: NativeCallContext, path: &str) -> RhaiResultOf<Targets> {
        let here = here(&ctx)?.clone();
        fleet_of_file(&here, path)
    }

    /// Returns the hosts of a fleet that a map describes. The map has the keys of a fleet file.
    ///
    /// # Example
    ///
    /// ```rhai
    /// let small = fleet("small", #{ hosts: #{ web1: #{ roles: ["web"] } } });
    /// ```
    #[rhai_fn(name = "fleet", return_raw)]
    pub(crate) fn of_map(ctx: NativeCallContext, name: &str, keys: Map) -> RhaiResultOf<Targets> {
        let here = here(&ctx)?.clone();
        fleet_of_map(&here, name, keys)
    }
}
