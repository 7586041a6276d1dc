//! What is known of a commit's tree before anything is locked.
use crate::made_up::{FOUR, Shop, changes, done, failures};
use rfab::{event::EventKind, simulate::Simulation};

const WARNING: &str = "these files are released encrypted, as they were committed: `config/key` (git-crypt), \
                       `config/prod.yaml` (SOPS)";

/// A shop whose newest tag has two files that nobody decrypted.
fn shop(tasks: &str) -> Shop {
    let shop = Shop::of(&[("prod", FOUR)], tasks);
    shop.write("config/key", "\0GITCRYPT\0\u{1}\u{2}");
    shop.write("config/prod.yaml", "pw: ENC[AES256_GCM,data:x]\nsops:\n    mac: ENC[AES256_GCM,data:y]\n");
    shop.git(&["add", "config"]);
    shop.git(&["commit", "-qm", "secrets"]);
    shop.git(&["tag", "v3.1.0"]);
    shop
}

/// Returns the warnings about files, each with whether the lock was taken before it.
fn warned(ran: &Simulation) -> Vec<(String, bool)> {
    let mut locked = false;
    let mut all = Vec::new();
    for event in &ran.events {
        match &event.what {
            EventKind::EffectFinished { effect: "lock", .. } => locked = true,
            EventKind::Warned { text, .. } if text.contains("encrypted") => all.push((text.clone(), locked)),
            _ => {}
        }
    }
    assert!(locked, "{:?}", failures(ran));
    all
}

#[test]
fn files_that_are_still_encrypted_are_named_once_before_the_lock_and_not_if_every_host_has_them() {
    let shop = shop("");
    let ran = shop.run("prod release:stable", shop.known());
    assert_eq!(warned(&ran), [(WARNING.to_owned(), false)]);
    let again = shop.run("prod deploy:stable", done(ran));
    assert_eq!(warned(&again), []);
}

#[test]
fn a_build_is_looked_at_in_place_of_its_commit() {
    let tasks = r#"
import "std/deploy" as building;
fn built(reference) { building::deploy(reference, #{ build: |folder| {} }); }
"#;
    let shop = shop(tasks);
    let ran = shop.run("prod built:stable", shop.known());
    assert_eq!(warned(&ran), []);
    done(ran);
}

#[test]
fn a_tree_that_cannot_be_released_is_refused_before_the_lock() {
    let shop = shop("");
    shop.git(&["update-index", "--add", "--cacheinfo", &format!("160000,{},vendor/lib", shop.commit("v3.1.0"))]);
    shop.git(&["commit", "-qm", "a submodule"]);
    shop.git(&["tag", "v3.2.0"]);
    let ran = shop.run("prod release:stable", shop.known());
    let short = &shop.commit("v3.2.0")[..12];
    let why = format!("`{short}` can't be released: `vendor/lib` is a submodule, and `.gitmodules` doesn't name it");
    assert_eq!((&ran.ended.failures[0].message, changes(&ran.events)), (&why, vec![]));
}

#[test]
fn a_dry_run_names_the_submodules_and_the_large_files_that_it_assumes_can_be_fetched() {
    let shop = shop("");
    shop.write(".gitmodules", "[submodule \"lib\"]\n\tpath = vendor/lib\n\turl = https://example.org/lib.git\n");
    shop.write(".gitattributes", "*.bin filter=lfs\n");
    let pointer = format!("version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize 7\n", "0".repeat(64));
    shop.write("big.bin", &pointer);
    shop.git(&["-c", "filter.lfs.clean=cat", "add", ".gitmodules", ".gitattributes", "big.bin"]);
    shop.git(&["update-index", "--add", "--cacheinfo", &format!("160000,{},vendor/lib", shop.commit("v3.1.0"))]);
    shop.git(&["commit", "-qm", "a submodule, and a large file"]);
    shop.git(&["tag", "v3.2.0"]);
    let ran = shop.run("prod release:stable", shop.known());
    let assumed = "a dry run fetches no submodules, and assumes that these can be fetched: `vendor/lib` from \
                   `https://example.org/lib.git`; a dry run fetches nothing from git-lfs, and assumes that it has these \
                   files: `big.bin`";
    assert_eq!(warned(&ran), [(format!("{WARNING}; {assumed}"), false)]);
    done(ran);
}
