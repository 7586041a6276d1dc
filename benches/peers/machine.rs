//! The machine that the benchmark runs on.
use lab::Debian;
use std::{fs, process::Command};

pub fn date() -> String {
    said("date", &["-u", "+%Y-%m-%d %H:%M UTC"])
}

/// Describes it: processors, memory, system, filesystem.
pub fn describe() -> String {
    let read = |file: &str| fs::read_to_string(file).unwrap_or_default();
    let value = |text: &str, key: &str| -> String {
        let line = text.lines().find_map(|line| line.strip_prefix(key)).unwrap_or_default();
        line.trim_matches(|c: char| c.is_whitespace() || "=:\"".contains(c)).to_owned()
    };
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let memory = value(&read("/proc/meminfo"), "MemTotal").trim_end_matches(" kB").parse().unwrap_or(0.0) / 1048576.0;
    format!(
        "{processors} processors ({}), {memory:.0} GiB, {}, Linux {}, {}",
        value(&read("/proc/cpuinfo"), "model name"),
        value(&read("/etc/os-release"), "PRETTY_NAME"),
        read("/proc/sys/kernel/osrelease").trim().split('-').next().unwrap_or_default(),
        said("df", &["--output=fstype", "/tmp"]).lines().last().unwrap_or_default(),
    )
}

/// Returns the average of the last minute.
pub fn load() -> f64 {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().and_then(|load| load.parse().ok()).unwrap_or_default()
}

/// Returns the rfab that is measured.
pub fn binary() -> String {
    std::env::var("RFAB_BINARY").unwrap_or_else(|_| env!("CARGO_BIN_EXE_rfab").to_owned())
}

/// Returns its version, and how it was built.
pub fn rfab() -> String {
    let build = if std::env::var_os("RFAB_BINARY").is_none() && cfg!(debug_assertions) { ", debug build" } else { "" };
    said(&binary(), &["--version"]).lines().next().unwrap_or_default().to_owned() + build
}

/// Returns the version of OpenSSH, as `9.2` or `10.1`.
pub fn ssh(debian: Option<Debian>) -> String {
    let mut command = Command::new("ssh");
    if let Some(debian) = debian {
        command = Command::new("chroot");
        command.arg(debian.folder()).arg("ssh");
    }
    let output = command.arg("-V").output().expect("ssh");
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    let version = text.split_once("OpenSSH_").map(|(_, version)| version).unwrap_or_default();
    version.chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect()
}

/// Returns what a program prints, to stdout or stderr; nothing if it isn't here.
pub fn said(program: &str, arguments: &[&str]) -> String {
    // Some tools want a home.
    let output = Command::new(program).args(arguments).env("HOME", std::env::temp_dir()).output();
    let Ok(output) = output else { return String::new() };
    let text = if output.stdout.is_empty() { output.stderr } else { output.stdout };
    String::from_utf8_lossy(&text).trim().to_owned()
}
