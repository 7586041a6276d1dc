//! Finds out whether a `ProxyCommand` runs ssh, which would check host keys by its own rules.
use std::path::Path;

/// Programs that are ssh, or start it.
const SSH: [&str; 5] = ["ssh", "ssh.exe", "autossh", "sshpass", "slogin"];

/// Programs and shell words that run the command after them, or print its path.
const BEFORE: &str = "! builtin busybox chronic command do doas elif else env eval exec if ionice nice nohup proxychains \
    proxychains4 setsid stdbuf strace sudo then time timeout toybox torify torsocks type until which while xargs";

const SHELLS: [&str; 9] = ["sh", "bash", "dash", "ash", "ksh", "zsh", "fish", "csh", "tcsh"];

/// Returns whether a program that the command starts is ssh. The word `ssh` among another program's arguments doesn't
/// count.
pub(super) fn calls_ssh(command: &str) -> bool {
    commands(command).iter().any(|words| runs_ssh(words))
}

fn runs_ssh(words: &[String]) -> bool {
    let Some(at) = words.iter().position(|word| !is_assignment(word)) else { return false };
    let (word, rest) = (&words[at], &words[at + 1..]);
    let name = Path::new(word).file_name().and_then(|name| name.to_str()).unwrap_or(word);
    if SSH.contains(&name) {
        return true;
    }
    // A variable may name the program in its default: `${SSH:-ssh}`.
    if word.contains('$') && word.split(|c: char| !c.is_ascii_alphanumeric()).any(|part| SSH.contains(&part)) {
        return true;
    }
    if SHELLS.contains(&name) {
        let script = rest.iter().position(|word| word.starts_with('-') && word.contains('c'));
        let script = script.and_then(|at| rest[at + 1..].iter().find(|word| !word.starts_with('-')));
        return script.is_some_and(|script| calls_ssh(script));
    }
    BEFORE.split_whitespace().any(|word| word == name) && behind(rest)
}

/// Returns whether the command after a program's options is ssh. Any option may have a value.
fn behind(words: &[String]) -> bool {
    let mut may_be_value = false;
    for (at, word) in words.iter().enumerate() {
        if word.starts_with('-') {
            may_be_value = true;
        } else if !is_assignment(word) && !word.starts_with(|c: char| c.is_ascii_digit()) {
            if runs_ssh(&words[at..]) || (word.contains(char::is_whitespace) && calls_ssh(word)) {
                return true;
            }
            if !std::mem::take(&mut may_be_value) {
                return false;
            }
        }
    }
    false
}

fn is_assignment(word: &str) -> bool {
    let name = word.split_once('=').map_or("", |(name, _)| name);
    !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// Returns the commands of a shell line, each as its words, including those inside `$(…)`.
fn commands(line: &str) -> Vec<Vec<String>> {
    let mut read = ShellWords::default();
    let (mut chars, mut quote) = (line.chars().peekable(), None);
    // The end of each open `(` and '`', and the quote around it.
    let mut around: Vec<(char, Option<char>)> = Vec::new();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (Some('\''), c) => read.word().push(c),
            (_, '\\') => read.word().extend(chars.next()),
            (None, '\'' | '"') => {
                quote = Some(c);
                read.word();
            }
            (_, '$') if chars.peek() == Some(&'(') => {}
            (None, ')' | '`') if around.last().is_some_and(|(end, _)| *end == c) => {
                read.end_command();
                quote = around.pop().and_then(|(_, quote)| quote);
            }
            (_, '`' | '(') => {
                read.end_command();
                around.push((if c == '(' { ')' } else { c }, quote.take()));
            }
            (None, ')' | ';' | '|' | '&' | '\n') => read.end_command(),
            (None, '<' | '>') => {
                // The word before it is a file descriptor.
                read.word = None;
                read.to_file = true;
            }
            (None, c) if c.is_whitespace() => read.end_word(),
            (_, c) => read.word().push(c),
        }
    }
    read.end_command();
    read.commands
}

/// The parts of a shell line that were read so far.
#[derive(Default)]
struct ShellWords {
    commands: Vec<Vec<String>>,
    words: Vec<String>,
    word: Option<String>,
    /// Whether the next word is a file, after `<` or `>`.
    to_file: bool,
}

impl ShellWords {
    fn word(&mut self) -> &mut String {
        self.word.get_or_insert_default()
    }

    fn end_word(&mut self) {
        if let Some(word) = self.word.take()
            && !std::mem::take(&mut self.to_file)
        {
            self.words.push(word);
        }
    }

    fn end_command(&mut self) {
        self.end_word();
        self.to_file = false;
        self.commands.push(std::mem::take(&mut self.words));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ssh_is_found_wherever_a_command_starts_it() {
        for calls in [
            "ssh -W %h:%p bastion",
            "/usr/bin/ssh b nc %h %p",
            "  exec ssh -W %h:%p b",
            "exec -a x ssh b",
            "env A=b ssh b",
            "env -i -u X A='b c' /opt/ssh b",
            "env -S 'ssh -W %h:%p b'",
            "A=b C=d ssh b",
            "sh -c 'exec ssh -W x b'",
            "/bin/bash -ec \"ssh b\"",
            "bash --norc -c 'cd /tmp && ssh b'",
            "busybox sh -c 'ssh b'",
            "sshpass -f x ssh b",
            "sshpass -f x other",
            "nohup autossh b",
            "timeout 10 ssh b",
            "timeout -k 5 10s ssh b",
            "sudo -u anna ssh b",
            "nice -n 5 ssh b",
            "proxychains4 -q ssh b",
            "nc -z b 22 && ssh b",
            "nc b 1; ssh b",
            "if nc -z b 22; then ssh b; else nc %h %p; fi",
            "$(which ssh) b",
            "`command -v ssh` b",
            "${SSH:-ssh} b",
            "eval 'ssh b'",
            "( ssh b )",
            "nc \"$(ssh b hostname)\" 22",
            "nc \"$(cat x)\" 22; ssh b",
            "nc \"`cat x`\" 22 || ssh b",
            "2>/dev/null ssh b",
            "ssh.exe b",
        ] {
            assert!(calls_ssh(calls), "{calls}");
        }
    }

    #[test]
    fn the_word_ssh_among_the_arguments_of_another_program_is_a_word() {
        for does_not in [
            "cloudflared access ssh --hostname %h",
            "/usr/local/bin/cloudflared access ssh --hostname %h",
            "tsh proxy ssh --cluster=main --proxy=tp.example.org:443 %r@%h:%p",
            "step ssh proxycommand %r %h %p",
            "sh -c \"aws ssm start-session --target %h --document-name AWS-StartSSHSession --parameters 'portNumber=%p'\"",
            "aws ec2-instance-connect open-tunnel --instance-id %h",
            "gcloud compute start-iap-tunnel %h %p --listen-on-stdin",
            "nc -X 5 -x ssh.proxy.example.org:80 %h %p",
            "nc -X connect -x ssh 80",
            "socat - PROXY:ssh:%h:%p,proxyport=3128",
            "corkscrew proxy 80 %h %p ~/.ssh/auth",
            "connect -S socks:1080 %h %p",
            "openssl s_client -quiet -servername ssh -connect %h:443",
            "boundary connect ssh -target-id %h",
            "vault ssh -mode=ca %h",
            "tailscale nc %h %p",
            "sh -c 'exec cloudflared access ssh --hostname %h'",
            "env TUNNEL=ssh cloudflared access tcp",
            "nc %h %p 2> ssh",
            "nc %h %p >ssh",
            "none",
            "",
        ] {
            assert!(!calls_ssh(does_not), "{does_not}");
        }
    }
}
