//! The programs, run here in folders of their own, by dash with coreutils and by busybox with nothing else.
mod adopt;
mod assets;
mod attack;
mod keep;
mod kill;
mod machine;
mod stage;
