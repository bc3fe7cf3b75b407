//! What happens when something becomes scarce: who has most of it gets no more.
//!
//! ```text
//!   |............... three quarters ...............|..... the last quarter .....|
//!    everybody may take                              everybody may, but for the    nobody
//!                                                    process group with the most
//! ```
//!
//! So a fork bomb, which lies in a group of its own where a shell started it as a job, leaves
//! processes to the others; so do hogs of open files, pipes, this server's heap and kernel objects.
//! Memory is not asked for but touched: when there is none, whoever has most ends
//! ([`Unix::out_of_memory`]).

use alloc::collections::BTreeMap;

use crate::Errno;
use crate::kept::{CHUNK, MAX_CHUNKS, MAX_FILES, Tables};
use crate::linux::signals;
use crate::machine::Access;
use crate::memory::Sharing;
use crate::open::{Kind, Object, OpenFile, Slot};
use crate::pipe::{MAX_PIPES, POOL};
use crate::process::{Ending, MAX_PROCESSES, MAX_THREADS, Pid, Process, ThreadNumber};
use crate::socket::Sockets;
use crate::table;
use crate::unix::Unix;
use crate::unix::faults::Told;

/// Calls that keep something between two questions to the kernel how much is charged.
const QUESTION: u32 = 32;

/// Bytes of this server's heap that a thing takes, about: structures of both sides of the maps
/// that they are in.
mod cost {
    pub const PROCESS: u64 = 4096;
    pub const THREAD: u64 = 768;
    pub const DESCRIPTOR: u64 = 256;
    pub const REGION: u64 = 192;
}

/// What is known of how scarce things are.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Scarcity {
    turn: u32,
    objects_are_scarce: bool,
}

impl Unix {
    /// Returns why a call may not be made now that would have this server keep more.
    pub(super) fn refused(&mut self, pid: Pid, number: u32) -> Option<Errno> {
        let keeps = table::keeps(number)?;
        let is_last_quarter = |used: usize, most: usize| used >= most - most / 4;
        if keeps == table::Keeps::Processes {
            let scarce = is_last_quarter(self.processes.len(), MAX_PROCESSES);
            if scarce && self.has_most(pid, |_| 1) {
                return Some(Errno::EAGAIN);
            }
            let scarce = is_last_quarter(self.threads.len(), MAX_THREADS);
            if scarce && self.has_most(pid, |process| process.threads.len() as u64) {
                return Some(Errno::EAGAIN);
            }
        }
        if keeps == table::Keeps::Files {
            if self.pipes.are_scarce() && self.has_most(pid, pipes) {
                return Some(Errno::ENFILE);
            }
            let Tables { files, chunks, .. } = self.kept;
            let scarce = is_last_quarter(files.len(), MAX_FILES as usize)
                || is_last_quarter(chunks.len(), MAX_CHUNKS as usize);
            if scarce && self.has_most(pid, open_files) {
                return Some(Errno::ENFILE);
            }
        }
        let (used, most) = self.machine.heap();
        if used > most
            || (used > most - most / 4
                && self.has_most(pid, |process| burden(&self.sockets, process)))
        {
            return Some(Errno::ENOMEM);
        }
        self.scarcity.turn = self.scarcity.turn.wrapping_add(1);
        if self.scarcity.turn.is_multiple_of(QUESTION) || self.scarcity.objects_are_scarce {
            let (_, used, most) = self.machine.charged();
            self.scarcity.objects_are_scarce = used > most - most / 4;
        }
        let scarce = self.scarcity.objects_are_scarce;
        (scarce && self.has_most(pid, objects)).then_some(Errno::ENOMEM)
    }

    /// Returns whether the processes of a process's group have most of something together.
    fn has_most(&self, pid: Pid, measure: impl Fn(&Process) -> u64) -> bool {
        let mut groups: BTreeMap<Pid, u64> = BTreeMap::new();
        for process in self.processes.values() {
            *groups.entry(process.group).or_default() += measure(process);
        }
        let own = self.processes.get(&pid).and_then(|process| groups.get(&process.group));
        own.is_some_and(|own| groups.values().all(|other| other <= own))
    }

    /// Has the process end that has most memory, since there is none for a page of `number`'s.
    pub(super) fn out_of_memory(&mut self, number: ThreadNumber, what: &str) {
        let living = self.processes.values().filter(|process| process.mm.is_some());
        let biggest = living.max_by_key(|process| private_pages(process)).map(|one| one.pid);
        let own = self.threads.get(&number).map(|thread| thread.pid);
        match biggest {
            Some(biggest) if Some(biggest) != own => {
                self.report_fault(
                    biggest,
                    signals::SIGKILL,
                    "out of memory: it has the most",
                    Told::All,
                );
                self.end_process(biggest, Ending::Signal(signals::SIGKILL));
            }
            _ => {
                let info = crate::signal::Info::of_system(signals::SIGKILL);
                self.force_signal(number, info, &alloc::format!("out of memory {what}"));
            }
        }
    }
}

/// Returns the pages that a process alone may have written.
fn private_pages(process: &Process) -> u64 {
    let Some(mm) = &process.mm else { return 0 };
    let mm = mm.borrow();
    let own = mm.regions().filter(|one| one.sharing == Sharing::Private);
    own.filter(|one| one.access == Access::Write).map(|one| one.pages).sum()
}

/// Returns about how many bytes of this server's heap a process takes.
fn burden(sockets: &Sockets, process: &Process) -> u64 {
    let held = |slot: &Slot| held_by(sockets, &slot.file.borrow());
    let files: u64 = process.descriptors.iter().map(|(_, slot)| held(slot)).sum();
    let regions = process.mm.as_ref().map_or(0, |mm| mm.borrow().regions().count());
    let threads = process.threads.len() as u64;
    cost::PROCESS
        + process.command_line.len() as u64
        + files
        + threads * cost::THREAD
        + regions as u64 * cost::REGION
}

/// Returns about how many bytes an open file takes: what a socket has sent and nobody has received
/// is its own.
fn held_by(sockets: &Sockets, file: &OpenFile) -> u64 {
    let contents = match &file.object {
        Object::Pipe(end) => end.len(),
        Object::Text(text) => text.len_bytes(),
        Object::Numbered(one) if one.kind() == Kind::Socket => {
            sockets.get(one.number()).map_or(0, |socket| socket.sent)
        }
        _ => 0,
    };
    cost::DESCRIPTOR + (contents + file.path.len()) as u64
}

/// Returns how much a process has of the pipes and of their bytes: of each the same share of all.
fn pipes(process: &Process) -> u64 {
    let share = |slot: &Slot| match &slot.file.borrow().object {
        Object::Pipe(end) => (POOL / MAX_PIPES + end.capacity()) as u64,
        _ => 0,
    };
    process.descriptors.iter().map(|(_, slot)| share(slot)).sum()
}

/// Returns about how many rows of the kept tables a process's open files take.
fn open_files(process: &Process) -> u64 {
    let rows = |slot: &Slot| 1 + slot.file.borrow().path.len().div_ceil(8 * CHUNK) as u64;
    process.descriptors.iter().map(|(_, slot)| rows(slot)).sum()
}

/// Returns about how many kernel objects a process takes.
fn objects(process: &Process) -> u64 {
    let mappings = process.mm.as_ref().map_or(0, |mm| mm.borrow().mappings());
    1 + (mappings + process.threads.len()) as u64
}

#[cfg(test)]
mod tests {
    use crate::Errno;
    use crate::fake::{Bench, SCRATCH};
    use crate::kept::MAX_FILES;
    use crate::linux::signals;
    use crate::process::{Ending, Life, MAX_PROCESSES, Pid};

    const CLOSE: u32 = 3;
    const PIPE: u32 = 22;
    const FORK: u32 = 57;
    const SETPGID: u32 = 109;

    /// Returns a shell and its child, which is alone in a group.
    fn shell_and_job() -> (Bench, Pid, Pid) {
        let mut bench = Bench::new();
        let shell = bench.launch();
        let job = Pid(bench.value(shell, FORK, &[]) as u32);
        assert_eq!(bench.value(job, SETPGID, &[0, 0]), 0);
        (bench, shell, job)
    }

    #[test]
    fn a_fork_bomb_leaves_processes_to_others() {
        let (mut bench, shell, bomb) = shell_and_job();
        while (bench.value(bomb, FORK, &[]) as i64) > 0 {}
        bench.error(bomb, FORK, &[], Errno::EAGAIN);
        assert_eq!(bench.unix.processes.len(), MAX_PROCESSES - MAX_PROCESSES / 4);
        assert!((bench.value(shell, FORK, &[]) as i64) > 0);
    }

    #[test]
    fn a_hog_of_the_heap_leaves_some_to_others() {
        let (mut bench, shell, hog) = shell_and_job();
        for _ in 0..20 {
            assert_eq!(bench.value(hog, PIPE, &[SCRATCH]), 0);
        }
        bench.machine.0.borrow_mut().heap = (1 << 20) * 7 / 8;
        bench.error(hog, PIPE, &[SCRATCH], Errno::ENOMEM);
        assert_eq!(bench.value(shell, PIPE, &[SCRATCH]), 0);
        bench.machine.0.borrow_mut().heap = 2 << 20;
        bench.error(shell, PIPE, &[SCRATCH], Errno::ENOMEM);
        assert_eq!(bench.value(shell, CLOSE, &[3]), 0);
    }

    #[test]
    fn a_hog_of_open_files_leaves_some_to_others() {
        const OPEN: u32 = 2;
        const GET_PID: u32 = 39;
        let (mut bench, shell, hog) = shell_and_job();
        let most = MAX_FILES as usize;
        bench.poke(hog, SCRATCH, b"/\0");
        bench.poke(shell, SCRATCH, b"/\0");
        let group: alloc::vec::Vec<Pid> =
            (0..10).map(|_| Pid(bench.value(hog, FORK, &[]) as u32)).collect();
        for &one in &group {
            while (bench.value(one, OPEN, &[SCRATCH, 0]) as i64) > 0 {}
        }
        let used = bench.unix.kept.files.len();
        assert!((most - most / 4..most - most / 8).contains(&used), "{used}");
        bench.error(hog, OPEN, &[SCRATCH, 0], Errno::ENFILE);
        assert_eq!(bench.value(hog, GET_PID, &[]), hog.0.into());
        assert!((bench.value(shell, OPEN, &[SCRATCH, 0]) as i64) > 0);
    }

    #[test]
    fn a_hog_of_pipes_leaves_some_to_others() {
        const FCNTL: u32 = 72;
        const SET_PIPE_SIZE: u64 = 1031;
        let (mut bench, shell, hog) = shell_and_job();
        while (bench.value(hog, PIPE, &[SCRATCH]) as i64) == 0 {}
        bench.error(hog, PIPE, &[SCRATCH], Errno::ENFILE);
        assert_eq!(bench.value(shell, PIPE, &[SCRATCH]), 0);
        let (mut bench, shell, hog) = shell_and_job();
        for _ in 0..20 {
            if bench.value(hog, PIPE, &[SCRATCH]) == 0 {
                let end = bench.peek(hog, SCRATCH, 1)[0];
                bench.value(hog, FCNTL, &[end.into(), SET_PIPE_SIZE, 1 << 20]);
            }
        }
        bench.error(hog, PIPE, &[SCRATCH], Errno::ENFILE);
        assert_eq!(bench.value(shell, PIPE, &[SCRATCH]), 0);
    }

    #[test]
    fn what_a_socket_has_sent_is_its_sender_s() {
        const WRITE: u32 = 1;
        const SOCKETPAIR: u32 = 53;
        let (mut bench, shell, hog) = shell_and_job();
        for _ in 0..20 {
            assert_eq!(bench.value(shell, PIPE, &[SCRATCH]), 0);
        }
        bench.machine.0.borrow_mut().heap = (1 << 20) * 7 / 8;
        bench.error(shell, PIPE, &[SCRATCH], Errno::ENOMEM);
        bench.machine.0.borrow_mut().heap = 0;
        assert_eq!(bench.value(hog, SOCKETPAIR, &[1, 1, 0, SCRATCH]), 0);
        let one = bench.peek(hog, SCRATCH, 1)[0];
        for _ in 0..30 {
            assert_eq!(bench.value(hog, WRITE, &[one.into(), SCRATCH, 4000]), 4000);
        }
        bench.machine.0.borrow_mut().heap = (1 << 20) * 7 / 8;
        bench.error(hog, PIPE, &[SCRATCH], Errno::ENOMEM);
        assert_eq!(bench.value(shell, PIPE, &[SCRATCH]), 0);
    }

    #[test]
    fn who_has_most_memory_ends_when_another_finds_none() {
        let (mut bench, shell, hog) = shell_and_job();
        bench.value(hog, 9, &[0, 64 << 20, 3, 0x22]);
        bench.unix.out_of_memory(bench.thread(shell), "writing 0x1000");
        let ended = Life::Zombie(Ending::Signal(signals::SIGKILL));
        assert_eq!(bench.unix.processes[&hog].life, ended);
        assert!(!bench.unix.processes[&shell].is_zombie());
    }
}
