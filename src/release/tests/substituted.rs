//! Files with `export-subst`, which are those of `git archive`.
use crate::{
    fleet::TreeRules,
    git::sample::Sample,
    release::{Packing, pack, tree},
};
use std::{collections::BTreeMap, io::Read};

const FILES: [(&str, &str); 6] = [
    ("version.txt", "$Format:%H %h %an %ad %cI %s$ and $Format:%D$"),
    ("describe", "$Format:%(describe:tags=true)$"),
    ("sub/annotated", "$Format:%(describe)$"),
    ("binary", "\0$Format:%h$\r\n$Id$\r\n"),
    ("open", "$Format:%h"),
    ("other", "$Format:%h$"),
];

/// Returns the files of an archive by their names.
fn files(tar: impl Read, prefix: &str) -> BTreeMap<String, Vec<u8>> {
    let mut archive = tar::Archive::new(tar);
    let mut found = BTreeMap::new();
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        let name = entry.path().unwrap().display().to_string();
        if let (Some(name), true) = (name.strip_prefix(prefix), entry.header().entry_type().is_file()) {
            let mut content = Vec::new();
            entry.read_to_end(&mut content).unwrap();
            found.insert(name.to_owned(), content);
        }
    }
    found
}

#[test]
fn placeholders_are_substituted_by_choice_and_as_by_git_archive() {
    let sample = Sample::new();
    FILES.iter().for_each(|(name, text)| sample.write(name, text.as_bytes()));
    sample.write(".gitattributes", b"* export-subst ident\nother -export-subst\n.gitattributes export-ignore\n");
    sample.commit_all();
    sample.git(&["tag", "-a", "-m", "3.0.0", "v3.0.0"]);
    let head = sample.commit("more", "$Format:%s$");
    sample.git(&["tag", "v3.0.1"]);
    sample.git(&["checkout", "-q", "--detach"]);
    sample.git(&["branch", "-D", "main"]);
    sample.git(&["remote", "remove", "origin"]);
    let at = sample.repository();
    let packed = |export_subst| {
        let rules = TreeRules { export_subst, ..TreeRules::default() };
        let packed = pack(&at, &head, &rules, sample.folder.path(), sample.folder.path()).unwrap();
        let parcel = packed.whole(sample.folder.path(), Packing::Gzip).unwrap();
        let gzip = flate2::read::GzDecoder::new(std::fs::File::open(&parcel.file).unwrap());
        (files(gzip, "tree/"), packed.manifest_sha256)
    };
    let (plain, first) = packed(false);
    assert_eq!(plain["other"], plain["open"].iter().copied().chain(*b"$").collect::<Vec<u8>>());
    assert!(FILES.iter().all(|(name, text)| plain[*name] == text.as_bytes()), "by choice");
    let (ours, second) = packed(true);
    assert_ne!(first, second);
    let mut git = std::process::Command::new("git");
    git.arg("-C").arg(&sample.work).args(["-c", "core.abbrev=12", "archive", &head]);
    let theirs = files(&*git.output().unwrap().stdout, "");
    // `ident` is a conversion, which a release never has; and git describes a commit only once in an archive.
    for (name, content) in theirs.iter().filter(|(name, _)| !["binary", "sub/annotated"].contains(&&***name)) {
        assert_eq!(String::from_utf8_lossy(&ours[name]), String::from_utf8_lossy(content), "{name}");
    }
    assert_eq!(theirs.keys().collect::<Vec<_>>(), ours.keys().collect::<Vec<_>>());
    let text = |name: &str| String::from_utf8(ours[name].clone()).unwrap();
    assert_eq!(text("binary"), format!("\0{}\r\n$Id$\r\n", &head[..12]));
    assert_eq!([text("describe"), text("sub/annotated")], ["v3.0.1", &*format!("v3.0.0-1-g{}", &head[..12])]);
    assert_eq!([text("open"), text("other"), text("more")], ["$Format:%h", "$Format:%h$", "more: $Format:%s$"]);
    // A build gets the same files.
    let folder = sample.folder.path().join("built");
    let rules = TreeRules { export_subst: true, ..TreeRules::default() };
    tree::check_out(crate::git::Tree::read(&at, &head).unwrap(), &rules, &folder, sample.folder.path()).unwrap();
    assert_eq!(std::fs::read(folder.join("version.txt")).unwrap(), ours["version.txt"]);
}
