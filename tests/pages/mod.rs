//! The pages as a whole: what stands in their blocks, and where their links lead.
mod blocks;
mod book;
mod events;
mod security;
mod typed;
