//! The files of `/proc/PID` (proc(5)).

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::Errno;
use crate::exec::NAME_MAX;
use crate::linux::flags::open;
use crate::linux::signals;
use crate::linux::structures::SECOND;
use crate::machine::Access;
use crate::memory::{PAGE, Purpose, Sharing};
use crate::proc::{About, Entry, TICKS, Text};
use crate::process::{Life, Limits, Pid, Process, Resource, RunTime, State, UNLIMITED};
use crate::unix::Unix;

/// Most bytes of a process's environment and auxiliary vector that are shown.
const MEMORY_SHOWN: u64 = crate::exec::ARGUMENTS_MAX as u64;

/// What is mounted: a line of `/proc/PID/mounts` without its two zeros, and of `mountinfo`.
const MOUNTS: [(&str, &str); 3] = [
    ("kamen / tmpfs rw", "1 0 0:1 / / rw - tmpfs kamen rw"),
    ("proc /proc proc rw", "2 1 0:2 / /proc rw - proc proc rw"),
    ("sysfs /sys sysfs ro", "3 1 0:3 / /sys ro - sysfs sysfs ro"),
];

/// Returns what a file about a process or one of its threads says.
///
/// # Errors
/// ENOENT: it is gone.
pub fn text(unix: &mut Unix, pid: Pid, tid: Pid, about: About) -> Result<Vec<u8>, Errno> {
    let process = unix.processes.get(&pid).ok_or(Errno::ENOENT)?;
    Ok(match about {
        About::CommandLine => process.command_line.clone(),
        About::Name => (process.display_name() + "\n").into_bytes(),
        About::Environment => memory(unix, pid, |process| process.environment)?,
        About::Auxiliary => memory(unix, pid, |process| process.auxiliary)?,
        About::Limits => limits(&process.limits).into_bytes(),
        About::Mounts => MOUNTS.map(|(line, _)| format!("{line} 0 0\n")).concat().into_bytes(),
        About::MountInfo => MOUNTS.map(|(_, line)| format!("{line}\n")).concat().into_bytes(),
        About::Maps => maps(process).into_bytes(),
        About::OomAdjustment => format!("{}\n", process.settings.oom_score_adjustment).into_bytes(),
        About::OomScore => {
            let adjustment = i32::from(process.settings.oom_score_adjustment);
            format!("{}\n", (666 + adjustment * 2 / 3).max(0)).into_bytes()
        }
        About::Personality => format!("{:08x}\n", process.settings.personality).into_bytes(),
        About::StatM => {
            let pages = pages(process);
            format!("{pages} {pages} 0 0 0 {pages} 0\n").into_bytes()
        }
        About::Status => status(unix, process, tid).into_bytes(),
        About::Stat => stat(unix, pid, tid)?.into_bytes(),
    })
}

/// Returns what `/proc/PID/fdinfo/N` says.
///
/// # Errors
/// ENOENT: it is gone.
pub fn descriptor(unix: &Unix, pid: Pid, number: u32) -> Result<Vec<u8>, Errno> {
    let process = unix.processes.get(&pid).ok_or(Errno::ENOENT)?;
    let slot = process.descriptors.slot(number.into()).map_err(|_| Errno::ENOENT)?;
    let file = slot.file.borrow();
    let close = if slot.close_on_exec { open::CLOSE_ON_EXEC } else { 0 };
    let (offset, flags) = (file.offset(), file.flags() | close);
    Ok(format!("pos:\t{offset}\nflags:\t0{flags:o}\nmnt_id:\t1\n").into_bytes())
}

/// Writes to a file of `/proc`; returns how many bytes were taken.
///
/// # Errors
/// EACCES: it cannot be written; EINVAL: it is no number, or too large, or the name of another
/// process; ESRCH: its process is gone.
pub fn write(unix: &mut Unix, file: &Text, bytes: &[u8]) -> Result<usize, Errno> {
    let (Entry::File(pid, about) | Entry::TaskFile(pid, _, about)) = file.entry() else {
        return Err(Errno::EACCES);
    };
    file.process(unix)?;
    let writer = unix.threads.get(&unix.acting).map(|thread| thread.pid);
    let process = unix.processes.get_mut(&pid).ok_or(Errno::ESRCH)?;
    match about {
        // A program's own name alone (`comm_write`, fs/proc/base.c).
        About::Name if writer != Some(pid) => return Err(Errno::EINVAL),
        About::Name => {
            let line = bytes.split(|&byte| byte == b'\n').next().unwrap_or(&[]);
            process.name = line[..line.len().min(NAME_MAX)].to_vec();
        }
        About::OomAdjustment => {
            let text = core::str::from_utf8(bytes).map_err(|_| Errno::EINVAL)?;
            let value: i16 = text.trim().parse().map_err(|_| Errno::EINVAL)?;
            if !(-1000..=1000).contains(&value) {
                return Err(Errno::EINVAL);
            }
            process.settings.oom_score_adjustment = value;
        }
        _ => return Err(Errno::EACCES),
    }
    Ok(bytes.len())
}

/// Returns how long a process's threads have run.
pub fn run_time(unix: &mut Unix, pid: Pid) -> RunTime {
    let Some(process) = unix.processes.get(&pid) else { return RunTime::default() };
    let threads = process.threads.iter().filter_map(|number| unix.threads.get(number));
    let handles: Vec<_> = threads.map(|thread| thread.handle).collect();
    let ended = process.ended_time;
    let machine = &mut unix.machine;
    ended + handles.into_iter().map(|handle| machine.run_time(handle)).sum::<RunTime>()
}

/// Returns how long one of a process's threads has run, or the process where it names that: the
/// first thread's number is the process's.
fn task_time(unix: &mut Unix, pid: Pid, tid: Pid) -> RunTime {
    let other = unix.threads.values().find(|one| one.pid == pid && one.tid == tid && tid != pid);
    match other.map(|thread| thread.handle) {
        Some(handle) => unix.machine.run_time(handle),
        None => run_time(unix, pid),
    }
}

fn pages(process: &Process) -> u64 {
    process.mm.as_ref().map_or(0, |mm| mm.borrow().size_pages())
}

/// Reads a range of a process's memory, up to the first page that is missing.
fn memory(
    unix: &mut Unix,
    pid: Pid,
    range: impl Fn(&Process) -> (u64, u64),
) -> Result<Vec<u8>, Errno> {
    let process = unix.processes.get(&pid).ok_or(Errno::ENOENT)?;
    let (mut at, end) = range(process);
    let end = end.min(at.saturating_add(MEMORY_SHOWN));
    let mut bytes = Vec::new();
    let Some(mm) = process.mm.clone() else { return Ok(bytes) };
    let mm = mm.borrow();
    while at < end {
        let Some(region) = mm.region_at(at) else { break };
        let len = (end.min(region.end()) - at) as usize;
        let offset = region.first_page * PAGE + at - region.start;
        let start = bytes.len();
        bytes.resize(start + len, 0);
        unix.machine.read_memory(region.backing.memory(), offset, &mut bytes[start..])?;
        at += len as u64;
    }
    Ok(bytes)
}

fn state(unix: &Unix, process: &Process) -> char {
    let runs = |number| unix.threads.get(number).is_some_and(|t| t.state == State::Running);
    match process.life {
        Life::Zombie(_) => 'Z',
        Life::Stopped(_) => 'T',
        Life::Running if process.threads.iter().any(runs) => 'R',
        Life::Running => 'S',
    }
}

fn stat(unix: &mut Unix, pid: Pid, tid: Pid) -> Result<String, Errno> {
    let tick = SECOND / TICKS;
    let time = task_time(unix, pid, tid);
    let (user, system) = (time.user / tick, time.system / tick);
    let process = unix.processes.get(&pid).ok_or(Errno::ENOENT)?;
    let (terminal, foreground) = terminal(unix, process);
    let (name, state, pages) = (process.display_name(), state(unix, process), pages(process));
    let (parent, group, session) = (process.parent.0, process.group.0, process.session.0);
    let nice = i32::from(process.settings.nice);
    let (priority, threads) = (20 + nice, process.threads.len());
    let RunTime { user: of_children, system: for_children } = process.children_time;
    let (of_children, for_children) = (of_children / tick, for_children / tick);
    let started = process.started / tick;
    let (bytes, most) = (pages * PAGE, process.limits.soft(Resource::Resident));
    let policy = process.settings.policy as u8;
    let (from, to) = process.environment;
    // The fields in the order of proc(5), those that are told as 0 among them.
    Ok(format!(
        "{} ({name}) {state} {parent} {group} {session} {terminal} {foreground} 0 0 0 0 0 {user} {system} \
         {of_children} {for_children} {priority} {nice} {threads} 0 {started} {bytes} {pages} {most} 0 0 0 0 0 0 0 \
         0 0 0 0 0 {} 0 0 {policy} 0 0 0 0 0 0 0 0 {from} {to} 0\n",
        tid.0, process.exit_signal
    ))
}

/// Returns the device number of a process's terminal, and the group in its foreground.
fn terminal(unix: &Unix, process: &Process) -> (u32, i32) {
    let Some(line) = unix.terminals.of_session(process.session) else { return (0, -1) };
    let group = unix.terminals.control(line).foreground;
    (line.device(), group.map_or(-1, |group| group.0 as i32))
}

fn status(unix: &Unix, process: &Process, tid: Pid) -> String {
    let state = match state(unix, process) {
        'Z' => "Z (zombie)",
        'T' => "T (stopped)",
        'R' => "R (running)",
        _ => "S (sleeping)",
    };
    let (name, pid, parent) = (process.display_name(), process.pid.0, process.parent.0);
    let mut text = format!(
        "Name:\t{name}\nUmask:\t{:04o}\nState:\t{state}\nTgid:\t{pid}\nNgid:\t0\nPid:\t{}\n\
         PPid:\t{parent}\nTracerPid:\t0\n",
        process.umask, tid.0
    );
    text += &identity(process);
    if process.mm.is_some() {
        let kib = pages(process) * PAGE / 1024;
        let locked = process.mm.as_ref().map_or(0, |mm| mm.borrow().locked_pages()) * PAGE / 1024;
        let lines =
            [("VmPeak", kib), ("VmSize", kib), ("VmLck", locked), ("VmHWM", kib), ("VmRSS", kib)];
        for (line, kib) in lines.into_iter().chain([("VmData", kib)]) {
            text += &format!("{line}:\t{kib:>8} kB\n");
        }
    }
    text + &signals_of(unix, process, tid) + &rights(process)
}

fn identity(process: &Process) -> String {
    let who = &process.credentials;
    let line = |name: &str, ids: crate::credentials::Ids| {
        format!("{name}:\t{}\t{}\t{}\t{}\n", ids.real, ids.effective, ids.saved, ids.files)
    };
    let groups: String = who.groups.iter().map(|group| format!("{group} ")).collect();
    let size = process.descriptors.iter().map(|(number, _)| number + 1).max().unwrap_or(0);
    let size = size.next_multiple_of(64);
    line("Uid", who.user)
        + &line("Gid", who.group)
        + &format!("FDSize:\t{size}\nGroups:\t{groups}\n")
}

fn signals_of(unix: &Unix, process: &Process, tid: Pid) -> String {
    let (mut ignored, mut caught) = (0u64, 0u64);
    for signal in 1..=signals::MAX {
        match process.actions.of(signal).handler {
            signals::DEFAULT => {}
            signals::IGNORE => ignored |= 1 << (signal - 1),
            _ => caught |= 1 << (signal - 1),
        }
    }
    let thread = unix.threads.values().find(|one| one.pid == process.pid && one.tid == tid);
    let (pending, blocked) = thread.map_or((0, 0), |one| (one.pending.set().0, one.mask.0));
    format!(
        "Threads:\t{}\nSigQ:\t0/{}\nSigPnd:\t{pending:016x}\nShdPnd:\t{:016x}\n\
         SigBlk:\t{blocked:016x}\nSigIgn:\t{ignored:016x}\nSigCgt:\t{caught:016x}\n",
        process.threads.len(),
        process.limits.soft(Resource::Signals),
        process.pending.set().0,
    )
}

fn rights(process: &Process) -> String {
    let sets = process.credentials.capabilities;
    format!(
        "CapInh:\t{:016x}\nCapPrm:\t{:016x}\nCapEff:\t{:016x}\nCapBnd:\t{:016x}\n\
         CapAmb:\t{:016x}\nNoNewPrivs:\t{}\nCpus_allowed:\t1\nCpus_allowed_list:\t0\n\
         voluntary_ctxt_switches:\t0\nnonvoluntary_ctxt_switches:\t0\n",
        sets.inheritable,
        sets.permitted,
        sets.effective,
        sets.bounding,
        sets.ambient,
        u8::from(process.settings.no_new_privileges),
    )
}

fn limits(limits: &Limits) -> String {
    let number = |value: u64| match value {
        UNLIMITED => "unlimited".to_string(),
        value => value.to_string(),
    };
    let mut text =
        format!("{:<26}{:<21}{:<21}{:<10}\n", "Limit", "Soft Limit", "Hard Limit", "Units");
    for (resource, name, unit) in Resource::ALL {
        let limit = limits.of(resource);
        let (soft, hard) = (number(limit.soft), number(limit.hard));
        text += &format!("{name:<26}{soft:<21}{hard:<21}{unit:<10}\n");
    }
    text
}

fn maps(process: &Process) -> String {
    let mut text = String::new();
    let Some(mm) = &process.mm else { return text };
    let mm = mm.borrow();
    let heap = mm.heap();
    for region in mm.regions() {
        let access = match region.access {
            Access::None => "---",
            Access::Read => "r--",
            Access::Write => "rw-",
            Access::Execute => "r-x",
        };
        let sharing = if region.sharing == Sharing::Shared { 's' } else { 'p' };
        let (offset, node, name) = match (&region.file, region.purpose) {
            (Some(file), _) => {
                let node = file.held.node().0 & 0xffff_ffff;
                let name = String::from_utf8_lossy(&file.path).into_owned();
                (region.first_page * PAGE, node, name)
            }
            (None, Purpose::Stack) => (0, 0, "[stack]".to_string()),
            (None, Purpose::System(name)) => (0, 0, name.to_string()),
            (None, Purpose::Ordinary) if heap.contains(&region.start) => {
                (0, 0, "[heap]".to_string())
            }
            (None, Purpose::Ordinary) => (0, 0, String::new()),
        };
        let (start, end) = (region.start, region.end());
        let line = format!("{start:08x}-{end:08x} {access}{sharing} {offset:08x} 00:01 {node:<8}");
        // Names begin at column 73 (proc(5)).
        text += format!("{line:<73}{name}").trim_end();
        text.push('\n');
    }
    text
}
