//! What the files of `/proc` say; their formats are those of proc(5).

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::Errno;
use crate::linux::structures::SECOND;
use crate::machine::Access;
use crate::memory::PAGE;
use crate::proc::{About, Entry, Global};
use crate::process::{Life, Pid, Process, State};
use crate::unix::Unix;

/// Clock ticks of a second (`USER_HZ`).
pub const TICKS: u64 = 100;

/// Returns the text of a file.
///
/// # Errors
/// ENOENT: its process is gone; EINVAL: it is no file.
pub fn text(unix: &mut Unix, entry: Entry) -> Result<Vec<u8>, Errno> {
    match entry {
        Entry::Global(global) => Ok(global_text(unix, global).into_bytes()),
        Entry::File(pid, about) => process_text(unix, pid, about),
        Entry::Root
        | Entry::Link(_)
        | Entry::Process(_)
        | Entry::ProcessLink(..)
        | Entry::Descriptors(_)
        | Entry::Descriptor(..)
        | Entry::Terminals
        | Entry::Terminal(_) => Err(Errno::EINVAL),
    }
}

fn global_text(unix: &mut Unix, global: Global) -> String {
    match global {
        Global::CpuInfo => "processor\t: 0\n\n".to_string(),
        Global::Kamen => crate::proc::own::text(unix),
        Global::FileSystems => "nodev\ttmpfs\nnodev\tproc\n".to_string(),
        Global::LoadAverage => {
            let running = unix.threads.values().filter(|t| t.state == State::Running).count();
            format!("0.00 0.00 0.00 {running}/{} {}\n", unix.threads.len(), unix.last_pid)
        }
        Global::MemInfo => {
            let (total, free) = unix.machine.memory();
            let (total, free) = (total / 1024, free / 1024);
            format!(
                "MemTotal: {total:>14} kB\nMemFree: {free:>15} kB\nMemAvailable: {free:>10} kB\n\
                 Buffers:               0 kB\nCached:                0 kB\nSwapCached:            \
                 0 kB\nShmem:                 0 kB\nSReclaimable:          0 kB\nSwapTotal:       \
                 \x20     0 kB\nSwapFree:              0 kB\n"
            )
        }
        Global::Stat => {
            let boot = unix.machine.boot_time() / SECOND;
            let idle = unix.machine.now() / (SECOND / TICKS);
            format!("cpu  0 0 0 {idle} 0 0 0 0 0 0\ncpu0 0 0 0 {idle} 0 0 0 0 0 0\nbtime {boot}\n")
        }
        Global::Uptime => {
            let hundredths = unix.machine.now() / (SECOND / 100);
            let (whole, part) = (hundredths / 100, hundredths % 100);
            format!("{whole}.{part:02} {whole}.{part:02}\n")
        }
        Global::Version => {
            format!("{} version {} (kamen)\n", crate::calls::SYSTEM, crate::calls::RELEASE)
        }
    }
}

fn process_text(unix: &mut Unix, pid: Pid, about: About) -> Result<Vec<u8>, Errno> {
    let time = run_time(unix, pid) / (SECOND / TICKS);
    let started = unix.processes.get(&pid).ok_or(Errno::ENOENT)?.started / (SECOND / TICKS);
    let process = unix.processes.get(&pid).ok_or(Errno::ENOENT)?;
    let name = process.display_name();
    let pages = process.mm.as_ref().map_or(0, |mm| mm.borrow().size_pages());
    Ok(match about {
        About::CommandLine => process.command_line.clone(),
        About::Name => (name + "\n").into_bytes(),
        About::Mounts => b"kamen / tmpfs rw 0 0\nproc /proc proc rw 0 0\n".to_vec(),
        About::Maps => maps(process).into_bytes(),
        About::StatM => format!("{pages} {pages} 0 0 0 {pages} 0\n").into_bytes(),
        About::Status => status(unix, process, &name, pages).into_bytes(),
        About::Stat => {
            let (terminal, foreground) = terminal(unix, process);
            format!(
                "{} ({name}) {} {} {} {} {terminal} {foreground} 0 0 0 0 0 {time} 0 {} 0 20 0 {} \
                 0 {started} {} {pages} 18446744073709551615 0 0 0 0 0 0 0 0 0 0 0 0 17 0 0 0 0 0 \
                 0 0 0 0 0 0 0 0 0\n",
                pid.0,
                state(unix, process),
                process.parent.0,
                process.group.0,
                process.session.0,
                process.children_time / (SECOND / TICKS),
                process.threads.len(),
                pages * PAGE,
            )
            .into_bytes()
        }
    })
}

/// Returns the device number of a process's terminal, and the group in its foreground.
fn terminal(unix: &Unix, process: &Process) -> (u32, i32) {
    let Some(line) = unix.terminals.of_session(process.session) else { return (0, -1) };
    let group = unix.terminals.control(line).foreground;
    (line.device(), group.map_or(-1, |group| group.0 as i32))
}

/// Returns the nanoseconds that a process's threads have run.
pub fn run_time(unix: &mut Unix, pid: Pid) -> u64 {
    let Some(process) = unix.processes.get(&pid) else { return 0 };
    let threads = process.threads.iter().filter_map(|number| unix.threads.get(number));
    let handles: Vec<_> = threads.map(|thread| thread.handle).collect();
    let ended = process.ended_time;
    let machine = &mut unix.machine;
    ended + handles.into_iter().map(|handle| machine.run_time(handle)).sum::<u64>()
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

fn status(unix: &Unix, process: &Process, name: &str, pages: u64) -> String {
    let state = match state(unix, process) {
        'Z' => "Z (zombie)",
        'T' => "T (stopped)",
        'R' => "R (running)",
        _ => "S (sleeping)",
    };
    let (user, group) = (process.credentials.user, process.credentials.group);
    let kib = pages * PAGE / 1024;
    format!(
        "Name:\t{name}\nUmask:\t{:04o}\nState:\t{state}\nTgid:\t{}\nPid:\t{}\nPPid:\t{}\n\
         TracerPid:\t0\nUid:\t{}\t{}\t{}\t{}\nGid:\t{}\t{}\t{}\t{}\nVmSize:\t{kib} kB\n\
         VmRSS:\t{kib} kB\nThreads:\t{}\n",
        process.umask,
        process.pid.0,
        process.pid.0,
        process.parent.0,
        user.real,
        user.effective,
        user.saved,
        user.effective,
        group.real,
        group.effective,
        group.saved,
        group.effective,
        process.threads.len(),
    )
}

fn maps(process: &Process) -> String {
    let mut text = String::new();
    let Some(mm) = &process.mm else { return text };
    for region in mm.borrow().regions() {
        let access = match region.access {
            Access::None => "---",
            Access::Read => "r--",
            Access::Write => "rw-",
            Access::Execute => "r-x",
        };
        text += &format!("{:08x}-{:08x} {access}p 00000000 00:00 0\n", region.start, region.end());
    }
    text
}
