//! Threads that wait for each other: deep call chains, crowds at one object, many deadlines.

use libipc::abi::{PAGE_SIZE, boot};
use libipc::{
    Endpoint, Error, Notification, Object, Quota, Rights, Space, Table, Thread, Time, now,
};

use super::{Operation, end};
use crate::raw;
use crate::world::{self, TOP, Where, World, number};

/// The group.
pub const OPERATIONS: &[Operation] = &[
    ("a chain of 200 calls, the first caller destroyed", |world| chain(world, 0)),
    ("a chain of 200 calls, one in the middle destroyed", |world| chain(world, LINKS / 2)),
    ("a chain of 200 calls, the last server destroyed", |world| chain(world, LINKS - 1)),
    ("a chain of 200 calls, its space destroyed", chain_in_a_space),
    ("a notification with 200 waiters, destroyed", crowd_at_notification),
    ("a notification with 200 waiters, signalled", signalled_crowd),
    ("an endpoint with 200 senders, priorities changed, destroyed", crowd_of_senders),
    ("an endpoint with 200 receivers, destroyed", crowd_of_receivers),
    ("200 open calls whose server's space is destroyed", open_calls),
    ("200 deadlines and 200 timers at one moment", deadlines),
];

const QUOTA: Quota = Quota(boot::QUOTA);
const LINKS: usize = 200;
const READ_WRITE: Rights = Rights::READ.union(Rights::WRITE);
const PAGE: u64 = PAGE_SIZE as u64;

/// Threads, and endpoints between them.
struct Crowd {
    threads: [Option<Thread>; LINKS],
    endpoints: [Option<Endpoint>; LINKS],
}

/// Waits at its own endpoint, and passes what it receives on to the next one.
extern "C" fn link(own: u64, next: u64, _: u64) -> ! {
    let request = raw::reply_receive(0, 0, [0; 6], own);
    raw::call(next, 0);
    raw::reply_receive(request.call, 0, [0; 6], own);
    idle()
}

extern "C" fn caller(endpoint: u64, _: u64, _: u64) -> ! {
    loop {
        raw::call(endpoint, 0);
    }
}

extern "C" fn receiver(endpoint: u64, _: u64, _: u64) -> ! {
    loop {
        raw::reply_receive(0, 0, [0; 6], endpoint);
    }
}

extern "C" fn waiter(notification: u64, _: u64, _: u64) -> ! {
    loop {
        raw::wait(notification);
    }
}

/// Waits until a moment, of which nobody wakes it before.
extern "C" fn sleeper(notification: u64, until: u64, _: u64) -> ! {
    let _ = Notification::from_handle(libipc::Handle(notification as u16)).wait(Time(until));
    idle()
}

fn idle() -> ! {
    loop {
        libipc::yield_now();
    }
}

/// Starts a chain: each thread has the call of the one before and waits for the one behind it.
fn start_chain(world: &mut World) -> Result<Crowd, Error> {
    let mut crowd = Crowd { threads: [None; LINKS], endpoints: [None; LINKS] };
    for endpoint in &mut crowd.endpoints {
        *endpoint = Some(QUOTA.create_endpoint()?);
    }
    for place in (0..LINKS).rev() {
        let handle = |place: usize| crowd.endpoints.get(place).copied().flatten().map(number);
        // The last one calls an endpoint at which nobody receives.
        let (own, next) = (handle(place).unwrap_or(0), handle(place + 1));
        let next = next.map_or_else(|| QUOTA.create_endpoint().map(number), Ok)?;
        crowd.threads[place] = Some(world.spawn(Where::Own, link, [own, next])?);
        libipc::yield_now();
    }
    let first = crowd.endpoints[0].map_or(0, number);
    world.spawn(Where::Own, caller, [first, 0])?;
    libipc::yield_now();
    Ok(crowd)
}

/// Destroys all that is left of a crowd.
fn disperse(crowd: Crowd) -> Result<(), Error> {
    crowd.threads.into_iter().flatten().try_for_each(end)?;
    crowd.endpoints.into_iter().flatten().try_for_each(end)
}

fn chain(world: &mut World, which: usize) -> Result<(), Error> {
    let mut crowd = start_chain(world)?;
    for place in [which, (which + 7) % LINKS] {
        crowd.threads[place].take().map_or(Ok(()), end)?;
        if let Some(endpoint) = crowd.endpoints[place].take() {
            end(endpoint)?;
        }
    }
    disperse(crowd)
}

/// A whole process of threads that call each other, and its end.
fn chain_in_a_space(world: &mut World) -> Result<(), Error> {
    let quota = QUOTA.create_quota(2048, 8000)?;
    let space = quota.create_space()?;
    let (code, at, pages) = world.code;
    space.map(code, 0, at, pages, Rights::READ.union(Rights::EXECUTE))?;
    let stacks = quota.create_memory(LINKS as u64)?;
    space.map(stacks, 0, STACKS, LINKS as u64, READ_WRITE)?;
    let mut own = number(quota.create_endpoint()?);
    for place in 0..LINKS as u64 {
        let next = number(quota.create_endpoint()?);
        let stack_end = STACKS + (place + 1) * PAGE;
        spawn(quota, space, link, [own, next], stack_end)?;
        own = next;
        libipc::yield_now();
    }
    end(quota)
}

const STACKS: u64 = 0x4100_0000_0000;

fn spawn(
    quota: Quota,
    space: Space,
    entry: world::Entry,
    [first, second]: [u64; 2],
    stack_end: u64,
) -> Result<Thread, Error> {
    let thread = quota.create_thread(space, Some(Table(boot::TABLE)))?;
    thread.write_registers(&world::registers(entry, [first, second, 0], stack_end))?;
    thread.set_priority(TOP)?;
    thread.start()?;
    Ok(thread)
}

/// Starts threads that do the same.
fn crowd(world: &mut World, entry: world::Entry, arguments: [u64; 2]) -> Result<Crowd, Error> {
    let mut crowd = Crowd { threads: [None; LINKS], endpoints: [None; LINKS] };
    for thread in &mut crowd.threads {
        *thread = Some(world.spawn(Where::Own, entry, arguments)?);
    }
    libipc::yield_now();
    Ok(crowd)
}

fn crowd_at_notification(world: &mut World) -> Result<(), Error> {
    let notification = QUOTA.create_notification()?;
    let crowd = crowd(world, waiter, [number(notification), 0])?;
    stop_all(&crowd, 4)?;
    notification.destroy()?;
    notification.delete()?;
    disperse(crowd)
}

fn signalled_crowd(world: &mut World) -> Result<(), Error> {
    let notification = QUOTA.create_notification()?;
    let crowd = crowd(world, waiter, [number(notification), 0])?;
    for _ in 0..LINKS {
        notification.signal(1)?;
    }
    libipc::yield_now();
    disperse(crowd)?;
    end(notification)
}

fn crowd_of_senders(world: &mut World) -> Result<(), Error> {
    let endpoint = QUOTA.create_endpoint()?;
    let crowd = crowd(world, caller, [number(endpoint), 0])?;
    for (place, thread) in crowd.threads.iter().flatten().enumerate() {
        thread.set_priority(place as u8 % TOP)?;
    }
    stop_all(&crowd, 4)?;
    endpoint.destroy()?;
    endpoint.delete()?;
    disperse(crowd)
}

fn crowd_of_receivers(world: &mut World) -> Result<(), Error> {
    let endpoint = QUOTA.create_endpoint()?;
    let crowd = crowd(world, receiver, [number(endpoint), 0])?;
    stop_all(&crowd, 4)?;
    endpoint.destroy()?;
    endpoint.delete()?;
    disperse(crowd)
}

/// Stops one thread of so many.
fn stop_all(crowd: &Crowd, step: usize) -> Result<(), Error> {
    crowd.threads.iter().flatten().step_by(step).try_for_each(|thread| thread.stop())
}

fn open_calls(world: &mut World) -> Result<(), Error> {
    let space = QUOTA.create_space()?;
    let (code, at, pages) = world.code;
    space.map(code, 0, at, pages, Rights::READ.union(Rights::EXECUTE))?;
    let stack = QUOTA.create_memory(1)?;
    space.map(stack, 0, STACKS, 1, READ_WRITE)?;
    let endpoint = QUOTA.create_endpoint()?;
    let crowd = crowd(world, caller, [number(endpoint), 0])?;
    spawn(QUOTA, space, receiver, [number(endpoint), 0], STACKS + PAGE)?;
    libipc::yield_now();
    end(space)?;
    end(endpoint)?;
    end(stack)?;
    disperse(crowd)
}

fn deadlines(world: &mut World) -> Result<(), Error> {
    let (nobodys, signalled) = (QUOTA.create_notification()?, QUOTA.create_notification()?);
    let moment = now().after_ms(50);
    let crowd = crowd(world, sleeper, [number(nobodys), moment.0])?;
    let mut timers = [None; LINKS];
    for timer in &mut timers {
        let new = QUOTA.create_timer(signalled, 1)?;
        new.set(moment)?;
        *timer = Some(new);
    }
    while now().0 < moment.after_ms(1).0 {}
    libipc::yield_now();
    signalled.wait(Time::FOREVER)?;
    timers.into_iter().flatten().try_for_each(end)?;
    disperse(crowd)?;
    end(nobodys)?;
    end(signalled)
}
