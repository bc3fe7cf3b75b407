//! What a client sees of servers that hang, crash and start again.

use alloc::format;
use alloc::vec::Vec;

use kamen_bench::Figure;
use libipc::{Endpoint, Error, Failure, now};
use protocols::clock::ClockClient;

pub use crate::leaks::leak;
use crate::world::World;

/// The heartbeat of "hanging" in tests/guest/system.toml, in ms.
const HEARTBEAT_MS: u64 = 1_000;
/// A stateless server answers again within this time of its end, in ns: instructions under the
/// instruction clock.
const LONGEST_RESTART_NS: u64 = 2_000_000;
/// Samples of the time that a restart takes.
const SAMPLES: usize = 101;

/// A server that spins in a request is ended by its heartbeat, and comes back.
pub fn hang(world: &mut World) {
    let answer = world.hanging.answer(1);
    world.check("it answers", answer == Ok(2), answer);
    let before = now();
    let hung = world.hanging.hang();
    let ms = (now().0 - before.0) / 1_000_000;
    world.check("who waits for it sees Restarted", is(&hung, Error::Restarted), hung);
    // From 3 periods to 4, as it hangs anywhere in one, and what a busy host adds.
    let in_time = (3 * HEARTBEAT_MS..10 * HEARTBEAT_MS).contains(&ms);
    world.check("after three periods without an answer", in_time, ms);
    let answer = world.hanging.answer(2);
    world.check("its next life answers", answer == Ok(3), answer);
    let standing = world.standing("hanging");
    world.check("init knows", standing == "1 running", standing);
}

/// A server that crashes on every start is given up, which clients and dependents learn of.
pub fn crash(world: &mut World) {
    let first = world.crashing.crash(5);
    world.check("a crash is seen as Restarted", is(&first, Error::Restarted), first);
    let before = now();
    let last = world.crashing.answer(1);
    let ms = (now().0 - before.0) / 1_000_000;
    let gone = matches!(last, Err(Failure::Kernel(error)) if error != Error::Restarted);
    world.check("five are an error in place of silence", gone, last);
    // Three delays: 10, 20 and 40 ms; and what a busy host adds.
    world.check("after the delays between its lives", (70..1_000).contains(&ms), ms);
    let standing = world.standing("crashing");
    let reason = "4 gave up: 5 ends within 10 s, the last: page fault reading";
    world.check("init knows why", standing.starts_with(reason), standing);
    let told = world.hanging.told();
    world.check("who uses it was told", matches!(told, Ok(1..)), told);
    let standing = world.standing("hanging");
    world.check("and has lost it", standing == "0 running, without crashing", standing);
    revive(world);
}

/// What was given up starts again by request, for those who get a capability to it anew.
fn revive(world: &mut World) {
    let revived = world.system.restart(b"crashing");
    world.check("it starts again by request", revived.is_ok(), revived);
    let standing = world.standing("crashing");
    world.check("as init tells", standing == "5 running", standing);
    let answer = world.crashing.answer(1);
    world.check("an old capability stays dead", is(&answer, Error::InvalidHandle), answer);
    let restarted = world.system.restart(b"hanging");
    let standing = world.standing("hanging");
    world.check("a restart gives a new one", standing == "1 running", (restarted, standing));
}

/// A stateless server answers again within two milliseconds of its end.
pub fn latency(world: &mut World) {
    let Some(clock) = world.start.find::<Endpoint>("clock").map(ClockClient::new) else { return };
    let killed = || {
        let before = now();
        let restarted = world.system.restart(b"clock").is_ok() && clock.boot_time().is_ok();
        restarted.then(|| now().0 - before.0)
    };
    let samples: Option<Vec<u64>> = (0..SAMPLES).map(|_| killed()).collect();
    let longest = samples.iter().flatten().max().copied();
    if let Some(figure) = samples.and_then(|samples| Figure::of(samples, 1)) {
        world.print(figure.row("restart_clock").trim_end());
    }
    let in_time = longest.is_some_and(|ns| ns < LONGEST_RESTART_NS);
    world.check("killed and answering again within 2 ms", in_time, longest);
    let before = now();
    let crashed = world.crashing.crash(1);
    let answer = world.crashing.answer(1);
    let ns = now().0 - before.0;
    let in_time = is(&crashed, Error::Restarted) && answer == Ok(2) && ns < LONGEST_RESTART_NS;
    world.check("crashed and answering again within 2 ms", in_time, (crashed, answer, ns));
    world.print(&format!("crashed and answering again after {ns} ns"));
}

/// Returns whether a call failed by an error of the kernel's.
fn is<T, E>(result: &Result<T, Failure<E>>, error: Error) -> bool {
    matches!(result, Err(Failure::Kernel(seen)) if *seen == error)
}
