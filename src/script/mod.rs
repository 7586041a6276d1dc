//! The Rhai engine: limits, modules, lanes, errors.
mod argument;
mod constants;
mod engine;
mod forbidden;
mod here;
pub mod hints;
mod home;
mod host;
mod lanes;
mod meter;
mod owned;
mod required_version;
mod resolver;
pub mod stdlib;
mod targets;
mod task;
mod thrown;
mod unfilled;

pub use argument::{Argument, has_secret, refuse_stars, revealed, worded};
pub use engine::engine;
pub use here::{Here, here};
pub use host::HostValue;
pub use lanes::{OnLanes, run_defers};
pub use meter::{Meter, unmetered};
pub use owned::owned_well;
pub use resolver::Resolver;
pub use targets::{
    Targets, current_targets, fleet_of_file, fleet_of_map, hand_over, hosts_of_app, select_hosts, whole_fleet_of,
};
pub use task::{Invocation, Script, Value};
pub use thrown::{Located, Spot, failure_of, thrown};

/// Rhai's own alias of this name is private, and its name is what `.d.rhai` files leave out.
pub type RhaiResultOf<T> = Result<T, Box<rhai::EvalAltResult>>;
