//! Finds out which options this machine's ssh knows.
use std::process::{Command, Stdio};

/// Returns the lines that this machine's ssh knows.
pub(super) fn known<'a>(lines: &[&'a str]) -> Vec<&'a str> {
    if are_known(lines) { lines.to_vec() } else { lines.iter().copied().filter(|line| are_known(&[line])).collect() }
}

/// Returns whether this machine's ssh knows every line. A line counts as known unless ssh calls it unknown.
fn are_known(lines: &[&str]) -> bool {
    let mut command = Command::new("ssh");
    command.args(["-F", "none", "-G"]).args(lines.iter().flat_map(|line| ["-o", line])).args(["--", "host"]);
    // An ssh that can't be started is reported by the effect that needs it.
    let said = command.env("LC_ALL", "C").stdin(Stdio::null()).output().map(|out| out.stderr).unwrap_or_default();
    let said = String::from_utf8_lossy(&said);
    !["Bad configuration option", "nsupported option"].iter().any(|words| said.contains(words))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_an_ssh_does_not_know_is_left_out_and_all_others_are_there() {
        let (old, new) = ("BatchMode yes", "NoSshHasThis yes");
        assert_eq!(known(&[old, "RequestTTY no"]), [old, "RequestTTY no"]);
        assert_eq!(known(&[old, new, "RequestTTY no"]), [old, "RequestTTY no"]);
        assert_eq!(known(&[new]), [""; 0]);
        // A line is left out only if its option is unknown, not if it is wrong otherwise.
        assert_eq!(known(&["ConnectTimeout soon"]), ["ConnectTimeout soon"]);
    }
}
