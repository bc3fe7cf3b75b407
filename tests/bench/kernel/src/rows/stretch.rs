//! The longest stretch with interrupts off, as a waiting thread feels it.
//!
//! ```text
//!   stress (low priority)    long operations, one after the other
//!   watch (top priority)     sets a timer, waits, looks how late it is; again and again
//!                            lateness while the stress is in user space: the interrupt's own way
//!                            the most lateness less that: what was left of the longest stretch
//! ```
//! The timer's times fall anywhere in the operations, some thousands of times, so that hardly any
//! of the longest stretch is missed. The kernel itself is left as users get it.

use core::sync::atomic::Ordering::Relaxed;

use libipc::{Error, Handle, Object, Time, Timer};

use super::stress::{self, OPERATIONS};
use crate::measure::{print, print_figure};
use crate::raw;
use crate::world::{Where, World, number};

/// Where in the shared words lie: the operation going on, whether the stress is over and how, the
/// least and most lateness, the operation of the most, the error of the stress.
const NOW_AT: usize = 48;
const OVER_AT: usize = 49;
const LEAST_AT: usize = 50;
const MOST_AT: usize = 51;
const PATH_AT: usize = 52;
const ERROR_AT: usize = 53;
/// The stress's priority.
const BELOW: u8 = 8;
/// Time from one look to the next, and by how much it varies.
const INTERVAL_NS: u64 = 3_001;
const VARIES_NS: u64 = 1_000;
/// What the stress says at its end.
const WELL: u64 = 1;
const FAILED: u64 = 2;

/// See above.
pub fn irqs_off_max(world: &mut World) -> Result<(), Error> {
    for at in [NOW_AT, OVER_AT, MOST_AT, PATH_AT] {
        raw::shared()[at].store(0, Relaxed);
    }
    raw::shared()[LEAST_AT].store(u64::MAX, Relaxed);
    let notification = world.quota.create_notification()?;
    let timer = world.quota.create_timer(notification, 1)?;
    let stress = world.prepare(Where::Own, run_stress, [0; 2])?;
    stress.set_priority(BELOW)?;
    stress.start()?;
    let handles = number(timer) << 32 | number(notification);
    let watch = world.spawn(Where::Own, watch, [handles, number(world.done)])?;
    world.done.wait(Time::FOREVER)?;
    let read = |at: usize| raw::shared()[at].load(Relaxed);
    let (ticks, ns) = world.clock;
    let stretch = read(MOST_AT).saturating_sub(read(LEAST_AT)).saturating_mul(ticks) / ns.max(1);
    let path = OPERATIONS.get(read(PATH_AT) as usize).map_or("?", |(name, _)| name);
    if read(OVER_AT) == FAILED {
        let error = Error::check(read(ERROR_AT)).err();
        print(&alloc::format!("missing irqs_off_max {error:?} at: {path}\n"));
        return Err(Error::InvalidOperation);
    }
    print_figure("irqs_off_max", [stretch].into(), 1);
    print(&alloc::format!("path irqs_off_max {path}\n"));
    for object in [watch.handle(), stress.handle(), timer.handle(), notification.handle()] {
        libipc::Thread(object).destroy()?;
    }
    Ok(())
}

extern "C" fn run_stress(_: u64, _: u64, _: u64) -> ! {
    let mut over = WELL;
    for (index, (_, operation)) in OPERATIONS.iter().enumerate() {
        raw::shared()[NOW_AT].store(index as u64, Relaxed);
        for _ in 0..stress::TIMES {
            if let Err(error) = operation() {
                raw::shared()[ERROR_AT].store(error as u64, Relaxed);
                raw::shared()[PATH_AT].store(index as u64, Relaxed);
                over = FAILED;
            }
        }
    }
    raw::shared()[OVER_AT].store(over, Relaxed);
    loop {
        core::hint::spin_loop();
    }
}

extern "C" fn watch(handles: u64, done: u64, _: u64) -> ! {
    let notification = handles & 0xffff_ffff;
    let timer = Timer::from_handle(Handle((handles >> 32) as u16));
    let word = |at: usize| &raw::shared()[at];
    let mut varied: u64 = 1;
    while word(OVER_AT).load(Relaxed) == 0 {
        // Knuth 3.3.4, line 26.
        varied = varied.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let at = libipc::now().0 + INTERVAL_NS + (varied >> 33) % VARIES_NS;
        if timer.set(Time(at)).is_err() || raw::wait(notification).0 != 0 {
            word(OVER_AT).store(FAILED, Relaxed);
        }
        let late = libipc::now().0.saturating_sub(at);
        if late < word(LEAST_AT).load(Relaxed) {
            word(LEAST_AT).store(late, Relaxed);
        }
        if late > word(MOST_AT).load(Relaxed) {
            word(MOST_AT).store(late, Relaxed);
            word(PATH_AT).store(word(NOW_AT).load(Relaxed), Relaxed);
        }
    }
    raw::signal(done, 1);
    loop {
        raw::wait(done);
    }
}
