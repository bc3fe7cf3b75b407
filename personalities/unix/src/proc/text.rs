//! What the files of `/proc` say; their formats are those of proc(5).

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::Errno;
use crate::calls::system::VERSION;
use crate::calls::{RELEASE, SYSTEM};
use crate::linux::structures::SECOND;
use crate::proc::{Entry, Global, process, processor, tree};
use crate::process::{RunTime, State};
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
        Entry::Fixed(place) => tree::text(unix, place).ok_or(Errno::EINVAL),
        Entry::File(pid, about) | Entry::TaskFile(pid, _, about) => {
            let tid = if let Entry::TaskFile(_, tid, _) = entry { tid } else { pid };
            process::text(unix, pid, tid, about)
        }
        Entry::Info(pid, number) => process::descriptor(unix, pid, number),
        Entry::Root
        | Entry::Link(_)
        | Entry::Process(_)
        | Entry::ProcessLink(..)
        | Entry::Tasks(_)
        | Entry::Task(..)
        | Entry::Descriptors(_)
        | Entry::Descriptor(..)
        | Entry::Infos(_)
        | Entry::Terminals
        | Entry::Terminal(_) => Err(Errno::EINVAL),
    }
}

fn global_text(unix: &mut Unix, global: Global) -> String {
    match global {
        Global::CommandLine => "\n".to_string(),
        Global::CpuInfo => processor::text(),
        Global::Devices => "Character devices:\n  1 mem\n  5 /dev/tty\n  5 /dev/console\n\
                            \x20 5 /dev/ptmx\n136 pts\n\nBlock devices:\n"
            .to_string(),
        Global::FileSystems => "nodev\tsysfs\nnodev\ttmpfs\nnodev\tproc\n".to_string(),
        Global::Kamen => crate::proc::own::text(unix),
        Global::LoadAverage => {
            let running = unix.threads.values().filter(|t| t.state == State::Running).count();
            format!("0.00 0.00 0.00 {running}/{} {}\n", unix.threads.len(), unix.last_pid)
        }
        Global::MemInfo => memory(unix),
        Global::Partitions => "major minor  #blocks  name\n\n".to_string(),
        Global::Stat => statistics(unix),
        Global::Swaps => "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n".to_string(),
        Global::Uptime => {
            let hundredths = |ns: u64| {
                let all = ns / (SECOND / 100);
                format!("{}.{:02}", all / 100, all % 100)
            };
            let (_, idle) = times(unix);
            format!("{} {}\n", hundredths(unix.machine.now()), hundredths(idle))
        }
        Global::Version => format!("{SYSTEM} version {RELEASE} ({VERSION})\n"),
        Global::VmStat => {
            let (_, free) = unix.machine.memory();
            format!("nr_free_pages {}\npgfault 0\npgmajfault 0\n", free / crate::memory::PAGE)
        }
    }
}

/// The lines of `/proc/meminfo`; what there is nothing of is 0.
fn memory(unix: &mut Unix) -> String {
    let (total, free) = unix.machine.memory();
    let lines = [
        ("MemTotal", total),
        ("MemFree", free),
        ("MemAvailable", free),
        ("Buffers", 0),
        ("Cached", 0),
        ("SwapCached", 0),
        ("Active", 0),
        ("Inactive", 0),
        ("SwapTotal", 0),
        ("SwapFree", 0),
        ("Dirty", 0),
        ("Writeback", 0),
        ("AnonPages", total - free),
        ("Mapped", 0),
        ("Shmem", 0),
        ("Slab", 0),
        ("SReclaimable", 0),
        ("SUnreclaim", 0),
        ("CommitLimit", total),
        ("Committed_AS", total - free),
    ];
    let line = |(name, bytes): &(&str, u64)| {
        let name = format!("{name}:");
        format!("{name:<16}{:>8} kB\n", bytes / 1024)
    };
    lines.iter().map(line).collect()
}

/// Returns how long all Linux programs together have run, and what is left of the time since boot,
/// of all processors, in ns.
fn times(unix: &mut Unix) -> (RunTime, u64) {
    let handles: Vec<_> = unix.threads.values().map(|thread| thread.handle).collect();
    let living: RunTime = handles.into_iter().map(|one| unix.machine.run_time(one)).sum();
    let used = living + unix.ended_time;
    let all = unix.machine.now().saturating_mul(unix.machine.processors());
    (used, all.saturating_sub(used.total()))
}

/// `/proc/stat`: all time is one processor's; what Linux programs have not used counts as idle.
fn statistics(unix: &mut Unix) -> String {
    let boot = unix.machine.boot_time() / SECOND;
    let tick = SECOND / TICKS;
    let (used, idle) = times(unix);
    let (user, system, idle) = (used.user / tick, used.system / tick, idle / tick);
    let running = unix.threads.values().filter(|one| one.state == State::Running).count();
    let line = format!("{user} 0 {system} {idle} 0 0 0 0 0 0\n");
    format!(
        "cpu  {line}cpu0 {line}intr 0\nctxt 0\nbtime {boot}\nprocesses {}\nprocs_running {running}\n\
         procs_blocked 0\n",
        unix.last_pid
    )
}
