//! Archives that rfab never makes, sent with matching digests.
use super::machine::{BOTH, TestMachine, name};
use crate::release::{self, Packed, Packing, Parcel, ReleaseError};
use flate2::{Compression, write::GzEncoder};
use std::{io::Write, path::Path};
use tar::EntryType;

/// An entry of an archive: its path, kind, mode, and content or target.
type Member<'a> = (&'a str, EntryType, u32, &'a [u8]);

/// Writes an archive byte by byte: the tar crate would refuse such names.
fn archive(members: &[Member<'_>]) -> Vec<u8> {
    let mut tar = Vec::new();
    for (path, kind, mode, content) in members {
        let mut header = tar::Header::new_gnu();
        let linked = matches!(kind, EntryType::Symlink | EntryType::Link);
        header.as_mut_bytes()[..path.len()].copy_from_slice(path.as_bytes());
        if linked {
            header.as_mut_bytes()[157..157 + content.len()].copy_from_slice(content);
        }
        let content: &[u8] = if linked { b"" } else { content };
        header.set_entry_type(*kind);
        header.set_mode(*mode);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(1);
        header.set_size(content.len() as u64);
        header.set_device_major(1).unwrap();
        header.set_device_minor(3).unwrap();
        header.set_cksum();
        tar.extend_from_slice(header.as_bytes());
        tar.extend_from_slice(content);
        tar.resize(tar.len().next_multiple_of(512), 0);
    }
    tar.resize(tar.len() + 1024, 0);
    tar
}

/// Stages members as if they had been packed; returns what went wrong.
fn staged(machine: &TestMachine, packed: &Packed, members: &[Member<'_>], entries: usize) -> Option<ReleaseError> {
    let manifest = packed.manifest.text();
    let mut all = vec![("tree/", EntryType::Directory, 0o755, &b""[..])];
    all.extend_from_slice(members);
    all.push(("manifest", EntryType::Regular, 0o644, manifest.as_bytes()));
    let tar = archive(&all);
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(&tar).unwrap();
    let bytes = gzip.finish().unwrap();
    let mut forged = packed.clone();
    let parcel = Parcel {
        tar_bytes: tar.len() as u64,
        bytes: bytes.len() as u64,
        file: "/nowhere".into(),
        packing: Packing::Gzip,
    };
    // The program gets the number of entries as an argument, and reads the manifest.
    let one = forged.manifest.entries[0].clone();
    forged.manifest.entries = vec![one; entries];
    machine.stage_bytes(2, &forged, &parcel, &bytes).err()
}

/// Returns entries that the sample's archive may have and its manifest doesn't, each with a name.
fn forgeries<'a>(outside: &'a Path, secret: &'a Path, through: &'a str) -> Vec<(&'static str, Vec<Member<'a>>)> {
    let [out, secret] = [outside, secret].map(|path| path.to_str().unwrap().as_bytes());
    let readme = ("tree/README", EntryType::Regular, 0o644, &b"first"[..]);
    let file = ("tree/file", EntryType::Regular, 0o644, &b"new"[..]);
    let regular = EntryType::Regular;
    vec![
        ("a file is missing", vec![readme]),
        ("a file too many", vec![readme, file, ("tree/more", regular, 0o644, b"x")]),
        ("a folder too many", vec![readme, file, ("tree/more/", EntryType::Directory, 0o755, b"")]),
        ("another content", vec![readme, ("tree/file", regular, 0o644, b"NEW")]),
        ("another mode", vec![readme, ("tree/file", regular, 0o755, b"new")]),
        ("setuid", vec![readme, ("tree/file", regular, 0o4755, b"new")]),
        ("setgid folder", vec![readme, file, ("tree/x/", EntryType::Directory, 0o2755, b"")]),
        ("up", vec![readme, file, ("tree/../../up", regular, 0o644, b"x")]),
        ("up first", vec![readme, file, ("../up", regular, 0o644, b"x")]),
        ("absolute", vec![readme, file, (through, regular, 0o644, b"x")]),
        ("beside", vec![readme, file, ("beside", regular, 0o644, b"x")]),
        (
            "through a link",
            vec![readme, file, ("tree/l", EntryType::Symlink, 0o777, out), ("tree/l/through", regular, 0o644, b"x")],
        ),
        ("a link for a file", vec![readme, ("tree/file", EntryType::Symlink, 0o777, secret)]),
        ("a hard link", vec![readme, ("tree/file", EntryType::Link, 0o644, secret)]),
        ("a hard link within", vec![readme, file, ("tree/more", EntryType::Link, 0o644, b"tree/file")]),
        ("a device", vec![readme, ("tree/file", EntryType::Char, 0o644, b"")]),
        ("a fifo", vec![readme, ("tree/file", EntryType::Fifo, 0o644, b"")]),
        ("a line end", vec![readme, file, ("tree/a\nb", regular, 0o644, b"x")]),
        ("two of one name", vec![readme, file, ("tree/file", regular, 0o644, b"x")]),
        ("the tree is a link", vec![("tree", EntryType::Symlink, 0o777, out), ("tree/through", regular, 0o644, b"x")]),
    ]
}

#[test]
fn nothing_but_the_manifests_tree_ever_arrives() {
    for shell in BOTH {
        let machine = TestMachine::new(shell);
        machine.deploy(1, "old");
        machine.sample.write("file", b"new");
        let packed = machine.pack(&[]);
        let before = machine.names();
        let outside = machine.folder.path().join("outside");
        std::fs::create_dir(&outside).unwrap();
        let through = format!("{}/through", outside.display());
        let secret = machine.folder.path().join("secret");
        std::fs::write(&secret, "new").unwrap();
        for (what, members) in forgeries(&outside, &secret, &through) {
            // Once with the true number of entries, and once with the manifest's.
            for entries in [members.len(), packed.manifest.entries.len()] {
                let failed = staged(&machine, &packed, &members, entries);
                let refused = matches!(
                    failed,
                    Some(ReleaseError::Archive(_) | ReleaseError::Unpack(_) | ReleaseError::Differs(_))
                );
                assert!(refused, "{shell:?} {what}: {failed:?}");
                assert_eq!(machine.names(), before, "{shell:?} {what}");
                assert_eq!(std::fs::read_dir(&outside).unwrap().count(), 0, "{shell:?} {what}");
                assert_eq!(std::fs::read_to_string(&secret).unwrap(), "new", "{shell:?} {what}");
            }
        }
        assert!(!machine.path.join("up").exists() && !machine.path.join(".rfab/up").exists());
    }
}

#[test]
fn a_bomb_is_not_unpacked() {
    for shell in BOTH {
        let machine = TestMachine::new(shell);
        let packed = machine.pack(&[]);
        let before = machine.names();
        let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
        let zeros = vec![0; 1 << 20];
        (0..200).for_each(|_| gzip.write_all(&zeros).unwrap());
        let bytes = gzip.finish().unwrap();
        let parcel = machine.whole(&packed);
        assert_eq!(machine.stage_bytes(1, &packed, &parcel, &bytes), Err(ReleaseError::Archive("size".into())));
        assert_eq!(machine.names(), before);
    }
}

#[test]
fn hostile_words_never_reach_a_shell() {
    let machine = TestMachine::new(BOTH[0]);
    let packed = machine.pack(&[]);
    let mark = machine.folder.path().join("p");
    for id in ["", "-x", ".x", "a b", "a;touch p", "a/b", "a\nb", "$(touch p)", &"x".repeat(4096)] {
        let stage = release::stage(machine.at(), &name(1, &packed), id, &packed, &machine.whole(&packed), None, false);
        assert!(matches!(stage, Err(ReleaseError::BadId(_))));
    }
    for path in ["", "/", "srv", "/a/../b", "/a//b", "/a\nb", "/a\0b"] {
        assert!(matches!(release::list(path), Err(ReleaseError::BadPath(_))), "{path:?}");
    }
    let hostile = machine.folder.path().join(format!("a;$(touch {0})`touch {0}`'\"", "p"));
    let setup = release::setup(hostile.to_str().unwrap()).unwrap();
    release::set_up(&machine.run(&setup, b"")).unwrap();
    assert!(hostile.join("releases").is_dir() && !mark.exists());
}
