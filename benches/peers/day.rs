//! The five commands of a release, on ten hosts behind HAProxy, while clients send requests.
use super::{Asked, app, contender::Rounds, cost::Cost, lines, results::Part, site::Site, tools};
use lab::Plan;

const HOSTS: usize = 10;

/// The pieces of work, in the page's words.
pub const WORK: &str = "the five commands of the README, 10 hosts";

const RFAB: [&str; 5] =
    ["prod proxy.group2", "prod:out deploy:stable", "prod proxy.flip", "prod:out deploy:stable", "prod proxy.all"];

pub fn measure(asked: &Asked, part: &mut Part) {
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
    if let Some(fab) = tools::fab() {
        theirs.put("classic.py", &classic(&theirs));
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
            rounds.add(WORK, "fab-classic, without health checks", || served(&theirs, part, "fab-classic", &all));
        }
        let typed =
            |set: &str| -> Vec<String> { RFAB.iter().map(|words| format!("{}{set} {words}", ours.rfab)).collect() };
        rounds.add(WORK, "rfab, two good answers over 1 s", || served(&ours, part, "rfab", &typed("")));
        ours.lab.edit("src/m1/p1/f1.py", |text| format!("{text}quick {round}\n"));
        ours.lab.project.release(&format!("v5.{round}.1"));
        let set = typed(" --set app.health.over=0s --set app.health.settle=0s");
        rounds.add(WORK, "rfab, two good answers", || served(&ours, part, "rfab", &set));
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

/// Returns the same commands as a team writes them for Fabric 1.
fn classic(site: &Site) -> String {
    let (hosts, lab) = (site.web(), &site.lab);
    let balancer = lab.host("lb1");
    let names: String = hosts
        .iter()
        .map(|host| {
            format!(
                "    \"{}\": (\"deploy@{}:{}\", \"{}\"),\n",
                host.plan.name,
                host.address,
                host.port,
                host.plan.group.unwrap_or_default()
            )
        })
        .collect();
    format!(
        "{fabric}
SHOP = {{
{names}}}

def asked(line):
    with settings(host_string=\"deploy@{address}:{port}\", parallel=False), hide(\"everything\"):
        return run(\"echo '%s' | socat stdio {socket}\" % line, pty=False)

def states():
    rows = [line.split() for line in asked(\"show servers state bk_web\").splitlines()]
    return dict((row[3], int(row[6])) for row in rows if len(row) > 6 and row[1] == \"bk_web\")

def put(names, state):
    asked(\";\".join(\"set server bk_web/%s state %s\" % (name, state) for name in names))

def of(group):
    return [name for name in SHOP if SHOP[name][1] == group]

@task
@runs_once
def only(group):
    put(of(group), \"ready\")
    put([name for name in SHOP if name not in of(group)], \"maint\")

@task
@runs_once
def flip():
    now = states()
    only(\"group1\" if any(now[name] & 1 for name in of(\"group1\")) else \"group2\")

@task
@runs_once
def all():
    put(SHOP, \"ready\")

@task
@runs_once
def out():
    now = states()
    env.hosts = [SHOP[name][0] for name in SHOP if now[name] & 1]

@task
@runs_once
def deploy():
    tag = local(\"git tag --sort=-v:refname | head -1\", capture=True)
    commit = local(\"git rev-parse --short=12 %s^{{commit}}\" % tag, capture=True)
    local(\"git archive --format=tar.gz -o {tmp}/%s.tgz %s\" % (tag, tag))
    execute(push, tag, \"%s-%s\" % (tag, commit))

@parallel
def push(tag, name):
    to = \"/srv/shop/releases/%s\" % name
    run(\"mkdir -p %s\" % to, pty=False)
    operations_put(\"{tmp}/%s.tgz\" % tag, \"/srv/shop/%s.tgz\" % tag)
    run(\"tar xzf /srv/shop/%s.tgz -C %s && ln -sfn %s /srv/shop/next && mv -T /srv/shop/next /srv/shop/current && \
lab-service restart shop\" % (tag, to, to), pty=False)
",
        fabric = lines::classic(site, &hosts)
            .replace("import *\n", "import *\nfrom fabric.operations import put as operations_put\n")
            .replace("env.parallel = True\n", ""),
        address = balancer.address,
        port = balancer.port,
        socket = lab.balancer("lb1").socket(),
        tmp = lab.folder.join("tmp").display(),
    )
}
