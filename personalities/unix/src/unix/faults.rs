//! Exceptions of programs: pages that can be had, and the signals for the rest.

use alloc::string::String;

use libipc::OpenCall;

use crate::linux::signals::{self, code};
use crate::machine::Access;
use crate::memory::Fault;
use crate::process::{Answer, Pid, ThreadNumber, Trap};
use crate::signal::Info;
use crate::unix::Unix;

/// The vector of page faults (Intel SDM 3A 6.15).
const PAGE_FAULT: u32 = 14;

/// What an exception becomes: the signal, its `si_code`, whether `si_addr` is the instruction, and
/// its name for people (vectors: Intel SDM 3A 6.15; codes: arch/x86/kernel/traps.c).
struct Exception {
    signal: u8,
    code: i32,
    has_address: bool,
    name: &'static str,
}

fn exception_of(vector: u32) -> Exception {
    let (signal, code, has_address, name) = match vector {
        0 => (signals::SIGFPE, code::DIVIDED_BY_ZERO, true, "division error"),
        1 => (signals::SIGTRAP, code::TRACED, true, "debug trap"),
        3 => (signals::SIGTRAP, code::KERNEL, false, "breakpoint"),
        4 => (signals::SIGSEGV, code::KERNEL, false, "overflow"),
        5 => (signals::SIGSEGV, code::KERNEL, false, "bound range exceeded"),
        6 => (signals::SIGILL, code::ILLEGAL_OPERAND, true, "invalid instruction"),
        12 => (signals::SIGBUS, code::KERNEL, false, "stack fault"),
        16 | 19 => (signals::SIGFPE, code::INVALID_NUMBER, true, "floating-point error"),
        17 => (signals::SIGBUS, code::MISALIGNED, false, "misaligned access"),
        _ => (signals::SIGSEGV, code::KERNEL, false, "general protection fault"),
    };
    Exception { signal, code, has_address, name }
}

/// Who is told on standard error why a process ends; the log tells it always.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Told {
    /// Who started it from a native program: a Linux parent has its status, as on Linux.
    Starter,
    /// Whoever reads it.
    All,
}

impl Unix {
    /// Tells why a process ends.
    pub(super) fn report_fault(&mut self, pid: Pid, signal: u8, what: &str, told: Told) {
        let Some(process) = self.processes.get(&pid) else { return };
        let is_told = told == Told::All || process.client.is_some();
        let name = process.display_name();
        let number = pid.0;
        let kind = signals::fault_name(signal);
        let line = alloc::format!("{name} (process {number}) ended: {kind}: {what}");
        self.machine.log(&line);
        if is_told {
            self.complain(pid, &line);
        }
    }

    /// Writes a line to what a process has as standard error.
    pub(crate) fn complain(&mut self, pid: Pid, line: &str) {
        let text = String::from(line) + "\n";
        let file = self.processes.get(&pid).and_then(|process| process.descriptors.file(2).ok());
        if let Some(file) = file {
            // A message that cannot be written now is lost; it stands in the log as well.
            let _ = crate::io::write_now(self, &file, text.as_bytes());
        }
    }

    /// Handles an exception of a thread: finds a page, or sends a signal.
    pub(super) fn exception(
        &mut self,
        number: ThreadNumber,
        call: OpenCall,
        vector: u32,
        words: &[u64; 6],
    ) {
        let [error, address, instruction, ..] = *words;
        let trap = Trap { vector: vector.into(), error, address };
        if let Some(thread) = self.threads.get_mut(&number) {
            let address = if vector == PAGE_FAULT { address } else { thread.trap.address };
            thread.trap = Trap { address, ..trap };
        }
        if vector == PAGE_FAULT {
            self.page_fault(number, call, trap, instruction);
        } else {
            let Exception { signal, code, has_address, name } = exception_of(vector);
            let value = if has_address { instruction } else { 0 };
            let info = Info { value, code, ..Info::of_system(signal) };
            self.force_signal(number, info, &alloc::format!("{name} at {instruction:#x}"));
        }
        self.leave(number, call, Answer::Registers);
    }

    fn page_fault(&mut self, number: ThreadNumber, call: OpenCall, trap: Trap, instruction: u64) {
        let wanted = wanted(trap.error);
        let address = trap.address;
        let pid = self.threads.get(&number).map(|thread| thread.pid);
        let mm = pid.and_then(|pid| self.processes.get(&pid)).and_then(|p| p.mm.clone());
        let fault = mm.map_or(Fault::NotMapped, |mm| {
            mm.borrow_mut().fault(&mut *self.machine, address, wanted)
        });
        let doing = doing(wanted);
        let what = alloc::format!("{doing} {address:#x} at {instruction:#x}");
        let (signal, code) = match fault {
            Fault::Resolved => return,
            // Somebody else's fault may have brought it meanwhile.
            Fault::Allowed if self.can_touch(call, address, wanted) => return,
            Fault::Allowed => return self.out_of_memory(number, &what),
            Fault::NotMapped => (signals::SIGSEGV, code::NOT_MAPPED),
            Fault::NoAccess => (signals::SIGSEGV, code::NO_ACCESS),
            Fault::BeyondEnd => (signals::SIGBUS, code::NO_SUCH_ADDRESS),
        };
        let info = Info { value: address, code, ..Info::of_system(signal) };
        self.force_signal(number, info, &what);
    }

    /// Returns whether a page of a caller's can be touched, by touching it.
    fn can_touch(&mut self, call: OpenCall, address: u64, wanted: Access) -> bool {
        let word = address & !3;
        let mut bytes = [0; 4];
        let reads = self.machine.copy_in(call, word, &mut bytes) == bytes.len();
        if wanted != Access::Write {
            return reads;
        }
        let value = u32::from_le_bytes(bytes);
        reads && self.machine.compare_exchange(call, word, value, value).is_ok()
    }
}

/// Returns the access that faulted (error code: Intel SDM 3A 4.7).
fn wanted(error: u64) -> Access {
    const WRITE: u64 = 2;
    const FETCH: u64 = 16;
    if error & FETCH != 0 {
        Access::Execute
    } else if error & WRITE != 0 {
        Access::Write
    } else {
        Access::Read
    }
}

/// Returns what a program was doing, for people.
fn doing(access: Access) -> &'static str {
    match access {
        Access::Execute => "executing",
        Access::Write => "writing",
        Access::Read | Access::None => "reading",
    }
}
