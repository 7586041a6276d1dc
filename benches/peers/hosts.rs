//! Time and memory by the number of hosts: one sshd that has many names.
use super::{
    Asked,
    contender::{Contender, compare},
    cost::Cost,
    results::Part,
    site::Site,
    tools,
};
use lab::Plan;
use std::fmt::Write;

/// How many hosts there are in turn.
pub const COUNTS: [usize; 4] = [1, 10, 100, 1000];

pub fn measure(asked: &Asked, part: &mut Part) {
    let host = Site::host(asked, 1).sshd("MaxStartups 4000").sshd("LogLevel ERROR");
    let site = Site::of(asked, Plan::new().host(host));
    let (address, port) = (site.lab.hosts[0].address, site.lab.hosts[0].port);
    let mut text = String::new();
    for number in 1..=COUNTS[COUNTS.len() - 1] {
        let _ = write!(
            text,
            "Host n{number}\n    HostName {address}\n    Port {port}\n    User deploy\n    IdentityFile {}\n    \
             IdentitiesOnly yes\n",
            site.key()
        );
    }
    site.lab.edit("fleets/ssh_config", |_| text);
    for count in COUNTS {
        let names: Vec<String> = (1..=count).map(|number| format!("n{number}")).collect();
        let (task, rfab) = (site.fleet(&names), &site.rfab);
        let work = |kind: &str| format!("{kind} `true`, {count} names of one sshd");
        let disconnect = format!("{rfab} --disconnect");
        let mut contenders = vec![
            Contender::new(&work("cold"), "rfab", format!("{rfab} -q {task} -- true")).after(&disconnect),
            Contender::new(&work("warm"), "rfab", format!("{rfab} -q {task} -- true")),
        ];
        if site.native {
            let line = format!("{rfab} --transport native -q {task} -- true");
            contenders.push(Contender::new(&work("cold"), "rfab, native", line).after(&disconnect));
        }
        if let Some(python) = tools::python("classic") {
            let script = site.put(
                &format!("many-{count}.py"),
                &format!(
                    "from pssh.clients import ParallelSSHClient\nfrom pssh.config import HostConfig\n\
                     one = lambda n: HostConfig(port={port}, user=\"deploy\", private_key=\"{}\")\n\
                     client = ParallelSSHClient([\"{address}\"] * {count}, host_config=[one(n) for n in range({count})], \
                     pool_size=100)\nout = client.run_command(\"true\")\nclient.join(out)\n\
                     assert len(out) == {count} and all(one.exit_code == 0 for one in out)\n",
                    site.key()
                ),
            );
            contenders.push(Contender::new(&work("cold"), "parallel-ssh", format!("{python} {script}")));
        }
        contenders.retain(|one| one.tool.contains(&asked.only));
        compare(&site.lab, part, &contenders);
        // A thousand connections that stay open would slow down what comes next.
        if let Err(said) = Cost::of(&site.lab, &disconnect) {
            println!("connections stay open: {said}");
        }
    }
}
