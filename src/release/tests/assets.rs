//! Files of other releases that stay reachable.
use super::machine::{BOTH, TestMachine, name};
use crate::release;
use std::{collections::BTreeSet, fs};

/// Commits one asset, stages it, has `prepare` make another, and activates.
fn deploy(machine: &TestMachine, number: u32) -> BTreeSet<String> {
    for old in 1..number {
        let _ = fs::remove_file(machine.sample.work.join(format!("public/assets/app-{old}.js")));
    }
    machine.sample.write(&format!("public/assets/app-{number}.js"), number.to_string().as_bytes());
    machine.sample.write("public/assets/same.css", number.to_string().as_bytes());
    let packed = machine.pack(&[]);
    machine.stage(number, &packed).unwrap();
    let name = name(number, &packed);
    let at = machine.path.join(format!("releases/{name}/public/assets"));
    fs::create_dir(at.join("made here")).unwrap();
    fs::write(at.join(format!("made here/{number}.js")), "").unwrap();
    fs::write(at.join(".manifest"), number.to_string()).unwrap();
    let assets = ["public/assets".to_owned(), "not/there".to_owned()];
    let command = release::activate(machine.at(), &name, "run-1", &assets).unwrap();
    release::activated(&machine.run(&command, b""), &name).unwrap();
    assert_eq!(fs::read_to_string(at.join("same.css")).unwrap(), number.to_string(), "its own isn't touched");
    assert_eq!(fs::read_to_string(at.join(".manifest")).unwrap(), number.to_string());
    let verify = release::verify(machine.at(), &name, "run-2").unwrap();
    assert!(release::verified(&machine.run(&verify, b"")).unwrap().whole());
    let names = |folder: &std::path::Path| -> Vec<String> {
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    };
    let all = names(&at).into_iter().chain(names(&at.join("made here")));
    all.filter(|name| name.ends_with(".js")).collect()
}

#[test]
fn assets_of_the_releases_that_are_kept_come_along_and_those_of_pruned_ones_do_not() {
    for shell in BOTH {
        let machine = TestMachine::new(shell);
        let set = |names: &[&str]| names.iter().map(|name| name.to_string()).collect::<BTreeSet<_>>();
        assert_eq!(deploy(&machine, 1), set(&["app-1.js", "1.js"]));
        assert_eq!(deploy(&machine, 2), set(&["app-1.js", "1.js", "app-2.js", "2.js"]));
        deploy(&machine, 3);
        release::pruned(&machine.run(&release::prune(machine.at(), 2, &[]).unwrap(), b"")).unwrap();
        assert_eq!(deploy(&machine, 4), set(&["app-2.js", "2.js", "app-3.js", "3.js", "app-4.js", "4.js"]));
        let lists = fs::read_dir(machine.path.join(".rfab/assets")).unwrap().count();
        assert_eq!(lists, 3, "of 2, 3 and 4");
    }
}
