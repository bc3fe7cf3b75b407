//! A foreign thread that two personalities hand to and fro.
//!
//! ```text
//!   caller ── system call ──> the first task ── HandOver ──> another server, in its own space
//!      ^                        ^      └── answer ──┐               │
//!      └────────────────────────│───────────────────┘               │
//!                               └──────────── HandOver ─────────────┘
//! ```

use libipc::{Error, Event, Handling, Kind, Object, Registers, Time};

use crate::code::{CALLER, HAND_BACK};
use crate::messages::number;
use crate::world::World;

/// System calls that go that way.
const CALLS: u64 = 300;
/// The badge with which [`HAND_BACK`] hands threads over.
const BACK: u64 = 3;
/// The number of the caller's system calls.
const NUMBER: u64 = 1000;

/// With the other personality on this processor.
pub fn here(world: &mut World) -> Result<bool, Error> {
    hand_over(world, 0)
}

/// With the other personality on the caller's processor, across which each call goes.
pub fn across(world: &mut World) -> Result<bool, Error> {
    hand_over(world, 1)
}

fn hand_over(world: &mut World, processor: u8) -> Result<bool, Error> {
    let other = world.quota.create_endpoint()?;
    let (idle, space) = (world.word(), world.another_space()?);
    let rbp = number(world.handler);
    let registers = Registers { rbx: number(other), rbp, ..Registers::default() };
    let server = world.thread(space, HAND_BACK, (idle, registers), processor)?;
    server.start()?;
    let (word, wrong) = (world.word(), world.word());
    let registers = Registers { rdi: NUMBER, rdx: wrong.address(), ..Registers::default() };
    let caller = world.start(CALLER, (word, registers), 1, Handling::Everything)?;
    // The first call has the handler's badge, all later ones that of whoever was handed it last.
    let mut badge = 1;
    for _ in 0..CALLS {
        let call = world.receive()?;
        let arrived = (call.kind, u64::from(call.number), call.caller.badge, call.words[0]);
        call.caller.call.hand_over(other, 7)?;
        let stale = call.caller.call.hand_over(other, 7) == Err(Error::StaleCall);
        let back = world.receive()?;
        let returned = (back.kind, u64::from(back.number), back.caller.badge, back.words[0]);
        let expected = |badge| (Kind::SystemCall, NUMBER, badge, NUMBER);
        if !stale || arrived != expected(badge) || returned != expected(BACK) {
            return Ok(false);
        }
        badge = BACK;
        world.answer(back.caller.call, NUMBER + 1);
    }
    let last = world.receive()?;
    caller.destroy()?;
    // Its last call was open: who has it is told.
    let told = matches!(world.inbox.receive(Time::NEVER_WAIT)?, Event::Cancelled(_));
    space.destroy()?;
    let counted = world.read(word)?;
    Ok(told && last.caller.badge == BACK && counted == CALLS && world.read(wrong)? == 0)
}
