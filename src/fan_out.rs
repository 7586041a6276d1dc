//! Does one thing on many hosts, with limits, batches and budgets.
use crate::{
    effect::{Lane, LaneWork},
    event::EventKind,
    failure::{Cause, Failure},
    host::Host,
    script::{Here, OnLanes, RhaiResultOf, Targets, failure_of, thrown},
};
use rhai::{Array, Dynamic, FnPtr, NativeCallContext};
use serde::Deserialize;
use std::sync::{Arc, Mutex};

/// How many hosts work at the same time, in which batches, and how many may fail.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    at_once: usize,
    /// The sizes of the batches; the last one repeats. If it's empty, all hosts are one batch.
    batches: Vec<BatchSize>,
    /// More failures than this end the call after their batch.
    max_failed: usize,
}

/// A batch's size.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum BatchSize {
    Count(usize),
    Percent(String),
}

impl Default for Limits {
    fn default() -> Self {
        Self::one_by_one()
    }
}

/// The most threads that a run starts.
const MOST: usize = 64;

impl Limits {
    /// The keys of the limits in a script.
    pub const KEYS: [&str; 3] = ["at_once", "batches", "max_failed"];

    /// Works on one host after another and stops at the first failure.
    pub fn one_by_one() -> Self {
        Self { at_once: 1, batches: vec![BatchSize::Count(1)], max_failed: 0 }
    }

    /// Works on all hosts in one batch.
    pub fn side_by_side(at_once: usize) -> Self {
        Self { at_once, batches: Vec::new(), max_failed: 0 }
    }

    /// Computes how many hosts each batch has.
    ///
    /// Fails with `Fabfile` if one of them isn't a size.
    fn sizes(&self, all: usize) -> Result<Vec<usize>, Failure> {
        let wrong = |size: &dyn std::fmt::Display| {
            Failure::new(Cause::Fabfile, format!("`{size}` isn't a size of a batch"))
                .help("write a number such as 5, or a string such as \"20%\"")
        };
        let size = |size: &BatchSize| match size {
            BatchSize::Count(0) => Err(wrong(&0)),
            BatchSize::Count(n) => Ok(*n),
            BatchSize::Percent(text) => {
                let percent = text.strip_suffix('%').and_then(|n| n.parse::<usize>().ok());
                let percent = percent.filter(|n| (1..=100).contains(n)).ok_or_else(|| wrong(text))?;
                Ok((all * percent / 100).max(1))
            }
        };
        let given = self.batches.iter().map(size).collect::<Result<Vec<_>, _>>()?;
        let Some(last) = given.last().copied() else { return Ok(vec![all]) };
        let (mut left, mut sizes, mut given) = (all, Vec::new(), given.into_iter());
        while left > 0 {
            let next = given.next().unwrap_or(last).min(left);
            sizes.push(next);
            left -= next;
        }
        Ok(sizes)
    }
}

/// Calls the closure for each host on its own lane. Results come in the hosts' order, `()` for a host that failed.
///
/// Throws the first failure, in the hosts' order, if more than `max_failed` hosts failed by the end of a batch.
pub fn out(ctx: &NativeCallContext, here: &Here, targets: &Targets, limits: &Limits, f: &FnPtr) -> RhaiResultOf<Array> {
    let hosts = &targets.hosts;
    let lanes = forked(here, hosts);
    let sizes = limits.sizes(hosts.len()).map_err(thrown)?;
    let (mut rest, mut results, mut failed) = (hosts.iter().zip(lanes), Array::with_capacity(hosts.len()), Vec::new());
    for size in sizes {
        let batch: Vec<_> = rest.by_ref().take(size).map(|(h, l)| (h.clone(), l)).collect();
        for (host, result) in side_by_side(ctx, here, batch, limits.at_once.clamp(1, MOST), f) {
            match result {
                Ok(value) => results.push(value),
                Err(error) => {
                    let mut failure = failure_of(&error);
                    if failure.host.is_none() {
                        failure.host = Some(host.name.clone());
                    }
                    note(here, &host, &failure);
                    results.push(Dynamic::UNIT);
                    failed.push(error);
                }
            }
        }
        // A failure that a script can't catch isn't a host's: it ends the call.
        let ends = failed.iter().position(|e| !failure_of(e).catchable());
        if let Some(ends) = ends {
            return Err(failed.swap_remove(ends));
        }
        if failed.len() > limits.max_failed {
            return Err(failed.remove(0));
        }
    }
    Ok(results)
}

/// Does one thing on each host in parallel, without a script. Results come in the hosts' order.
///
/// It notes each failure for its host.
pub fn over<T: Send + 'static>(
    here: &Here,
    hosts: &[Host],
    f: impl Fn(&Arc<Lane>, &Host) -> Result<T, Failure> + Send + Sync + 'static,
) -> Vec<Result<T, Failure>> {
    let (lanes, f) = (forked(here, hosts), Arc::new(f));
    let empty: Vec<Option<Result<T, Failure>>> = hosts.iter().map(|_| None).collect();
    let results = Arc::new(Mutex::new(empty));
    let works = hosts.iter().cloned().zip(lanes).enumerate().map(|(i, (host, lane))| {
        let (results, f, mine, here) = (results.clone(), f.clone(), lane.clone(), here.clone());
        let work: LaneWork = Box::new(move || {
            let answer = f(&mine, &host);
            end(&mine, &host, answer.as_ref().err().cloned());
            if let Err(failure) = &answer {
                note(&here, &host, failure);
            }
            results.lock().unwrap()[i] = Some(answer);
        });
        (lane, work)
    });
    here.lane.world().side_by_side(&here.lane, works.collect(), here.session.run.parallel.clamp(1, MOST));
    let results = std::mem::take(&mut *results.lock().unwrap());
    results.into_iter().map(|r| r.unwrap_or_else(|| Err(Failure::new(Cause::Internal, "a lane didn't end")))).collect()
}

/// Notes a failure for its host. If another machine failed, such as a balancer, the host didn't fail,
/// unless the run already changed or drained it.
fn note(here: &Here, host: &Host, failure: &Failure) {
    let observed = &here.session.observed;
    let told = observed.host(host);
    let others = failure.host.as_ref().is_some_and(|name| *name != host.name);
    if !others || told.changed || told.drained {
        observed.failed(host, failure);
    }
}

/// Forks a lane for each host and reports that they started.
fn forked(here: &Here, hosts: &[Host]) -> Vec<Arc<Lane>> {
    if !hosts.is_empty() {
        here.lane.tell(EventKind::HostsStarted { hosts: hosts.iter().map(|host| host.name.clone()).collect() });
    }
    here.lane.fork(hosts)
}

fn end(lane: &Lane, host: &Host, failure: Option<Failure>) {
    lane.end(failure.as_ref());
    lane.tell(EventKind::HostFinished { host: host.name.clone(), failure });
}

type HostResult = (Host, RhaiResultOf<Dynamic>);

fn side_by_side(
    ctx: &NativeCallContext,
    here: &Here,
    batch: Vec<(Host, Arc<Lane>)>,
    at_once: usize,
    f: &FnPtr,
) -> Vec<HostResult> {
    let hosts: Vec<Host> = batch.iter().map(|(h, _)| h.clone()).collect();
    let results: Arc<Mutex<Vec<Option<RhaiResultOf<Dynamic>>>>> =
        Arc::new(Mutex::new(batch.iter().map(|_| None).collect()));
    let closure = Arc::new(OnLanes::of(ctx, here, f));
    let work = batch.into_iter().enumerate().map(|(i, (host, lane))| {
        let (results, closure, mine) = (results.clone(), closure.clone(), lane.clone());
        let work: LaneWork = Box::new(move || {
            let call = std::panic::AssertUnwindSafe(|| closure.call(mine.clone(), host.clone()));
            let called = std::panic::catch_unwind(call);
            let result =
                called.unwrap_or_else(|_| Err(thrown(Failure::new(Cause::Internal, "internal error in this call"))));
            end(&mine, &host, result.as_ref().err().map(|e| failure_of(e)));
            results.lock().unwrap()[i] = Some(result);
        });
        (lane, work)
    });
    here.lane.world().side_by_side(&here.lane, work.collect(), at_once);
    let results = std::mem::take(&mut *results.lock().unwrap());
    let ended = |r: Option<RhaiResultOf<Dynamic>>| {
        r.unwrap_or_else(|| Err(thrown(Failure::new(Cause::Internal, "a lane didn't end"))))
    };
    hosts.into_iter().zip(results.into_iter().map(ended)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sizes(batches: Vec<BatchSize>, all: usize) -> Result<Vec<usize>, String> {
        Limits { at_once: 1, batches, max_failed: 0 }.sizes(all).map_err(|f| f.message)
    }

    #[test]
    fn the_last_batch_size_repeats_until_all_hosts_have_one() {
        let percent = |p: &str| BatchSize::Percent(p.into());
        assert_eq!(sizes(vec![], 7), Ok(vec![7]));
        assert_eq!(sizes(vec![BatchSize::Count(1)], 3), Ok(vec![1, 1, 1]));
        assert_eq!(
            sizes(vec![BatchSize::Count(1), BatchSize::Count(5), percent("20%")], 21),
            Ok(vec![1, 5, 4, 4, 4, 3])
        );
        assert_eq!(sizes(vec![percent("1%")], 2), Ok(vec![1, 1]));
        assert_eq!(sizes(vec![BatchSize::Count(0)], 2), Err("`0` isn't a size of a batch".into()));
        assert_eq!(sizes(vec![percent("20")], 2), Err("`20` isn't a size of a batch".into()));
    }
}
