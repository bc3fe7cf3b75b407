//! From an interrupt to the thread that waits for it, while another one runs.
//!
//! ```text
//!   spinner (own space)          rdtsc → LAST, rdtsc → LAST, …│
//!   kernel                                                    └ timer interrupt ┐
//!   waiter (second space, above)                                  rdtsc - LAST ─┘ sets the timer
//! ```
//! The interrupt is the processor's timer, which a timer object's time has set off. A sample
//! begins at the last look at the clock that the spinner could store, so that it holds up to one
//! round of its loop more than the interrupt's way.

use alloc::vec::Vec;
use core::sync::atomic::Ordering::Relaxed;

use kamen_bench::SAMPLES;
use libipc::{Error, Notification, Object, Time, Timer};

use crate::measure::{SAMPLES_AT, print_figure, shared_samples};
use crate::raw;
use crate::world::{Where, World, number};

/// Where in the shared words the spinner's last look at the clock lies.
const LAST_AT: usize = 0;
/// The spinner's priority.
const BELOW: u8 = 8;
/// Time from one interrupt to the next; odd, so that it meets the loop in different places.
const INTERVAL_NS: u64 = 20_011;

/// See above.
pub fn irq(world: &mut World) -> Result<(), Error> {
    let notification = world.quota.create_notification()?;
    let timer = world.quota.create_timer(notification, 1)?;
    let spinner = world.prepare(Where::Own, spin, [0; 2])?;
    spinner.set_priority(BELOW)?;
    spinner.start()?;
    let arguments = [number(timer) << 32 | number(notification), number(world.done)];
    let waiter = world.spawn(Where::Second, watch, arguments)?;
    let bits = world.done.wait(Time::FOREVER)?;
    let samples: Vec<u64> = shared_samples();
    waiter.destroy()?;
    spinner.destroy()?;
    timer.destroy()?;
    notification.destroy()?;
    if bits != 1 {
        return Err(Error::InvalidOperation);
    }
    print_figure("irq", samples, 1);
    Ok(())
}

extern "C" fn spin(_: u64, _: u64, _: u64) -> ! {
    let last = &raw::shared()[LAST_AT];
    loop {
        last.store(raw::ticks(), Relaxed);
    }
}

/// Takes the samples; `handles` are the timer's and the notification's.
extern "C" fn watch(handles: u64, done: u64, _: u64) -> ! {
    let notification = handles & 0xffff_ffff;
    let timer = Timer::from_handle(libipc::Handle((handles >> 32) as u16));
    let last = &raw::shared()[LAST_AT];
    let (mut well, mut interval_ns) = (true, INTERVAL_NS);
    // The first one warms up.
    for place in [0].into_iter().chain(0..SAMPLES) {
        let ticks = loop {
            let before = last.load(Relaxed);
            let at = libipc::now().0 + interval_ns + place as u64;
            well &= timer.set(Time(at)).is_ok();
            well &= raw::wait(notification).0 == 0;
            let (ticks, since) = (raw::ticks(), last.load(Relaxed));
            if since != before || !well {
                break ticks - since;
            }
            // A slow host: the time had passed before the spinner could run.
            interval_ns *= 2;
        };
        raw::shared()[SAMPLES_AT + place].store(ticks, Relaxed);
    }
    raw::signal(done, u64::from(well));
    loop {
        raw::wait(number(Notification(libipc::Handle(notification as u16))));
    }
}
