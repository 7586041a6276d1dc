//! Writes a first fabfile and fleet file for a repository, from the facts in it.
mod fabfile;
mod fleet;
pub mod found;
mod inventory;
mod look;
mod place;
mod plan;
mod python;
mod range;
mod ruby;
mod ruby_lines;
mod said;
mod texts;
mod written;

pub use found::FoundProject;
pub use look::look;
pub use plan::{PlannedFleet, fleets};
pub use said::said;
pub use written::{File, write};

/// Returns the files to write.
pub fn files(found: &FoundProject, fleets: &[PlannedFleet]) -> Vec<File> {
    let tasks = File { path: "fabfile.rhai".to_owned(), text: fabfile::text(found, fleets) };
    let of_fleet = |planned: &PlannedFleet| File { path: planned.file(), text: fleet::text(found, planned) };
    [tasks].into_iter().chain(fleets.iter().map(of_fleet)).collect()
}
