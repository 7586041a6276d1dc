//! Tags and merges are signed as git signs them with the same settings, by gpg and by ssh.
use super::{
    sample::{Clone, Sample},
    signer::Signer,
};

/// Starts a hotfix that is ready to be finished.
fn hotfix(work: &Clone) {
    work.git(&["flow", "hotfix", "start", "3.0.1"]);
    work.commit("VERSION", "3.0.1");
}

/// Returns who signed the tag, production, and what develop got; nothing for what isn't signed.
fn signed(work: &Clone, signer: &Signer) -> [String; 3] {
    let by = |what: &str| {
        let said = work.git(&["log", "-1", "--format=%G? %GF", what]);
        signer.named(said.trim())
    };
    let tag = work.ended(&["git", "verify-tag", "--raw", "v3.0.1"]);
    [signer.named(&tag), by("production"), by("develop")]
}

#[test]
fn what_git_flow_signs_rfab_signs_with_the_same_key() {
    let signer = Signer::new();
    let gpg = [("user.signingkey", "anna@example.org")];
    let ssh = [("gpg.format", "ssh"), ("user.signingkey", &signer.ssh_key())];
    let all = [("tag.gpgSign", "true"), ("commit.gpgSign", "true")];
    let [gpg, ssh, all]: [&[(&str, &str)]; 3] = [&gpg, &ssh, &all];
    let nobody = ["", "", ""];
    for (settings, who) in [
        ([gpg, &[]].concat(), nobody),
        ([gpg, &[("gitflow.hotfix.finish.sign", "true")]].concat(), ["anna", "", ""]),
        ([gpg, &[("gitflow.hotfix.finish.signingkey", "berta@example.org")]].concat(), ["berta", "", ""]),
        ([gpg, &[("tag.gpgSign", "true")]].concat(), ["anna", "", ""]),
        ([gpg, &[("commit.gpgSign", "true")]].concat(), ["", "anna", "anna"]),
        ([gpg, all].concat(), ["anna"; 3]),
        ([gpg, all, &[("gitflow.hotfix.finish.squash", "true")]].concat(), ["anna"; 3]),
        ([ssh, &[("gitflow.hotfix.finish.sign", "true")]].concat(), ["ssh", "", ""]),
        ([ssh, all].concat(), ["ssh"; 3]),
    ] {
        let [ours, theirs] = [(); 2].map(|()| {
            let sample = Sample::avh();
            signer.lend(&sample.work);
            settings.iter().for_each(|(name, value)| drop(sample.work.git(&["config", name, value])));
            hotfix(&sample.work);
            sample
        });
        ours.work.rfab(&["finish", "hotfix", "3.0.1"]);
        let message = theirs.folder.path().join("message");
        std::fs::write(&message, "v3.0.1\n").unwrap();
        theirs.work.git(&["flow", "hotfix", "finish", "-f", message.to_str().unwrap(), "3.0.1"]);
        assert_eq!(signed(&theirs.work, &signer), who, "git-flow: {settings:?}");
        assert_eq!(signed(&ours.work, &signer), who, "rfab: {settings:?}");
    }
}

#[test]
fn a_key_that_only_the_repositorys_folder_names_signs() {
    let signer = Signer::new();
    let sample = Sample::avh();
    signer.lend(&sample.work);
    let (own, rules) = (sample.work.home.join(".gitconfig"), sample.work.home.join("shop"));
    std::fs::write(&rules, "[user]\n\tsigningkey = berta@example.org\n\tname = Berta\n[tag]\n\tgpgSign\n").unwrap();
    let place = sample.work.folder.join(".git").display().to_string();
    std::fs::write(&own, format!("[includeIf \"gitdir:{place}\"]\n\tpath = {}\n", rules.display())).unwrap();
    sample.work.git(&["config", "--unset", "user.name"]);
    hotfix(&sample.work);
    sample.work.rfab(&["finish", "hotfix", "3.0.1"]);
    assert_eq!(signed(&sample.work, &signer), ["berta", "", ""]);
    assert_eq!(sample.work.git(&["for-each-ref", "--format=%(taggername)", "refs/tags/v3.0.1"]), "Berta\n");
}

#[test]
fn what_cannot_be_signed_stops_with_the_whole_reason_and_nothing_moves() {
    let signer = Signer::new();
    let ssh = ("gpg.format", "ssh");
    let no_key = "gpg: skipped \"nobody@example.org\": No secret key; gpg: signing failed: No secret key";
    for (settings, reason) in [
        (&[("user.signingkey", "nobody@example.org")][..], no_key),
        (&[("user.signingkey", "carl@example.org")], "gpg: signing failed: No pinentry"),
        (&[("gpg.program", "/nonexistent/gpg")], "cannot exec '/nonexistent/gpg': No such file or directory"),
        (&[ssh], "fatal: either user.signingkey or gpg.ssh.defaultKeyCommand needs to be configured"),
        (&[ssh, ("user.signingkey", "/nonexistent/key")], "error: Couldn't load public key /nonexistent/key: "),
    ] {
        for (what, also) in [("tag", "tag.gpgSign"), ("merge", "commit.gpgSign")] {
            let sample = Sample::avh();
            signer.lend(&sample.work);
            hotfix(&sample.work);
            settings.iter().for_each(|(name, value)| drop(sample.work.git(&["config", name, value])));
            sample.work.git(&["config", also, "true"]);
            let before = (sample.origin(), sample.work.refs());
            let (out, code) = sample.work.typed(&["finish", "hotfix", "3.0.1"]);
            let mut lines = out.lines().skip_while(|line| !line.starts_with("error: "));
            let first = lines.next().unwrap_or_default();
            let begins = format!("error: git {what} failed: ");
            assert!(first.starts_with(&begins) && first.contains(reason) && code == Some(1), "{settings:?}: {out}");
            let help = "  help: no branch and no tag has moved. git signs without a terminal here: unlock the key in \
                        gpg-agent or ssh-agent, or fix `user.signingkey`, then type the line again";
            assert!(lines.any(|line| line == help), "{settings:?}: {out}");
            assert!(!out.contains("rfab.") && !out.contains("GNUPG:"), "{settings:?}: {out}");
            assert_eq!((sample.origin(), sample.work.refs()), before);
            assert_eq!(sample.work.git(&["status", "--porcelain"]), "");
            // With the signing mended, the same line completes it.
            sample.work.git(&["config", also, "false"]);
            sample.work.rfab(&["finish", "hotfix", "3.0.1"]);
        }
    }
}
