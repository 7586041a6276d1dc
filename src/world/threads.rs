//! Lanes as threads, for the real world.
use super::{Alone, STACK, Work};
use std::{
    collections::BTreeSet,
    sync::{
        Condvar, Mutex,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    thread,
};

/// Runs the works on at most so many threads, and comes back when all have ended.
pub fn run(works: Vec<Work>, at_once: usize) {
    let next = AtomicUsize::new(0);
    let works: Vec<_> = works.into_iter().map(|work| Mutex::new(Some(work))).collect();
    thread::scope(|scope| {
        for _ in 0..at_once.min(works.len()) {
            let spawned = thread::Builder::new().name("lane".into()).stack_size(STACK).spawn_scoped(scope, || {
                while let Some(work) = works.get(next.fetch_add(1, Relaxed)) {
                    let work = work.lock().unwrap().take();
                    work.into_iter().for_each(|work| work());
                }
            });
            spawned.expect("a thread can be started");
        }
    });
}

/// Who holds what among the threads of a run.
#[derive(Default)]
pub struct Held(Mutex<BTreeSet<String>>, Condvar);

impl Held {
    /// Waits until nobody holds it.
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
