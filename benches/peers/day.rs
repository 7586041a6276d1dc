//! The five commands of a release, on ten hosts behind HAProxy, while clients send requests.
use super::{Asked, app, contender::Rounds, cost::Cost, lines, results::Part, site::Site, tools};
use lab::{Lab, Plan, Relay};
use std::time::Duration;

const HOSTS: usize = 10;

/// The pieces of work, in the page's words.
const WORK: &str = "the five commands of the README, 10 hosts";
const FAR: &str = "the five commands of the README, 10 hosts, 100 ms away";
/// How far those are.
const ROUND_TRIP: Duration = Duration::from_millis(100);

const RFAB: [&str; 5] =
    ["prod proxy.group2", "prod:out deploy:stable", "prod proxy.flip", "prod:out deploy:stable", "prod proxy.all"];

pub fn measure(asked: &Asked, part: &mut Part) {
    measured(asked, part, WORK, |_| Vec::new());
}

/// Measures the same with a slow line before each host.
pub fn measure_far(asked: &Asked, part: &mut Part) {
    measured(asked, part, FAR, |lab| lab.hosts.iter().map(|host| lab.slow_down(host.plan.name, ROUND_TRIP)).collect());
}

/// Measures the five commands, with the `lines` to the hosts.
fn measured(asked: &Asked, part: &mut Part, work: &str, lines: impl Fn(&Lab) -> Vec<Relay>) {
    let [ours, theirs] = [site(asked), site(asked)];
    let lab = &ours.lab;
    lab.edit("fabfile.rhai", |text| {
        let kept = |line: &&str| !line.contains("prepare:") && !line.contains("migrate:");
        text.lines().filter(kept).collect::<Vec<_>>().join("\n")
    });
    for (name, over) in [("prod", "1s"), ("quick", "0s")] {
        let text = std::fs::read_to_string(lab.project.folder.join("fleets/prod.toml")).expect("a fleet");
        let text = text.replace("good = 3\nover = \"1s\"", &format!("good = 2\nover = \"{over}\""));
        lab.edit(&format!("fleets/{name}.toml"), |_| text);
    }
    Cost::of(lab, &format!("{} prod setup", ours.rfab)).expect("the app's folders");
    let relays = [&ours, &theirs].map(|site| lines(&site.lab));
    let slow = u16::from(!relays[1].is_empty()) * 1000;
    if let Some(fab) = tools::fab() {
        theirs.put("classic.py", &classic(&theirs, slow));
        theirs.put("fab", &fab);
    }
    // The hosts have a release of the app before the first round, as on any other day.
    let first: Vec<String> = RFAB.iter().map(|words| format!("{} {words}", ours.rfab)).collect();
    Cost::of(lab, &format!("set -e\n{}", first.join("\n"))).expect("a first release");
    let mut rounds = Rounds::default();
    for round in 0..part.rounds {
        for site in [&ours, &theirs] {
            site.lab.edit("src/m1/p1/f1.py", |text| format!("{text}fixed {round}\n"));
            site.lab.project.release(&format!("v5.{round}.0"));
        }
        if let Some(fab) = tools::fab() {
            let file = theirs.lab.folder.join("tools-of-others/classic.py");
            let line = format!("{fab} -f {}", file.display());
            let words = ["only:group2", "out deploy", "flip", "out deploy", "all"];
            let all: Vec<String> = words.iter().map(|words| format!("{line} {words}")).collect();
            rounds.add(work, "fab-classic, without health checks", || served(&theirs, part, "fab-classic", &all));
        }
        let typed =
            |set: &str| -> Vec<String> { RFAB.iter().map(|words| format!("{}{set} {words}", ours.rfab)).collect() };
        rounds.add(work, "rfab, two good answers over 1 s", || served(&ours, part, "rfab", &typed("")));
        ours.lab.edit("src/m1/p1/f1.py", |text| format!("{text}quick {round}\n"));
        ours.lab.project.release(&format!("v5.{round}.1"));
        let set = typed(" --set app.health.over=0s --set app.health.settle=0s");
        rounds.add(work, "rfab, two good answers", || served(&ours, part, "rfab", &set));
    }
    rounds.end(part);
}

/// Starts hosts that serve v3.0.0, and a repository with the app of the other parts.
fn site(asked: &Asked) -> Site {
    let mut plan = Plan::new().serving("v3.0.0");
    for number in 1..=HOSTS {
        let group = if number <= HOSTS / 2 { "group1" } else { "group2" };
        plan = plan.host(Site::host(asked, number).group(group));
    }
    let site = Site::of(asked, plan.balancer("lb1", &[("bk_web", "web")]));
    app::write(&site.lab.project.folder);
    site.lab.project.release("v4.0.0");
    for host in site.web() {
        host.sh("chown -R deploy: /srv/shop").expect_ok();
    }
    site
}

/// Types lines one after another while clients send requests, and notes requests that fail.
fn served(site: &Site, part: &mut Part, tool: &str, lines: &[String]) -> Result<Cost, String> {
    let disconnect = if tool == "rfab" { format!("{} --disconnect", site.rfab) } else { "true".to_owned() };
    Cost::of(&site.lab, &disconnect)?;
    let load = site.lab.load(50);
    load.wait_for(10);
    let cost = Cost::of(&site.lab, &format!("set -e\n{}", lines.join("\n")));
    let account = load.stop();
    if !account.failed.is_empty() {
        let why = account.failed[0].failure.clone().unwrap_or_default();
        part.notes.push(format!(
            "{tool}: {} of {} requests failed, the first with: {why}.",
            account.failed.len(),
            account.sent
        ));
    }
    cost
}

/// Returns the same commands as a team writes them for Fabric 1; `slow` is how much higher the slow lines' ports are.
fn classic(site: &Site, slow: u16) -> String {
    let (hosts, lab) = (site.web(), &site.lab);
    let balancer = lab.host("lb1");
    let names: String = hosts
        .iter()
        .map(|host| {
            format!(
                "    \"{}\": (\"deploy@{}:{}\", \"{}\"),\n",
                host.plan.name,
                host.address,
                host.port + slow,
                host.plan.group.unwrap_or_default()
            )
        })
        .collect();
    let fabric = lines::classic(site, &hosts)
        .replace("import *\n", "import *\nfrom fabric.operations import put as operations_put\n")
        .replace("env.parallel = True\n", "");
    [
        ("@FABRIC@", fabric),
        ("@NAMES@", names),
        ("@ADDRESS@", balancer.address.to_string()),
        ("@PORT@", (balancer.port + slow).to_string()),
        ("@SOCKET@", lab.balancer("lb1").socket().to_string()),
        ("@TMP@", lab.folder.join("tmp").display().to_string()),
    ]
    .into_iter()
    .fold(include_str!("day.py").to_owned(), |text, (name, value)| text.replace(name, &value))
}
