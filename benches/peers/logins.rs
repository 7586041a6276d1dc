//! The time until a command has run on all hosts: with new connections, and with open ones.
use super::{
    Asked,
    contender::{Contender, compare},
    lines,
    results::Part,
    site::Site,
};

pub fn measure(asked: &Asked, part: &mut Part) {
    let site = Site::start(asked, 100);
    for count in [20, 100] {
        let hosts = &site.web()[..count];
        let names: Vec<String> = hosts.iter().map(|host| host.plan.name.to_owned()).collect();
        let (cold, warm) = (format!("cold `true`, {count} hosts"), format!("warm `true`, {count} hosts"));
        let (task, rfab, config) = (site.fleet(&names), &site.rfab, site.config());
        let disconnect = format!("{rfab} --disconnect");
        let mut contenders = vec![
            Contender::new(&cold, "rfab", format!("{rfab} {task} -- true")).after(&disconnect),
            Contender::new(&warm, "rfab", format!("{rfab} {task} -- true")),
            Contender::new(&warm, "rfab --read", format!("{rfab} {task} --read -- true")),
        ];
        if site.native {
            let line = format!("{rfab} --transport native {task} -- true");
            contenders.push(Contender::new(&cold, "rfab, native", line).after(&disconnect));
        }
        contenders.extend(lines::cold(&site, hosts, &cold));
        let each = |words: &str| format!("for host in {}; do {words} & done; wait", names.join(" "));
        let ssh = format!("ssh -F {config} -S /tmp/masters.$PPID.%n");
        let ssh = ssh.replace("$PPID", &std::process::id().to_string());
        let open = each(&format!("{ssh} -O check $host 2> /dev/null || {ssh} -M -N -f $host"));
        contenders.push(Contender::new(&warm, "ssh over open masters", each(&format!("{ssh} $host true"))).after(open));
        compare(&site.lab, part, &contenders);
        let _ = super::cost::Cost::of(&site.lab, &each(&format!("{ssh} -O exit $host 2> /dev/null")));
    }
}
