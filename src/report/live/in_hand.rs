//! What is in progress: a line for each host, and one for the run.
use super::{
    balance::BalanceView,
    line::{LiveLine, cut},
    many::ManyHosts,
    progress::EffectProgress,
};
use crate::{
    duration::running,
    event::{Event, EventKind},
    failure::Reason,
    host::Name,
    model::Time,
    report::{Palette, filter::visible},
};
use std::collections::{BTreeMap, BTreeSet};

/// How long an effect is shown after its end, so that lines don't jump between two effects.
const LINGERS: Time = 500;

/// The least height of a window with a row for the balancer.
const ROWS: usize = 8;

/// The most live lines, even in a high window.
pub(super) const MOST: usize = 20;

/// The columns that stay free after the run's line, for what a terminal prints when `Ctrl-C` is typed.
const TYPED: usize = 3;

/// What each lane is doing.
#[derive(Default)]
pub(super) struct InHand {
    /// The run's line.
    line: String,
    /// The current task.
    task: Option<String>,
    /// The targets, in order.
    targets: Vec<Name>,
    /// What each lane is doing, by the lane's path.
    lanes: BTreeMap<Name, Doing>,
    balance: BalanceView,
    /// The work on many hosts that is in progress, if any.
    many: Option<ManyHosts>,
    /// Why hosts failed.
    failed: BTreeMap<Name, String>,
}

/// What one lane is doing.
#[derive(Default)]
struct Doing {
    steps: Vec<(String, Time)>,
    effect: Option<InEffect>,
}

impl Doing {
    /// Returns the host that the running effect is shown with: nothing without an effect, `Some(None)` without a host.
    fn under_way<'a>(&'a self, of_lane: Option<&'a Name>) -> Option<Option<&'a Name>> {
        let effect = self.effect.as_ref().filter(|effect| effect.ended.is_none())?;
        Some(effect.host.as_ref().or(of_lane))
    }
}

/// An effect that has begun.
struct InEffect {
    host: Option<Name>,
    text: String,
    since: Time,
    ended: Option<Time>,
    progress: Option<EffectProgress>,
}

impl InHand {
    /// Takes in an event.
    pub(super) fn take(&mut self, event: &Event) {
        let (lane, at) = (&event.lane, event.at);
        self.balance.take(&event.what);
        if let Some(many) = &mut self.many {
            many.take(lane, &event.what);
        }
        match &event.what {
            EventKind::RunStarted { line, .. } => self.line.clone_from(line),
            EventKind::TaskStarted { task } => self.task = Some(task.clone()),
            EventKind::TaskFinished { .. } => (self.task, self.many) = (None, None),
            // A host's own fan-out isn't shown.
            EventKind::HostsStarted { hosts } if self.host_of(lane).is_none() => {
                self.many = Some(ManyHosts::new(lane, hosts))
            }
            EventKind::HostFinished { host, failure } => {
                if let Some(failure) = failure.as_ref().filter(|failure| failure.reason() != Reason::Interrupted) {
                    let why = failure.beside(Some(host));
                    let why = why.lines().next().unwrap_or_default();
                    self.failed.insert(host.clone(), format!("failed: {}", visible(why, false)));
                }
                self.lanes.remove(lane);
            }
            EventKind::TargetsChanged { hosts, .. } => self.targets.clone_from(hosts),
            EventKind::StepStarted { step, .. } => self.lane(lane).steps.push((step.clone(), at)),
            EventKind::StepFinished { .. } => drop(self.lane(lane).steps.pop()),
            EventKind::EffectStarted { host, text, .. } => {
                let effect =
                    InEffect { host: host.clone(), text: text.clone(), since: at, ended: None, progress: None };
                self.lane(lane).effect = Some(effect);
            }
            EventKind::EffectFinished { .. } => {
                if let Some(effect) = &mut self.lane(lane).effect {
                    effect.ended = Some(at);
                }
            }
            EventKind::Progressed { what, done, total, unit, .. } => {
                let Some(effect) = &mut self.lane(lane).effect else { return };
                let mut samples = effect.progress.take().map_or_else(|| [(effect.since, 0)].into(), |p| p.samples);
                samples.push_back((at, *done));
                let mut progress = EffectProgress { what: what.clone(), done: *done, total: *total, unit, samples };
                progress.look_back(at);
                effect.progress = Some(progress);
            }
            EventKind::RunFinished { .. } => *self = Self::default(),
            _ => {}
        }
    }

    fn lane(&mut self, path: &Name) -> &mut Doing {
        self.lanes.entry(path.clone()).or_default()
    }

    /// Forgets effects that have ended.
    pub(super) fn forget(&mut self, now: Time) {
        self.lanes.retain(|_, doing| {
            if let Some(effect) = &mut doing.effect {
                if let Some(progress) = &mut effect.progress {
                    progress.look_back(now);
                }
                if effect.ended.is_some_and(|ended| now >= ended + LINGERS) {
                    doing.effect = None;
                }
            }
            doing.effect.is_some() || !doing.steps.is_empty()
        });
    }

    /// Returns the live lines, at most `width` wide and at most half of `height`: the state of the groups, the failed
    /// hosts, those at work, how many more there are, and the run.
    pub(super) fn lines(&self, now: Time, (width, height): (usize, usize), palette: Palette) -> Vec<String> {
        if self.line.is_empty() || width < 8 {
            return Vec::new();
        }
        let mut lines: Vec<(Time, usize, LiveLine<'_>)> = Vec::new();
        let under_way = self.lanes.iter().filter_map(|(path, doing)| doing.under_way(self.host_of(path)));
        let busy: BTreeSet<Option<&Name>> = under_way.collect();
        for (path, doing) in &self.lanes {
            let of_lane = self.host_of(path);
            let (host, text, since, until, progress) = match (&doing.effect, doing.steps.last()) {
                (Some(effect), _) => {
                    let host = effect.host.as_ref().or(of_lane);
                    if effect.ended.is_some() && busy.contains(&host) {
                        continue;
                    }
                    (host, &effect.text, effect.since, effect.ended.unwrap_or(now), effect.progress.as_ref())
                }
                (None, Some((step, since))) if of_lane.is_some() => (of_lane, step, *since, now, None),
                _ => continue,
            };
            let rank = host.map_or(0, |host| 1 + self.rank(host));
            let (host, text) = (host.map(|host| visible(host, false)), visible(text, false));
            let took = until.saturating_sub(since);
            lines.push((since, rank, LiveLine { host, text, bad: false, took, progress, now }));
        }
        let balance = self.balance.line(width, palette).filter(|_| height >= ROWS);
        let room = (height / 2).min(MOST).saturating_sub(1 + usize::from(balance.is_some()));
        let (failed, rest) = self.shared(room, &mut lines, now);
        let all: Vec<LiveLine<'_>> = failed.into_iter().chain(lines.into_iter().map(|(.., line)| line)).collect();
        let names = all.iter().map(LiveLine::host_width).max().unwrap_or(0).min(width / 3);
        let mut text: Vec<String> = balance.into_iter().collect();
        text.extend(all.iter().map(|line| line.fitted(width, names, palette)));
        text.extend(rest.map(|rest| palette.faint(&cut(&rest, width))).filter(|_| room > 0));
        text.push(palette.faint(&self.run(now, width)));
        text
    }

    /// Divides `room` lines among the failed hosts, those at work, and the number of the others.
    fn shared<'a>(
        &'a self,
        room: usize,
        lines: &mut Vec<(Time, usize, LiveLine<'a>)>,
        now: Time,
    ) -> (Vec<LiveLine<'a>>, Option<String>) {
        let busy: BTreeSet<String> = lines.iter().filter_map(|(.., line)| line.host.clone()).collect();
        let is_busy = |host: &Name| busy.contains(&visible(host, false));
        let mut failed: Vec<_> = self.failed.iter().filter(|(host, _)| !is_busy(host)).collect();
        failed.sort_by_key(|(host, _)| self.rank(host));
        let (ill, at_work) = (failed.len(), lines.len());
        let many = self.many.as_ref().filter(|many| !many.is_over());
        let (done, waiting) = many.map_or((0, 0), |many| (many.done(), many.waiting()));
        let silent = many.map_or(0, |many| many.at_work().filter(|host| !is_busy(host)).count());
        let crowded = ill + at_work > room || done + waiting + silent > 0;
        let room = room.saturating_sub(crowded.into());
        failed.truncate((room / 2).max(room.saturating_sub(at_work)));
        if at_work > room - failed.len() {
            // Those at work the longest.
            lines.sort_by_key(|(since, ..)| *since);
            lines.truncate(room - failed.len());
        }
        lines.sort_by_key(|(_, rank, _)| *rank);
        let rest = [
            (done, "done"),
            (waiting, "waiting"),
            (at_work - lines.len() + silent, "at work"),
            (ill - failed.len(), "failed"),
        ];
        let rest: Vec<_> = rest.into_iter().filter(|(number, _)| *number > 0).collect();
        let all: usize = rest.iter().map(|(number, _)| number).sum();
        let rest = match &*rest {
            [] => None,
            [(number, how)] => Some(format!("… and {number} more {how}")),
            kinds => {
                let kinds: Vec<String> = kinds.iter().map(|(number, how)| format!("{number} {how}")).collect();
                Some(format!("… and {all} more: {}", kinds.join(", ")))
            }
        };
        let line = |(host, why): (&Name, &String)| LiveLine {
            host: Some(visible(host, false)),
            text: why.clone(),
            bad: true,
            took: 0,
            progress: None,
            now,
        };
        (failed.into_iter().map(line).collect(), rest)
    }

    /// Returns the run's own line: its task, its steps, and the time that it has taken.
    fn run(&self, now: Time, width: usize) -> String {
        let steps = self.lanes.iter().filter(|(path, _)| self.host_of(path).is_none());
        let steps = steps.flat_map(|(_, doing)| doing.steps.iter().map(|(step, _)| step));
        let crumbs: Vec<String> = std::iter::once(self.task.as_ref().unwrap_or(&self.line))
            .chain(steps)
            .map(|crumb| visible(crumb, false))
            .collect();
        let took = format!("  {}", running(now));
        let room = width.saturating_sub(took.len() + TYPED);
        format!("{}{took}", cut(&crumbs.join(" > "), room))
    }

    /// Returns the target that a lane belongs to.
    fn host_of(&self, path: &Name) -> Option<&Name> {
        let (_, name) = path.rsplit('/').next()?.split_once('.')?;
        let name = name.trim_end_matches('!');
        self.targets.iter().find(|target| ***target == *name)
    }

    fn rank(&self, host: &Name) -> usize {
        self.targets.iter().position(|target| target == host).unwrap_or(self.targets.len())
    }
}
