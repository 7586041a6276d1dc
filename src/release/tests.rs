//! Runs the programs in temporary folders, with dash and coreutils, and with busybox alone.
mod adopt;
mod assets;
mod attack;
mod earlier;
mod fault;
mod keep;
mod kill;
mod large;
mod machine;
mod modules;
mod stage;
mod substituted;
