//! The pages, the examples, the schemas and the sources: checks all of them, and writes the pages that are made.
mod blocks;
mod book;
mod contributing;
mod documentation;
mod events;
mod examples;
mod flags;
mod formats;
mod hints;
#[path = "../simulated/made_up.rs"]
mod made_up;
#[path = "../simulated/project.rs"]
mod project;
mod screens;
mod security;
mod typed;
mod walls;

lab::suite!();
