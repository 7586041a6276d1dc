//! Primitives that choose hosts for the next tasks, and that do something on many hosts.
use super::{HostValue, options::options};
use crate::{
    fan_out::{self, Limits},
    script::{RhaiResultOf, Targets, current_targets, here, hosts_of_app, select_hosts, whole_fleet_of},
};
use rhai::{Array, CustomType, Dynamic, FnPtr, Map, NativeCallContext, TypeBuilder, plugin::*};

impl CustomType for Targets {
    fn build(mut builder: TypeBuilder<Self>) {
        builder.with_name("Targets").is_iterable();
    }
}

impl IntoIterator for Targets {
    type Item = HostValue;
    type IntoIter = std::vec::IntoIter<HostValue>;

    fn into_iter(self) -> Self::IntoIter {
        self.hosts.iter().cloned().map(HostValue::from).collect::<Vec<_>>().into_iter()
    }
}

#[export_module(manifest)]
pub mod targets {
    /// Returns the hosts that the last task on the line to name hosts chose, or else those of `default_targets`.
    ///
    /// # Example
    ///
    /// ```rhai
    /// for host in targets() { ui::note(host.name); }
    /// ```
    #[rhai_fn(name = "targets", return_raw)]
    pub(crate) fn current(ctx: NativeCallContext) -> RhaiResultOf<Targets> {
        let here = here(&ctx)?.clone();
        current_targets(&here)
    }

    /// Returns the hosts that a selection names. It can contain groups, roles, hosts, ranges, `all`, `live` and `out`.
    ///
    /// `,` means *or*. `+` means *and*, and binds tighter. `^` excludes hosts from everything before it. If no host is
    /// left, the call fails.
    ///
    /// # Example
    ///
    /// ```rhai
    /// let some = targets().select("group1,^web1");
    /// ```
    #[rhai_fn(name = "select", return_raw, pure)]
    pub(crate) fn select(ctx: NativeCallContext, targets: &mut Targets, selection: &str) -> RhaiResultOf<Targets> {
        let here = here(&ctx)?.clone();
        select_hosts(&here, targets, selection)
    }

    /// Returns an app's hosts, if the fleet file has several apps.
    ///
    /// These hosts form a separate fleet, such as `prod.shop`, with its own lock and ledger. It has only the app's own
    /// pools.
    ///
    /// # Example
    ///
    /// ```rhai
    /// let both = fleet("small", #{
    ///     hosts: #{ web1: #{ roles: ["web"] }, api1: #{ roles: ["api"] } },
    ///     app: #{ shop: #{ path: "/srv/shop", roles: ["web"] }, api: #{ path: "/srv/api", roles: ["api"] } },
    /// });
    /// ui::note(both.app("shop").fleet);
    /// ```
    #[rhai_fn(name = "app", return_raw, pure)]
    pub(crate) fn app(ctx: NativeCallContext, targets: &mut Targets, name: &str) -> RhaiResultOf<Targets> {
        let here = here(&ctx)?.clone();
        hosts_of_app(&here, targets, name)
    }

    /// Returns the hosts that have a role. The result can be empty.
    ///
    /// # Example
    ///
    /// ```rhai
    /// let workers = targets().role("worker");
    /// ```
    #[rhai_fn(name = "role", pure)]
    pub(crate) fn role(targets: &mut Targets, role: &str) -> Targets {
        let hosts = targets.hosts.iter().filter(|h| h.roles.iter().any(|r| **r == *role)).cloned().collect();
        targets.with(hosts, role)
    }

    /// Returns the hosts that are in a group. The result can be empty.
    ///
    /// # Example
    ///
    /// ```rhai
    /// let first = targets().group("group1");
    /// ```
    #[rhai_fn(name = "group", pure)]
    pub(crate) fn group(targets: &mut Targets, group: &str) -> Targets {
        let hosts = targets.hosts.iter().filter(|h| h.group.as_deref() == Some(group)).cloned().collect();
        targets.with(hosts, group)
    }

    /// Returns the host with this name, and fails if it isn't among the targets.
    ///
    /// # Example
    ///
    /// ```rhai
    /// let first = targets().host("web1");
    /// ```
    #[rhai_fn(name = "host", return_raw, pure)]
    pub(crate) fn host(targets: &mut Targets, name: &str) -> RhaiResultOf<HostValue> {
        let host = targets.hosts.iter().find(|h| *h.name == *name).cloned();
        host.map(HostValue::from).ok_or_else(|| {
            let message = format!("host `{name}` isn't among the targets");
            crate::script::thrown(crate::failure::Failure::new(crate::failure::Cause::Fabfile, message))
        })
    }

    /// Returns targets that consist of the first host.
    ///
    /// # Example
    ///
    /// ```rhai
    /// targets().first().each(|host| host.run("bin/migrate"));
    /// ```
    #[rhai_fn(name = "first", pure)]
    pub(crate) fn first(targets: &mut Targets) -> Targets {
        targets.with(targets.hosts.iter().take(1).cloned().collect(), &targets.selection)
    }

    /// Returns all hosts of the targets' fleet, except those that `--limit` and `--exclude` filter out.
    ///
    /// # Example
    ///
    /// ```rhai
    /// let peers = targets().group("group1").whole_fleet().role("web").names();
    /// ```
    #[rhai_fn(name = "whole_fleet", return_raw, pure)]
    pub(crate) fn whole_fleet(ctx: NativeCallContext, targets: &mut Targets) -> RhaiResultOf<Targets> {
        let here = here(&ctx)?.clone();
        whole_fleet_of(&here, targets)
    }

    /// Returns targets without any hosts.
    ///
    /// # Example
    ///
    /// ```rhai
    /// let nobody = targets().none();
    /// ```
    #[rhai_fn(name = "none", pure)]
    pub(crate) fn none(targets: &mut Targets) -> Targets {
        targets.with(Vec::new(), &targets.selection)
    }

    /// Returns whether the host is among the targets.
    ///
    /// # Example
    ///
    /// ```rhai
    /// if targets().has(host) { ui::note("it is"); }
    /// ```
    #[rhai_fn(name = "has", pure)]
    pub(crate) fn has(targets: &mut Targets, host: HostValue) -> bool {
        targets.hosts.contains(&host.0.host)
    }

    /// Returns the hosts that are in both sets of targets.
    ///
    /// # Example
    ///
    /// ```rhai
    /// let both = targets().both(targets().group("group1"));
    /// ```
    #[rhai_fn(name = "both", pure)]
    pub(crate) fn both(targets: &mut Targets, others: Targets) -> Targets {
        targets.with(targets.hosts.iter().filter(|h| others.hosts.contains(h)).cloned().collect(), &targets.selection)
    }

    /// Returns the hosts that aren't in the other targets.
    ///
    /// # Example
    ///
    /// ```rhai
    /// let rest = targets().without(targets().group("group1"));
    /// ```
    #[rhai_fn(name = "without", pure)]
    pub(crate) fn without(targets: &mut Targets, others: Targets) -> Targets {
        targets.with(targets.hosts.iter().filter(|h| !others.hosts.contains(h)).cloned().collect(), &targets.selection)
    }

    /// Returns the hosts for which the closure returns `true`. rfab calls it for all hosts in parallel.
    ///
    /// # Example
    ///
    /// ```rhai
    /// let old = targets().which(|host| host.test("test -e /srv/shop/OLD"));
    /// ```
    #[rhai_fn(name = "which", return_raw)]
    pub(crate) fn which(ctx: NativeCallContext, targets: Targets, f: FnPtr) -> RhaiResultOf<Targets> {
        let here = here(&ctx)?.clone();
        let answers = fan_out::out(&ctx, &here, &targets, &Limits::side_by_side(here.session.run.parallel), &f)?;
        let hosts = targets.hosts.iter().zip(answers).filter(|(_, yes)| yes.as_bool().unwrap_or(false));
        Ok(targets.with(hosts.map(|(h, _)| h.clone()).collect(), &targets.selection))
    }

    /// Returns the hosts split by group: a list of targets, in the order in which rfab deploys to them.
    ///
    /// Hosts that aren't in a group come last.
    ///
    /// # Example
    ///
    /// ```rhai
    /// for group in targets().groups() { ui::note(`${group.len()} hosts`); }
    /// ```
    #[rhai_fn(name = "groups", pure)]
    pub(crate) fn groups(targets: &mut Targets) -> Array {
        let stretches = targets.fleet.stretches(&targets.hosts);
        stretches.into_iter().map(|(name, hosts)| Dynamic::from(targets.with(hosts, &name))).collect()
    }

    /// Calls the closure for one host after another, and stops at the first failure.
    ///
    /// # Example
    ///
    /// ```rhai
    /// targets().each(|host| host.run("bin/clear-cache"));
    /// ```
    #[rhai_fn(name = "each", return_raw)]
    pub(crate) fn each(ctx: NativeCallContext, targets: Targets, f: FnPtr) -> RhaiResultOf<Array> {
        let here = here(&ctx)?.clone();
        fan_out::out(&ctx, &here, &targets, &Limits::one_by_one(), &f)
    }

    /// Calls the closure for all hosts in parallel, and returns the results in the hosts' order.
    ///
    /// If one call fails, the others finish before rfab throws the failure.
    ///
    /// # Example
    ///
    /// ```rhai
    /// let kernels = targets().parallel(|host| host.capture("uname -r"));
    /// ```
    #[rhai_fn(name = "parallel", return_raw)]
    pub(crate) fn parallel(ctx: NativeCallContext, targets: Targets, f: FnPtr) -> RhaiResultOf<Array> {
        let here = here(&ctx)?.clone();
        fan_out::out(&ctx, &here, &targets, &Limits::side_by_side(here.session.run.parallel), &f)
    }

    /// Calls the closure for each host, with limits on how many hosts are in progress and how many can fail.
    ///
    /// `at_once` is how many hosts rfab works on in parallel. `batches` lists the sizes of the batches, as numbers or
    /// percentages; the last size repeats. After each batch, if more than `max_failed` hosts have failed, the call
    /// stops and throws the first failure.
    ///
    /// # Example
    ///
    /// ```rhai
    /// targets().each(#{ at_once: 4, batches: [1, "20%"], max_failed: 1 }, |host| host.run("bin/clear-cache"));
    /// ```
    #[rhai_fn(name = "each", return_raw)]
    pub(crate) fn each_within(ctx: NativeCallContext, targets: Targets, limits: Map, f: FnPtr) -> RhaiResultOf<Array> {
        let here = here(&ctx)?.clone();
        fan_out::out(&ctx, &here, &targets, &options::<Limits>(limits)?, &f)
    }

    /// Returns how many hosts there are.
    ///
    /// # Example
    ///
    /// ```rhai
    /// ui::note(`${targets().len()} hosts`);
    /// ```
    #[rhai_fn(name = "len", pure)]
    pub(crate) fn len(targets: &mut Targets) -> i64 {
        targets.hosts.len() as i64
    }

    /// Returns whether there are no hosts.
    ///
    /// # Example
    ///
    /// ```rhai
    /// if targets().role("worker").is_empty() { ui::note("no workers"); }
    /// ```
    #[rhai_fn(name = "is_empty", pure)]
    pub(crate) fn is_empty(targets: &mut Targets) -> bool {
        targets.hosts.is_empty()
    }

    /// Returns the names of the hosts as one string, separated by commas.
    ///
    /// # Example
    ///
    /// ```rhai
    /// ui::note(targets().names());
    /// ```
    #[rhai_fn(name = "names", pure)]
    pub(crate) fn names(targets: &mut Targets) -> String {
        targets.hosts.iter().map(|h| &*h.name).collect::<Vec<_>>().join(", ")
    }

    /// The fleet's name.
    #[rhai_fn(get = "fleet", pure)]
    pub(crate) fn fleet(targets: &mut Targets) -> String {
        targets.fleet.name.to_string()
    }

    /// The names of the fleet's apps, if it has several. If it has only one app, the list is empty.
    #[rhai_fn(get = "apps", pure)]
    pub(crate) fn apps(targets: &mut Targets) -> Array {
        targets.fleet.app_names().map(|name| name.to_owned().into()).collect()
    }

    /// Whether rfab may deploy to the fleet's hosts while they take requests.
    #[rhai_fn(get = "deploy_live", pure)]
    pub(crate) fn deploy_live(targets: &mut Targets) -> bool {
        targets.fleet.deploy_live
    }

    /// Whether a person changes one of the fleet's balancers, because rfab can't.
    ///
    /// If so, change all hosts in one call, so that rfab asks only once.
    #[rhai_fn(get = "by_hand", pure)]
    pub(crate) fn by_hand(targets: &mut Targets) -> bool {
        targets.fleet.balancers.iter().any(crate::fleet::Balancer::by_hand)
    }

    /// Returns the app's folder on the hosts, as in the fleet file; `()` if the fleet has no app.
    ///
    /// If the fleet has several apps and none is chosen, the call fails.
    #[rhai_fn(get = "path", return_raw, pure)]
    pub(crate) fn path(targets: &mut Targets) -> RhaiResultOf<Dynamic> {
        let path = targets.fleet.app.as_ref().map_or(Dynamic::UNIT, |app| app.path.clone().into());
        targets.fleet.unchosen().map_or(Ok(path), |no| Err(crate::script::thrown(no)))
    }

    #[rhai_fn(name = "to_string", name = "to_debug", pure)]
    pub(crate) fn to_string(targets: &mut Targets) -> String {
        targets.selection.clone()
    }
}
