//! Lanes as threads, for the real world.
use super::STACK;
use crate::effect::{Alone, LaneWork};
use std::{
    collections::BTreeSet,
    sync::{
        Condvar, Mutex,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    thread,
};

/// Runs the works on at most `at_once` threads, and returns when all have ended.
///
/// If the system gives fewer threads, fewer are used; if it gives none, the caller's thread does the work.
pub fn run(works: Vec<LaneWork>, at_once: usize) {
    run_on(works, at_once, STACK);
}

fn run_on(works: Vec<LaneWork>, at_once: usize, stack: usize) {
    let next = AtomicUsize::new(0);
    let works: Vec<_> = works.into_iter().map(|work| Mutex::new(Some(work))).collect();
    let each = || {
        while let Some(work) = works.get(next.fetch_add(1, Relaxed)) {
            let work = work.lock().unwrap().take();
            work.into_iter().for_each(|work| work());
        }
    };
    thread::scope(|scope| {
        for _ in 0..at_once.min(works.len()) {
            let lane = thread::Builder::new().name("lane".into()).stack_size(stack);
            if lane.spawn_scoped(scope, each).is_err() {
                each();
                break;
            }
        }
    });
}

/// What is held among the threads of a run.
#[derive(Default)]
pub struct HeldByThreads(Mutex<BTreeSet<String>>, Condvar);

impl HeldByThreads {
    /// Waits until nobody holds `what`, then holds it.
    pub fn alone<'a>(&'a self, what: &str) -> Alone<'a> {
        let what = what.to_owned();
        let mut held = self.0.lock().unwrap();
        while !held.insert(what.clone()) {
            held = self.1.wait(held).unwrap();
        }
        Alone::until_dropped(move || {
            self.0.lock().unwrap().remove(&what);
            self.1.notify_all();
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn without_threads_all_the_work_is_done_all_the_same() {
        // No system has enough memory for the second stack.
        for stack in [STACK, usize::MAX / 4] {
            let done = Arc::new(AtomicUsize::new(0));
            let work = |done: &Arc<AtomicUsize>| -> LaneWork {
                let done = done.clone();
                Box::new(move || _ = done.fetch_add(1, Relaxed))
            };
            run_on((0..20).map(|_| work(&done)).collect(), 4, stack);
            assert_eq!(done.load(Relaxed), 20, "{stack}");
        }
    }
}
