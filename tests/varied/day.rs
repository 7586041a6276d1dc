//! A whole day under load: the first release, the five commands, a broken release, one that dies and is completed, one
//! that dies and is aborted, and a rollback.
use lab::{
    Unit,
    choices::{
        cover::{Numbers, Row},
        end,
        making::LabChoices,
        rows::Rows,
        shop::{Release, Shop},
        table::Refusal,
    },
};

pub struct Day {
    shop: Shop,
    numbers: Numbers,
}

/// The output at which a release is killed.
const MOMENTS: [&str; 3] = ["  stage ", "  activate ", "  restart "];
/// The same for a package.
const MOMENTS_OF_A_PACKAGE: [&str; 2] = ["  install ", "  restart "];

/// Lives the day of a row, and panics if something isn't as it should be.
pub fn live(rows: &Rows, row: &Row, at: usize) {
    let shop = Shop::open(LabChoices::of(rows, row), &rows.text(row), &format!("{}-{at}.log", rows.seed));
    let numbers = Numbers::of(rows.seed.wrapping_mul(1000) + at as u64);
    let mut day = Day { shop, numbers };
    match rows.refusal(row) {
        Some(refusal) => day.refused(refusal),
        None => day.whole(),
    }
}

impl Day {
    fn whole(&mut self) {
        self.shop.set_up();
        let mut release = self.shop.next(false);
        // A host that was out before stays out until a line names it.
        let left_out = if self.shop.making.disabled && release.version.is_none() { 8 } else { 0 };
        self.shop.typed(&["prod", &release.to("release")], left_out);
        if self.shop.making.disabled {
            self.shop.typed(&["prod", "proxy.all:web1"], 0);
        }
        self.shop.customers();
        end::all_serve(&self.shop, &release);
        if self.shop.making.weightless {
            let told = self.shop.typed(&["prod", "alone"], 7);
            assert!(told.contains(" has weight 0"), "{told}");
        }
        release = self.five_commands();

        if self.shop.making.reloaded {
            release = self.reloaded();
        }
        self.broken(&release);
        let before = self.shop.next(false);
        self.shop.typed(&["prod", &before.to("release")], 0);
        end::all_serve(&self.shop, &before);

        release = self.shop.next(false);
        self.killed(&release);
        self.shop.typed(self.shop.at_last("--resume"), 0);
        end::all_serve(&self.shop, &release);
        let never = self.shop.next(false);
        self.killed(&never);
        self.back_to(&release, self.shop.at_last("--abort"));
        self.back_to(&before, &["prod", "rollback"]);

        let status = self.shop.typed(&["prod", "status"], 0);
        let known = if before.version.is_some() { "live" } else { &before.commit[..12] };
        for name in self.shop.making.web() {
            assert!(status.contains(name) && status.contains(known), "{status}");
        }
        self.shop.close();
        end::is_tidy(&self.shop);
    }

    /// Returns to a release with this line; for a package, installs the old version instead.
    fn back_to(&self, release: &Release, line: &[&str]) {
        match &release.version {
            None => self.shop.typed(line, 0),
            Some(_) => self.shop.typed(&["prod", &release.to("install")], 0),
        };
        end::all_serve(&self.shop, release);
    }

    /// Takes one group out after another, and deploys to each.
    fn five_commands(&mut self) -> Release {
        let release = self.shop.next(false);
        let deploy = release.to("deploy");
        self.shop.typed(&["prod", "proxy.group2"], 0);
        self.shop.typed(&["prod:out", &deploy], 0);
        if self.shop.making.groups == 2 {
            self.shop.typed(&["prod", "proxy.flip"], 0);
        } else {
            let told = self.shop.typed(&["prod", "proxy.flip"], 7);
            assert!(told.contains("a flip needs exactly one group that is out"), "{told}");
            self.shop.typed(&["prod", "proxy.group1"], 0);
        }
        self.shop.typed(&["prod:out", &deploy], 0);
        self.shop.typed(&["prod", "proxy.all"], 0);
        end::all_serve(&self.shop, &release);
        release
    }

    /// Reloads a balancer while the first hosts are out and their services stopped. rfab takes the hosts out again, and
    /// the run reports it and ends. Typed again, the line completes.
    fn reloaded(&mut self) -> Release {
        let release = self.shop.next(false);
        let words = ["prod", &release.to("release")];
        self.units(|unit| unit.slow_restart(3));
        let run = self.shop.start(&words);
        let stopped = |_: &str| self.shop.lab.host("web1").serves().is_none();
        assert!(!self.shop.attend(&run, Some(&stopped)), "it was over before a restart: {:?}", run.so_far());
        let balancer = &self.shop.lab.balancers[0];
        balancer.reload();
        self.shop.attend(&run, None);
        let out = run.output();
        self.shop.note(&words, &out);
        self.units(|unit| unit.quick_restart());
        let told = format!("{}{}", out.stdout, out.stderr);
        let name = balancer.plan.name;
        assert!(told.contains(&format!("`{name}` was reloaded or restarted while this host was out")), "{told}");
        assert!(told.contains("it is out again"), "{told}");
        assert!(matches!(out.code, Some(1 | 6)), "{told}");
        end::is_out(&self.shop, "web1");
        self.shop.typed(&words, 0);
        end::all_serve(&self.shop, &release);
        release
    }

    /// Deploys a release that is never healthy, or dies later: it ends at the first group, and the other groups keep
    /// serving.
    fn broken(&mut self, release: &Release) {
        let broken = self.shop.next(true);
        let words = ["prod", &broken.to("release")];
        let first = &self.shop.making.web()[..self.shop.making.size];
        if !self.shop.making.dies_late {
            let run = self.shop.start(&words);
            if self.shop.making.reloaded {
                // While the release must prove itself.
                let over = self.shop.attend(&run, Some(&|printed| printed.contains("  restart ")));
                assert!(!over, "it was over before a restart: {:?}", run.so_far());
                self.shop.lab.balancers[0].reload();
            }
            self.shop.attend(&run, None);
            let out = run.output();
            self.shop.note(&words, &out);
            // What a balancer forgot counts more than what a host doesn't report.
            let forgotten = self.shop.making.reloaded && out.stdout.contains("was reloaded or restarted while");
            assert_eq!(out.code, Some(if forgotten { 6 } else { 1 }), "{out:?}");
            first.iter().for_each(|name| end::is_out(&self.shop, name));
            return end::half_serve(&self.shop, release);
        }
        // The release dies while it serves, and customers notice that with any tool.
        self.shop.close();
        let told = self.shop.typed(&words, 1);
        for name in first {
            let row = told.lines().rev().find(|line| line.starts_with(&format!("{name} "))).unwrap_or_default();
            // On a slow line, the first host may die before its proof: then no host is put back, and the proven ones
            // are out.
            if row.split("  ").any(|cell| cell.trim() == "out") {
                end::is_out(&self.shop, name);
            } else {
                assert!(row.contains(" failed "), "{name} died and isn't said to have failed: {told}");
            }
        }
        assert!(told.contains(" failed "), "nobody is said to have failed: {told}");
        end::half_serve(&self.shop, release);
        end::wait_until_down(&self.shop, "web1");
        self.shop.customers();
        self.shop.wait_for(40);
    }

    fn units(&self, tell: impl Fn(Unit<'_>)) {
        self.shop.making.web().iter().for_each(|name| tell(self.shop.lab.host(name).unit("shop")));
    }

    /// Types a setup or else a release, which must be refused before the first change.
    fn refused(&mut self, refusal: Refusal) {
        self.shop.customers();
        let before = end::everything(&self.shop);
        let mut out = self.shop.run(&["prod", self.shop.setup()]);
        let mut after = end::everything(&self.shop);
        if !out.stdout.contains(refusal.says) {
            self.shop.set_up();
            after = end::everything(&self.shop);
            let release = self.shop.next(false);
            out = self.shop.run(&["prod", &release.to("release")]);
        }
        let told = format!("{}{}", out.stdout, out.stderr);
        assert!(told.contains(refusal.says), "it is refused for another reason than `{}`: {told}", refusal.says);
        assert_eq!(out.code, Some(refusal.code), "{told}");
        let seen = end::everything(&self.shop);
        assert!(seen == after || seen == before, "something was changed:\n{after:#?}\n{seen:#?}");
        self.shop.close();
    }

    /// Types a release, and cuts its power at a moment that depends on the seed.
    fn killed(&mut self, release: &Release) {
        let moments = if release.version.is_some() { &MOMENTS_OF_A_PACKAGE[..] } else { &MOMENTS };
        let moment = moments[self.numbers.below(moments.len())];
        let words = ["prod", &release.to("release")];
        let run = self.shop.start(&words);
        let over = self.shop.attend(&run, Some(&|printed| printed.contains(moment)));
        assert!(!over, "it was over before it printed `{moment}`: {:?}", run.so_far());
        run.kill();
        let out = run.output();
        self.shop.note(&words, &out);
        // `script`, which provides its terminal, may report that before it is killed itself.
        let killed = out.code.is_none() || self.shop.asks() && out.code == Some(137);
        assert!(killed, "it wasn't killed at `{moment}`: {out:?}");
    }
}
