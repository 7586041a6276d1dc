//! A balancer that rfab can't command: a person makes each change there, and confirms it.
//!
//! The ledger has what runs asked for and a person confirmed. If it lacks a server's state, a person reports it once.
use super::place::moved;
use crate::{
    effect::{Admin, At},
    failure::{Cause, Failure},
    fleet::{Balancer, Fleet},
    host::{Host, Name},
    ledger::{Book, LedgerLine, Phase, line},
    port::{BalancerState, Holder, Server, ServerPlace, Spending, SpendingTime},
};
use std::collections::BTreeMap;

/// The epoch of such a balancer: rfab can't see whether it forgot anything.
const EPOCH: &str = "by hand";

/// Returns a host's state by the ledger; `None` if it isn't recorded, or not how the last change ended.
fn known(book: &Book, host: &str) -> Option<Admin> {
    let line = book.last_admin(host).filter(|line| line.phase == Phase::Ok)?;
    Some(if line.effect == "drain" { Admin::Drain } else { Admin::Ready })
}

fn servers<'a>(fleet: &'a Fleet, balancer: &'a Balancer) -> impl Iterator<Item = &'a Host> {
    fleet.hosts.iter().filter(|host| balancer.has(host))
}

/// The states that a person reported in this run, because no program can read them: by fleet, balancer and host.
#[derive(Default)]
struct ReportedStates(tokio::sync::Mutex<BTreeMap<(Name, Name, Name), Admin>>);

/// Returns the state of every server. A person is asked for those that the ledger lacks.
pub(super) async fn state(at: &At<'_>, fleet: &Fleet, balancer: &Balancer) -> Result<BalancerState, Failure> {
    let book = at.real.site(&fleet.name).coordinator.book(&balancer.name).await?;
    // Other callers wait for the answer.
    let said = at.real.kept.get::<ReportedStates>();
    let mut said = said.0.lock().await;
    let key = |host: &Host| (fleet.name.clone(), balancer.name.clone(), host.name.clone());
    let unknown: Vec<&Name> = servers(fleet, balancer)
        .filter(|host| known(&book, &host.name).is_none() && !said.contains_key(&key(host)))
        .map(|host| &host.name)
        .collect();
    if !unknown.is_empty() {
        let out = asked_how(at, balancer, &unknown).await?;
        for host in servers(fleet, balancer).filter(|host| unknown.contains(&&host.name)) {
            let admin = if out.contains(&host.name) { Admin::Drain } else { Admin::Ready };
            said.insert(key(host), admin);
        }
    }
    let server = |pool: &Name, host: &Host| {
        let admin = known(&book, &host.name).or_else(|| said.get(&key(host)).copied()).unwrap_or(Admin::Drain);
        // The balancer's health checks are replaced by rfab's own.
        let named = |name: &String| Server { admin, own: admin, raw: "by hand".to_owned(), ..Server::ready(name) };
        balancer.servers_of(pool, host).iter().map(named).collect::<Vec<_>>()
    };
    let servers = |pool, role| fleet.role(role).into_iter().flat_map(|host| server(pool, host)).collect();
    let pools: BTreeMap<Name, Vec<Server>> =
        balancer.pools.iter().map(|(pool, role)| (pool.clone(), servers(pool, role))).collect();
    Ok(BalancerState { epoch: EPOCH.to_owned(), pools })
}

/// Returns the changes to ask a person for: those that give hosts this state on each balancer where they lack it.
///
/// The caller asks for them before it records the change: a change without a known end hides the hosts' state.
pub(super) async fn questions<'a>(
    at: &At<'_>,
    fleet: &'a Fleet,
    hosts: &[Host],
    to: Admin,
) -> Result<Vec<(&'a Balancer, String)>, Failure> {
    let mut questions = Vec::new();
    for balancer in fleet.balancers.iter().filter(|balancer| balancer.by_hand()) {
        let state = state(at, fleet, balancer).await?;
        let mut moves = Vec::new();
        for (pool, servers) in &state.pools {
            let here = |place: &ServerPlace| place.balancer == balancer.name && place.pool == *pool;
            let concerned = |host: &&Host| moved(at.ledger_writes, fleet, host).iter().any(here);
            let ours = |s: &&Server| {
                hosts.iter().filter(concerned).any(|host| balancer.servers_of(pool, host).contains(&s.name))
            };
            let all: Vec<&str> =
                servers.iter().filter(ours).filter(|s| s.admin != to).map(|s| s.name.as_str()).collect();
            if !all.is_empty() {
                moves.push((pool.clone(), all.join(", ")));
            }
        }
        if !moves.is_empty() {
            questions.push((balancer, wanted(balancer, &moves, to)));
        }
    }
    Ok(questions)
}

/// Asks a person to make the changes; any answer but yes is a failure.
pub(super) async fn done(at: &At<'_>, questions: Vec<(&Balancer, String)>) -> Result<(), Failure> {
    for (balancer, question) in questions {
        match confirmed(at, question.clone()).await {
            Some(true) => {}
            Some(false) => {
                let message =
                    format!("nobody confirmed that it's done: {}", question.lines().next().unwrap_or_default());
                return Err(Failure::new(Cause::Balancer, message).help(
                    "rfab treats it as not done; `proxy.status` shows what people have confirmed for each host",
                ));
            }
            None => return Err(nobody(balancer)),
        }
    }
    Ok(())
}

fn wanted(balancer: &Balancer, moves: &[(Name, String)], to: Admin) -> String {
    let lines = moves.iter().map(|(pool, servers)| match to {
        Admin::Ready => format!("put {servers} back into `{pool}` on {}", balancer.name),
        Admin::Drain | Admin::Maint => {
            format!("take {servers} out of `{pool}` on {}, and wait until no request is open there", balancer.name)
        }
    });
    let lines: Vec<String> = lines.collect();
    format!("{}\nIs it done? Any answer but yes stops.", lines.join("\n"))
}

/// Records what a person reported in this run about the hosts' states before it. Needs the lock.
pub(super) async fn write_down(at: &At<'_>, fleet: &Fleet, holder: &Holder) -> Result<(), Failure> {
    let said = at.real.kept.get::<ReportedStates>().0.lock().await.clone();
    let site = at.real.site(&fleet.name);
    for ((_, balancer, host), admin) in said.into_iter().filter(|((of, ..), _)| *of == fleet.name) {
        if known(&*site.coordinator.book(&balancer).await?, &host).is_none() {
            let text = stood(&host, admin, holder).text();
            site.coordinator.note(&balancer, "ledger", &text).await?;
        }
    }
    Ok(())
}

/// Returns the line for a host's state before the run. Its run is another one, so that this run doesn't undo it.
fn stood(host: &Name, admin: Admin, holder: &Holder) -> LedgerLine {
    LedgerLine {
        v: 1,
        run: format!("before-{}", holder.run).into(),
        seq: 0,
        at: line::AT.into(),
        who: holder.who.clone(),
        on_behalf_of: None,
        from: holder.from.clone(),
        effect: if admin == Admin::Ready { "ready" } else { "drain" }.into(),
        host: Some(host.clone()),
        pool: Vec::new(),
        phase: Phase::Ok,
        commit: None,
        number: None,
        names: None,
        content: None,
        reason: Some("already so before the run".into()),
        places: Vec::new(),
        epoch: None,
    }
}

/// Asks a person which hosts are out.
async fn asked_how(at: &At<'_>, balancer: &Balancer, unknown: &[&Name]) -> Result<Vec<Name>, Failure> {
    let _time = SpendingTime::on(Spending::Person);
    let pools: Vec<&str> = balancer.pools.keys().map(|pool| &**pool).collect();
    let hosts: Vec<&str> = unknown.iter().map(|host| &***host).collect();
    let head = format!(
        "The ledger doesn't have the state of these servers in `{}` on {}: {}",
        pools.join("`, `"),
        balancer.name,
        hosts.join(", ")
    );
    match confirmed(at, format!("{head}\nDo all of them take requests?")).await {
        Some(true) => return Ok(Vec::new()),
        Some(false) => {}
        None => return Err(nobody(balancer)),
    }
    let person = at.real.person.clone();
    let typed = tokio::task::spawn_blocking(move || {
        person.ask("Which of them don't? Type their names, separated by commas:", false)
    });
    named(&typed.await.ok().flatten().unwrap_or_default(), unknown).ok_or_else(|| {
        let message = format!("rfab can't tell which servers of `{}` take requests", balancer.name);
        Failure::new(Cause::Balancer, message).help("type the names as the fleet file has them, such as `web1, web2`")
    })
}

/// Reads a typed list of hosts; `None` if it's empty or a word in it isn't one of the hosts.
fn named(typed: &str, among: &[&Name]) -> Option<Vec<Name>> {
    let words = typed.split([',', ' ']).filter(|word| !word.is_empty());
    let found: Option<Vec<Name>> =
        words.map(|word| among.iter().find(|n| ****n == *word).map(|n| (*n).clone())).collect();
    found.filter(|all| !all.is_empty())
}

async fn confirmed(at: &At<'_>, question: String) -> Option<bool> {
    let _time = SpendingTime::on(Spending::Person);
    let person = at.real.person.clone();
    tokio::task::spawn_blocking(move || person.confirm(&question)).await.ok().flatten()
}

fn nobody(balancer: &Balancer) -> Failure {
    let message = format!("changing `{}` by hand requires a terminal, and rfab isn't running in one", balancer.name);
    Failure::new(Cause::Balancer, message).unchanged().help("run this line in an interactive terminal")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holder() -> Holder {
        let of = |text: &str| text.to_owned();
        Holder { who: of("anna"), from: of("mac"), run: of("r1"), line: of(""), since: of("") }
    }

    #[test]
    fn a_host_stands_as_it_was_last_said_and_of_a_change_without_an_end_nobody_knows() {
        let line = |admin, phase| LedgerLine { phase, ..stood(&"web1".into(), admin, &holder()) };
        for (lines, is) in [
            (vec![], None),
            (vec![(Admin::Ready, Phase::Ok)], Some(Admin::Ready)),
            (vec![(Admin::Ready, Phase::Ok), (Admin::Drain, Phase::Intent)], None),
            (vec![(Admin::Drain, Phase::Intent), (Admin::Drain, Phase::Ok)], Some(Admin::Drain)),
            (
                vec![(Admin::Ready, Phase::Ok), (Admin::Drain, Phase::Intent), (Admin::Drain, Phase::Failed)],
                Some(Admin::Ready),
            ),
        ] {
            let book = Book { lines: lines.iter().map(|(admin, phase)| line(*admin, *phase)).collect(), unread: 0 };
            assert_eq!(known(&book, "web1"), is, "{lines:?}");
            assert_eq!(known(&book, "web2"), None);
        }
    }

    #[test]
    fn names_are_taken_only_if_all_of_them_are_asked_for() {
        let (web1, web2): (Name, Name) = ("web1".into(), "web2".into());
        let taken = |typed| named(typed, &[&web1, &web2]);
        assert_eq!(taken("web2, web1"), Some(vec![web2.clone(), web1.clone()]));
        assert_eq!((taken("web2"), taken("web1 web2").map(|all| all.len())), (Some(vec![web2.clone()]), Some(2)));
        for wrong in ["", " , ", "web3", "web1,web3", "all"] {
            assert_eq!(taken(wrong), None, "{wrong}");
        }
    }
}
