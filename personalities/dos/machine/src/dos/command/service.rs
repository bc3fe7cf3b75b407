//! The service behind COMMAND.COM: a shell's interpreter, what its stub shall do.
//!
//! The stub asks by INT 2Fh; the answer is in the registers of the interrupt that it shall execute.
//! A shell has an interpreter for its own lines, and while INT 2Eh is carried out a second one.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use dos_command::stub::{self, DATA, DATA_BYTES, TRANSFER};
use dos_command::{Reply, Request, Shell, System};

use super::Guest;
use crate::FarPointer;
use crate::cpu::register::DI;
use crate::dos::load::{Entry, LoadError, block_name};
use crate::dos::paths::PATH_MAX;
use crate::dos::process::ENDED_BY_BREAK;
use crate::dos::psp::{self, Psp};
use crate::dos::{Call, DosError, Refusal, fcb};
use crate::host::{Attributes, Host};
use crate::session::Session;

/// Where programs find themselves that are there without a file.
const FOLDER: &[u8] = b"C:\\";
/// What answers AE00 and AE01 gets (RBIL INT 2F/AX=AE00, tables 02977 and 02978): the line, with the
/// most and the number of its bytes and 0D, and the name, with its length and padded with blanks.
pub(super) const LINE_BUFFER: u16 = DATA;
pub(super) const LINE_MAX: u8 = 127;
pub(super) const NAME_BUFFER: u16 = DATA + 0x100;
pub(super) const NAME_MAX: u8 = 11;
/// Interpreters of one shell: its own, and that of INT 2Eh.
const LEVELS_MAX: usize = 2;

/// An interpreter, and the transfer area of who called INT 2Eh for it.
pub(crate) struct Level {
    shell: Shell,
    transfer: FarPointer,
}

/// The interpreters, by the segment of their shell's PSP.
pub(crate) type Shells = BTreeMap<u16, Vec<Level>>;

impl<H: Host> Session<H> {
    /// INT 2Fh of the stub: leaves the registers of what it shall execute.
    pub(in crate::dos) fn command_service(&mut self) -> Call {
        if self.ax() != stub::SERVICE || self.bx() != stub::SIGN {
            return Ok(());
        }
        let psp = self.dos.psp;
        let reply = Reply::of(self.cx(), self.dx());
        let mut levels = match reply {
            Reply::Start => Vec::new(),
            _ => self.dos.shells.remove(&psp.0).unwrap_or_default(),
        };
        if levels.is_empty() || reply == Reply::Command && levels.len() < LEVELS_MAX {
            levels.push(Level { shell: Shell::default(), transfer: self.dos.transfer });
        }
        let request = self.resume(psp, &mut levels, reply);
        let is_over = matches!(request, Request::Exit(_));
        let ended = if is_over { levels.pop() } else { None };
        match ended {
            Some(level) if !levels.is_empty() => {
                self.dos.transfer = level.transfer;
                self.set_ax(stub::RETURNED);
            }
            _ => self.ask(psp, request),
        }
        if !levels.is_empty() {
            self.dos.shells.insert(psp.0, levels);
        }
        Ok(())
    }

    /// INT 2Eh where no COMMAND.COM is the first program: an error before the line (RBIL INT 2E).
    pub(in crate::dos) fn command_without_shell(&mut self) -> Call {
        self.set_ax(0xffff);
        Ok(())
    }

    /// Lets the innermost interpreter go on.
    fn resume(&mut self, psp: Psp, levels: &mut [Level], reply: Reply) -> Request {
        let transfer = core::mem::replace(&mut self.dos.transfer, FarPointer::new(psp.0, TRANSFER));
        let mut guest = Guest { session: self, psp };
        if reply == Reply::Start && guest.is_first() && guest.tool().is_empty() {
            let handler = FarPointer::new(psp.0, stub::COMMAND_INTERRUPT);
            guest.session.bus.write_far(FarPointer::new(0, 0x2e * 4), handler);
        }
        let request = match levels.last_mut() {
            Some(level) => level.shell.resume(&mut guest, reply),
            None => Request::Exit(0),
        };
        self.dos.transfer = transfer;
        request
    }

    /// Puts what the stub shall do in registers and its memory.
    fn ask(&mut self, psp: Psp, request: Request) {
        match request {
            Request::Key => self.set_ax(0x0800),
            Request::Status => self.set_ax(0x0b00),
            Request::Read(handle) => {
                self.set_ax(0x3f00);
                self.set_bx(handle);
                self.set_cx(DATA_BYTES as u16);
                self.set_dx(DATA);
            }
            Request::Execute { path, tail } => self.ask_to_execute(psp, &path, &tail),
            Request::Extension { function, line, name } => {
                self.ask_extension(psp, function, &line, &name);
            }
            Request::Exit(code) => self.set_ax(0x4c00 | u16::from(code)),
        }
    }

    fn ask_extension(&mut self, psp: Psp, function: u16, line: &[u8], name: &[u8]) {
        let at = |offset| FarPointer::new(psp.0, offset);
        let line = &line[..line.len().min(LINE_MAX.into())];
        let name = &name[..name.len().min(NAME_MAX.into())];
        let sizes = [LINE_MAX + 1, line.len() as u8];
        self.bus.write(at(LINE_BUFFER), &[&sizes, line, b"\r"].concat());
        self.bus.write(at(NAME_BUFFER + 1), &[b' '; NAME_MAX as usize]);
        self.bus.write(at(NAME_BUFFER), &[&[name.len() as u8], name].concat());
        self.set_ax(function);
        self.set_bx(LINE_BUFFER);
        // CH tells the first question from the other one, CL has the length of tail or name.
        let is_question = function == 0xae00;
        let len = if is_question { line.len() - name.len() } else { name.len() };
        self.set_cx(len as u16 | if is_question { 0xff00 } else { 0 });
        self.set_dx(0xffff);
        self.set_si(NAME_BUFFER);
        self.cpu.set_register(DI, 0);
    }

    /// Returns the file of a program; nothing where it is one that needs none.
    pub(in crate::dos) fn program_at(
        &mut self,
        path: &[u8],
    ) -> Result<Option<Attributes>, Refusal> {
        match self.existing(path) {
            Ok((_, file)) => Ok(Some(file)),
            Err(Refusal::Error(DosError::FileNotFound | DosError::PathNotFound))
                if dos_command::resident(path).is_some() =>
            {
                Ok(None)
            }
            Err(refusal) => Err(refusal),
        }
    }

    /// Loads COMMAND.COM or one of its tools where no disk has it.
    pub(in crate::dos) fn load_resident(
        &mut self,
        path: &[u8],
        environment: &[u8],
        parent: Psp,
    ) -> Result<Entry, LoadError> {
        let name = file_name(path).to_ascii_uppercase();
        let file = dos_command::resident(path).ok_or(DosError::FileNotFound)?;
        let environment = self.make_environment(environment, &[FOLDER, &name].concat())?;
        let needed = psp::PARAGRAPHS * 2 + (file.len() as u16).div_ceil(16);
        let allocated = self.allocate_program(needed, u16::MAX, parent);
        let (psp, paragraphs) = match allocated {
            Ok(allocated) => allocated,
            Err(error) => {
                // Fails only where programs destroyed the chain; the first error tells more.
                let _ = self.dos.arena.free(&mut self.bus, environment);
                return Err(error);
            }
        };
        let arena = self.dos.arena;
        arena.set_owner(&mut self.bus, environment, psp.0, &[0; 8])?;
        arena.set_owner(&mut self.bus, psp.0, psp.0, &block_name(&name))?;
        psp.set_environment(&mut self.bus, environment);
        let code = FarPointer::new(psp.0, 0x100);
        self.bus.write(code, &file);
        let top = (u32::from(paragraphs) * 16).min(0x10000) as u16;
        let stack = FarPointer::new(psp.0, top.wrapping_sub(2));
        Ok(Entry { psp, code, stack })
    }

    /// Ends a program that was to be stopped by Ctrl-C and leaves that to its shell: also one that
    /// calls no DOS.
    pub(crate) fn end_what_computes(&mut self) {
        let handler = self.bus.read_far(FarPointer::new(0, 0x23 * 4)).segment;
        self.dos.take_up(&self.bus);
        let shells = &self.dos.shells;
        let is_meant = shells.contains_key(&handler) && !shells.contains_key(&self.dos.psp.0);
        if is_meant && self.take_break() {
            let ended = self.terminate(0, ENDED_BY_BREAK);
            self.settle(ended);
            self.dos.lay_down(&mut self.bus);
        }
    }

    fn ask_to_execute(&mut self, psp: Psp, path: &[u8], tail: &[u8]) {
        let at = |offset| FarPointer::new(psp.0, offset);
        // One that is too long is not cut, as it would be another one.
        let path = if path.len() < PATH_MAX { path } else { b"" };
        let tail = &tail[..tail.len().min(psp::TAIL_MAX)];
        self.bus.write(at(stub::PROGRAM), &[path, &[0]].concat());
        self.bus.write(at(stub::TAIL), &[&[tail.len() as u8], tail, b"\r"].concat());
        let mut rest = tail;
        for block in stub::BLOCKS {
            let (parsed, used) = fcb::parse_name(rest);
            self.bus.write(at(block), &parsed);
            rest = &rest[used..];
        }
        self.bus.write16(at(stub::PARAMETERS), 0);
        let [first, second] = stub::BLOCKS;
        for (place, to) in [(2, stub::TAIL), (6, first), (10, second)] {
            self.bus.write_far(at(stub::PARAMETERS + place), at(to));
        }
        self.set_ax(0x4b00);
        self.set_bx(stub::PARAMETERS);
        self.set_dx(stub::PROGRAM);
    }
}

/// Returns the name that a path ends with.
fn file_name(path: &[u8]) -> &[u8] {
    dos_command::split_path(path).1
}
