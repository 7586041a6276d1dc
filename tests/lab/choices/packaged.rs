//! An app that is a package: the hosts' package manager, which the lab plays, unpacks a version and makes it current.
use crate::{
    Lab, Sudo,
    choices::making::{First, LabChoices, replaced},
    runnable,
};
use std::fs;

/// The folder of the hosts' ledger.
pub const PATH: &str = "/srv/shop/deploys";

/// Implements `lab-package install VERSION` and `lab-package installed`.
const SCRIPT: &str = r#"#!/bin/sh
set -eu
umask 022
case $1 in
    install)
        to=/srv/shop/packages/$2
        mkdir -p "$to"
        tar -xf "@PACKAGES@/$2.tar" -C "$to"
        ln -s "packages/$2" /srv/shop/.next
        mv -T /srv/shop/.next /srv/shop/current
        echo "$2" > /srv/shop/installed
        ;;
    installed) cat /srv/shop/installed ;;
esac
"#;

/// Puts the package manager on the hosts, and version 3.0.0-1 too, unless they start empty.
pub fn prepare(making: &LabChoices, lab: &Lab) {
    let packages = lab.folder.join("packages");
    fs::create_dir_all(&packages).expect("a folder of packages");
    pack(lab, "v3.0.0", "3.0.0-1");
    for name in making.web() {
        let host = lab.host(name);
        let script = SCRIPT.replace("@PACKAGES@", &packages.display().to_string());
        runnable::write(&host.folder.join("bin/lab-package"), &script);
        if making.first == First::Nothing && making.sudo != Sudo::None {
            continue;
        }
        host.sh("mkdir -p /srv/shop").expect_ok();
        if making.first != First::Nothing {
            host.sh("lab-package install 3.0.0-1").expect_ok();
        }
        match making.sudo {
            Sudo::None => host.sh("chown -hR deploy: /srv/shop").expect_ok(),
            _ => host.sh(&format!("install -d -o {} {PATH}", making.owner)).expect_ok(),
        };
        if making.first != First::Nothing {
            lab.start_unit(name, "shop");
        }
    }
}

/// Makes a package of a commit, in the package manager's folder.
pub fn pack(lab: &Lab, reference: &str, version: &str) {
    let file = lab.folder.join(format!("packages/{version}.tar")).display().to_string();
    lab.project.git(&["archive", "-o", &file, reference]).expect_ok();
}

/// Returns the fleet file of an app that is a package.
pub fn fleet(text: &str, sudo: Sudo) -> String {
    let install = match sudo {
        Sudo::None => "[\"lab-package\", \"install\", \"{version}\"]",
        _ => "\"lab-package install {version}\"",
    };
    let keys = format!("install = {install}\ninstalled = [\"lab-package\", \"installed\"]\n\n[app.health]\n");
    let text = replaced(text, "\n[app.health]\n", &keys);
    replaced(&text, "path = \"/srv/shop\"", &format!("path = \"{PATH}\""))
}
