//! Waiting for children: wait4, waitid.

use crate::Errno;
use crate::calls::pidfd;
use crate::context::{Context, Stop, Wait};
use crate::linux::flags::{open, wait as flags};
use crate::linux::signals::{self, code};
use crate::linux::structures::{Fields, usage};
use crate::proc::run_time;
use crate::process::{Ending, Life, Pid, Process, Report, RunTime};
use crate::wake::Channel;

/// Which children are meant.
#[derive(Clone, Copy, Debug)]
enum Which {
    All,
    One(Pid),
    Group(Pid),
}

/// What a child has to report.
#[derive(Clone, Copy, Debug)]
enum State {
    Ended(Ending),
    Stopped(u8),
    Continued,
}

impl State {
    /// Returns the status that wait4(2) reports.
    fn status(self) -> u32 {
        match self {
            State::Ended(ending) => ending.wait_status(),
            State::Stopped(signal) => u32::from(signal) << 8 | 0x7f,
            State::Continued => 0xffff,
        }
    }

    /// Returns `si_code` and `si_status` of waitid(2).
    fn code(self) -> (i32, u32) {
        match self {
            State::Ended(Ending::Code(code)) => (code::CHILD_EXITED, code.into()),
            State::Ended(Ending::Signal(signal)) => (code::CHILD_KILLED, signal.into()),
            State::Stopped(signal) => (code::CHILD_STOPPED, signal.into()),
            State::Continued => (code::CHILD_CONTINUED, signals::SIGCONT.into()),
        }
    }
}

/// What a wait found.
struct Waited {
    pid: Pid,
    uid: u32,
    state: State,
    time: RunTime,
}

/// wait4(2)
pub fn wait4(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [which, status_at, bits, usage_at, ..] = context.words;
    let bits = bits & 0xffff_ffff;
    if bits & !(flags::NO_HANG | flags::STOPPED | flags::CONTINUED | flags::KINDS) != 0 {
        return Err(Errno::EINVAL.into());
    }
    let which = match which as i32 {
        -1 => Which::All,
        0 => Which::Group(context.own().group),
        i32::MIN => return Err(Errno::ESRCH.into()),
        which @ 1.. => Which::One(Pid(which as u32)),
        which => Which::Group(Pid(which.unsigned_abs())),
    };
    let Some(waited) = wait(context, which, bits | flags::EXITED)? else { return Ok(0) };
    context.copy_out_if(status_at, &waited.state.status().to_le_bytes())?;
    context.copy_out_if(usage_at, &usage(waited.time))?;
    Ok(waited.pid.0.into())
}

/// waitid(2)
pub fn waitid(context: &mut Context<'_>) -> Result<u64, Stop> {
    const ALL: u32 = 0;
    const PROCESS: u32 = 1;
    const GROUP: u32 = 2;
    const DESCRIPTOR: u32 = 3;
    let [kind, id, info_at, bits, usage_at, _] = context.words;
    let bits = bits & 0xffff_ffff;
    let states = flags::EXITED | flags::STOPPED | flags::CONTINUED;
    let known = states | flags::NO_HANG | flags::NO_WAIT | flags::KINDS;
    if bits & !known != 0 || bits & states == 0 {
        return Err(Errno::EINVAL.into());
    }
    let mut may_wait = true;
    let which = match (kind as u32, id as i32) {
        (ALL, _) => Which::All,
        (PROCESS, 1..) => Which::One(Pid(id as u32)),
        (GROUP, 0) => Which::Group(context.own().group),
        (GROUP, 1..) => Which::Group(Pid(id as u32)),
        (DESCRIPTOR, 0..) => {
            let file = context.file(id)?;
            let pid = pidfd::named(context, &file)?.ok_or(Errno::ECHILD)?;
            may_wait = file.borrow().flags() & open::NON_BLOCKING == 0;
            Which::One(pid)
        }
        _ => return Err(Errno::EINVAL.into()),
    };
    let waited = match wait(context, which, bits) {
        // waitid(2), EAGAIN: the descriptor does not wait.
        Err(Stop::Wait(_)) if !may_wait => return Err(Errno::EAGAIN.into()),
        waited => waited?,
    };
    let fields = Fields::default();
    let fields = match &waited {
        None => fields.zeros_to(28),
        Some(Waited { pid, uid, state, .. }) => {
            let (code, status) = state.code();
            let fields = fields.u32(signals::SIGCHLD.into()).u32(0).u32(code as u32).u32(0);
            fields.u32(pid.0).u32(*uid).u32(status)
        }
    };
    context.copy_out_if(info_at, &fields.0)?;
    if let Some(waited) = waited {
        context.copy_out_if(usage_at, &usage(waited.time))?;
    }
    Ok(0)
}

/// Finds a child with something to report; nothing where there is none and the call must not wait.
fn wait(context: &mut Context<'_>, which: Which, bits: u64) -> Result<Option<Waited>, Stop> {
    let parent = context.pid;
    let mut any = false;
    let mut found = None;
    for child in context.unix.processes.values().filter(|child| child.parent == parent) {
        if !is_meant(child, which, bits) {
            continue;
        }
        any = true;
        if let Some(state) = reported(child, bits) {
            found = Some((child.pid, child.credentials.user.real, state));
            break;
        }
    }
    match found {
        Some((pid, uid, state)) => {
            let time = run_time(context.unix, pid);
            if bits & flags::NO_WAIT == 0 {
                take_report(context, pid, time);
            }
            Ok(Some(Waited { pid, uid, state, time }))
        }
        None if !any => Err(Errno::ECHILD.into()),
        None if bits & flags::NO_HANG != 0 => Ok(None),
        None => Err(Stop::Wait(Wait::on(Channel::Children(parent)))),
    }
}

fn is_meant(child: &Process, which: Which, bits: u64) -> bool {
    // A "clone" child is one that does not send SIGCHLD at its end (wait(2), __WCLONE).
    let is_clone = child.exit_signal != signals::SIGCHLD;
    let wants_clones = bits & flags::CLONE != 0;
    let of_kind = bits & flags::ALL != 0 || is_clone == wants_clones;
    of_kind
        && match which {
            Which::All => true,
            Which::One(pid) => child.pid == pid,
            Which::Group(group) => child.group == group,
        }
}

fn reported(child: &Process, bits: u64) -> Option<State> {
    match (child.life, child.report) {
        (Life::Zombie(ending), _) => (bits & flags::EXITED != 0).then_some(State::Ended(ending)),
        (_, Some(Report::Stopped(signal))) if bits & flags::STOPPED != 0 => {
            Some(State::Stopped(signal))
        }
        (_, Some(Report::Continued)) if bits & flags::CONTINUED != 0 => Some(State::Continued),
        _ => None,
    }
}

/// Takes a child's report away, and with its end the child.
fn take_report(context: &mut Context<'_>, pid: Pid, time: RunTime) {
    let Some(child) = context.unix.processes.get_mut(&pid) else { return };
    if !child.is_zombie() {
        child.report = None;
        return;
    }
    let below = child.children_time;
    context.unix.processes.remove(&pid);
    context.process().children_time += time + below;
}
