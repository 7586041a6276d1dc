//! Lanes on separate stacks, on one thread; the lane with the earliest clock runs first.
use super::STACK;
use crate::effect::{Alone, Lane, LaneWork};
use corosensei::{Coroutine, CoroutineResult, Yielder, stack::DefaultStack};
use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, btree_map::Entry},
    pin::pin,
    ptr,
    sync::{Arc, Mutex},
    task::{Context, Poll, Wake, Waker},
    thread::{self, Thread},
};

/// Why a lane pauses.
enum Suspension {
    /// Another lane may have an earlier clock.
    Turn,
    /// The lane waits for the world outside, and its clock stands still.
    Outside,
}

type LaneYielder = Yielder<(), Suspension>;

thread_local! {
    static TURNS: Cell<*const LaneYielder> = const { Cell::new(ptr::null()) };
    static STACKS: RefCell<Vec<DefaultStack>> = const { RefCell::new(Vec::new()) };
}

fn pause(why: Suspension) -> bool {
    let mine = TURNS.get();
    if mine.is_null() {
        return false;
    }
    // SAFETY: the running coroutine sets it below, and its yielder lives as long as it does.
    unsafe { (*mine).suspend(why) };
    TURNS.set(mine);
    true
}

/// Lets every lane with an earlier clock run first.
pub fn turn() {
    pause(Suspension::Turn);
}

/// What lanes hold, and which lane holds it.
pub type HeldByLanes = Mutex<BTreeMap<String, Arc<Lane>>>;

/// Keeps parallel lanes away from `what`; not with a mutex, which would stop the one thread that they share.
pub fn alone<'a>(held: &'a HeldByLanes, lane: &Arc<Lane>, what: &str) -> Alone<'a> {
    loop {
        match held.lock().unwrap().entry(what.to_owned()) {
            Entry::Vacant(free) => {
                free.insert(lane.clone());
                break;
            }
            // Not before the holder has advanced.
            Entry::Occupied(taken) => lane.advance(taken.get().clock().max(lane.clock() + 1)),
        }
        turn();
    }
    let what = what.to_owned();
    Alone::until_dropped(move || {
        held.lock().unwrap().remove(&what);
    })
}

struct Unpark(Thread);
impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Waits for something outside, while parallel lanes run up to this lane's clock.
pub fn wait<F: Future>(future: F) -> F::Output {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return output;
        }
        if !pause(Suspension::Outside) {
            thread::park();
        }
    }
}

struct Stacked {
    lane: Arc<Lane>,
    coroutine: Coroutine<(), Suspension, (), DefaultStack>,
    outside: bool,
}

/// Returns a stack for a lane; none if memory has no room for it.
fn stack() -> Option<DefaultStack> {
    STACKS.with_borrow_mut(Vec::pop).or_else(|| DefaultStack::new(STACK).ok())
}

fn start(lane: Arc<Lane>, work: LaneWork, stack: DefaultStack) -> Stacked {
    let coroutine = Coroutine::with_stack(stack, move |yielder: &LaneYielder, ()| {
        TURNS.set(yielder);
        work();
    });
    Stacked { lane, coroutine, outside: false }
}

/// Runs the lanes to their ends; `seed` decides between equal clocks.
pub fn run(parent: &Arc<Lane>, lanes: Vec<(Arc<Lane>, LaneWork)>, at_once: usize, seed: u64) {
    let outer = TURNS.get();
    let (mut begin, mut latest) = (parent.clock(), parent.clock());
    let mut waiting = lanes.into_iter().peekable();
    let mut running: Vec<Stacked> = Vec::new();
    let mut rank = seed | 1;
    loop {
        while running.len() < at_once && waiting.peek().is_some() {
            let stack = stack();
            if stack.is_none() && !running.is_empty() {
                break;
            }
            let Some((lane, work)) = waiting.next() else { break };
            lane.advance(begin);
            match stack {
                Some(stack) => running.push(start(lane, work, stack)),
                None => {
                    // On the parent's own stack, one lane after another.
                    work();
                    begin = lane.clock();
                    latest = latest.max(begin);
                }
            }
        }
        rank = rank.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        let count = running.len();
        let shift = (rank >> 33) as usize % count.max(1);
        let earliest =
            (0..count).map(|i| (i + shift) % count).min_by_key(|i| (running[*i].lane.clock(), running[*i].outside));
        let Some(next) = earliest else { break };
        TURNS.set(outer);
        if running[next].outside {
            // All lanes at this time wait for the world outside.
            if !pause(Suspension::Outside) {
                thread::park();
            }
            running.iter_mut().for_each(|s| s.outside = false);
            continue;
        }
        // Lanes in parallel to the parent may be even earlier.
        parent.advance(running[next].lane.clock());
        turn();
        match running[next].coroutine.resume(()) {
            CoroutineResult::Yield(Suspension::Turn) => {}
            CoroutineResult::Yield(Suspension::Outside) => running[next].outside = true,
            CoroutineResult::Return(()) => {
                let ended = running.swap_remove(next);
                begin = ended.lane.clock();
                latest = latest.max(begin);
                STACKS.with_borrow_mut(|stacks| stacks.push(ended.coroutine.into_stack()));
            }
        }
    }
    TURNS.set(outer);
    parent.advance(latest);
}
