//! The project's own fabfile in the made-up world.
mod day;
mod forgetting;
#[path = "../made_up/mod.rs"]
mod made_up;
mod pools;
mod proof;
mod upkeep;
