//! What is in hand at a moment: a line a host, and one for the run.
use super::line::{Line, cut};
use crate::{
    event::{Event, What},
    host::Name,
    report::{Palette, filter::visible, words::seconds},
};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Milliseconds since the run began.
pub type Time = u64;

/// How long an effect that ended is still shown, so that lines do not jump between two effects.
const LINGERS: Time = 500;

/// What a throughput is taken over.
const WINDOW: Time = 5_000;

/// What each lane is doing.
#[derive(Default)]
pub struct InHand {
    /// The run's line.
    line: String,
    /// The task in hand.
    task: Option<String>,
    /// The targets, in their order.
    targets: Vec<Name>,
    /// By path.
    lanes: BTreeMap<Name, Doing>,
}

/// What one lane is doing.
#[derive(Default)]
struct Doing {
    steps: Vec<(String, Time)>,
    effect: Option<InEffect>,
}

impl Doing {
    /// The host that an effect under way here is shown with, if there is one.
    fn under_way<'a>(&'a self, of_lane: Option<&'a Name>) -> Option<Option<&'a Name>> {
        let effect = self.effect.as_ref().filter(|effect| effect.ended.is_none())?;
        Some(effect.host.as_ref().or(of_lane))
    }
}

/// An effect that began.
struct InEffect {
    host: Option<Name>,
    text: String,
    since: Time,
    ended: Option<Time>,
    progress: Option<Progress>,
}

/// How far an effect is.
pub struct Progress {
    pub what: String,
    pub done: u64,
    pub total: u64,
    pub unit: &'static str,
    /// When how much was done, as far back as a throughput looks.
    samples: VecDeque<(Time, u64)>,
}

impl Progress {
    /// What was done each second of late; nothing while it is too early to say.
    pub fn rate(&self, now: Time) -> Option<u64> {
        let ((began, first), (_, last)) = (self.samples.front()?, self.samples.back()?);
        let took = now.saturating_sub(*began);
        (took >= 1_000).then(|| last.saturating_sub(*first) * 1_000 / took)
    }

    fn look_back(&mut self, now: Time) {
        while self.samples.get(1).is_some_and(|(at, _)| at + WINDOW <= now) {
            self.samples.pop_front();
        }
    }
}

impl InHand {
    /// Takes an event in.
    pub fn take(&mut self, event: &Event) {
        let (lane, at) = (&event.lane, event.at);
        match &event.what {
            What::RunStarted { line, .. } => self.line.clone_from(line),
            What::TaskStarted { task } => self.task = Some(task.clone()),
            What::TaskFinished { .. } => self.task = None,
            What::TargetsChanged { hosts, .. } => self.targets.clone_from(hosts),
            What::StepStarted { step, .. } => self.lane(lane).steps.push((step.clone(), at)),
            What::StepFinished { .. } => drop(self.lane(lane).steps.pop()),
            What::EffectStarted { host, text, .. } => {
                let effect =
                    InEffect { host: host.clone(), text: text.clone(), since: at, ended: None, progress: None };
                self.lane(lane).effect = Some(effect);
            }
            What::EffectFinished { .. } => {
                if let Some(effect) = &mut self.lane(lane).effect {
                    effect.ended = Some(at);
                }
            }
            What::Progressed { what, done, total, unit, .. } => {
                let Some(effect) = &mut self.lane(lane).effect else { return };
                let mut samples = effect.progress.take().map_or_else(|| [(effect.since, 0)].into(), |p| p.samples);
                samples.push_back((at, *done));
                let mut progress = Progress { what: what.clone(), done: *done, total: *total, unit, samples };
                progress.look_back(at);
                effect.progress = Some(progress);
            }
            What::RunFinished { .. } => *self = Self::default(),
            _ => {}
        }
    }

    fn lane(&mut self, path: &Name) -> &mut Doing {
        self.lanes.entry(path.clone()).or_default()
    }

    /// Forgets what ended.
    pub fn forget(&mut self, now: Time) {
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

    /// The live lines, none wider than `width`, at most half of `height`; of too many those that take longest.
    pub fn lines(&self, now: Time, (width, height): (usize, usize), palette: Palette) -> Vec<String> {
        if self.line.is_empty() || width < 8 {
            return Vec::new();
        }
        let mut lines: Vec<(Time, usize, Line<'_>)> = Vec::new();
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
            lines.push((since, rank, Line { host, text, took: until.saturating_sub(since), progress, now }));
        }
        let room = (height / 2).saturating_sub(1);
        let all = lines.len();
        if all > room {
            lines.sort_by_key(|(since, ..)| *since);
            lines.truncate(room.saturating_sub(1));
        }
        let more = all - lines.len();
        lines.sort_by_key(|(_, rank, _)| *rank);
        let names = lines.iter().map(|(.., line)| line.host_width()).max().unwrap_or(0).min(width / 3);
        let mut text: Vec<String> = lines.iter().map(|(.., line)| line.fitted(width, names, palette)).collect();
        if more > 0 && room > 0 {
            text.push(palette.faint(&cut(&format!("… and {more} more"), width)));
        }
        text.push(palette.faint(&self.run(now, width)));
        text
    }

    /// The run's own line: its task, the steps that it is in, how long it takes.
    fn run(&self, now: Time, width: usize) -> String {
        let steps = self.lanes.iter().filter(|(path, _)| self.host_of(path).is_none());
        let steps = steps.flat_map(|(_, doing)| doing.steps.iter().map(|(step, _)| step));
        let crumbs: Vec<String> = std::iter::once(self.task.as_ref().unwrap_or(&self.line))
            .chain(steps)
            .map(|crumb| visible(crumb, false))
            .collect();
        let took = format!("  {}", seconds(now));
        let room = width.saturating_sub(took.len());
        format!("{}{took}", cut(&crumbs.join(" > "), room))
    }

    /// The target whose lane it is.
    fn host_of(&self, path: &Name) -> Option<&Name> {
        let (_, name) = path.rsplit('/').next()?.split_once('.')?;
        let name = name.trim_end_matches('!');
        self.targets.iter().find(|target| ***target == *name)
    }

    fn rank(&self, host: &Name) -> usize {
        self.targets.iter().position(|target| target == host).unwrap_or(self.targets.len())
    }
}
