//! Programs: start, end, stay resident, EXEC, and what DOS keeps of them.
//!
//! As in DOS, each call lays its caller's registers on the caller's stack, so that debuggers and
//! loaders that change PSPs find a parent's where they look:
//!
//! ```text
//!   PSP:2E ─► AX BX CX DX SI DI BP DS ES   IP CS flags (of its last INT 21h)
//!   PSP:0A of the child: where the parent goes on (IP and CS are taken from there)
//! ```

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::countries::{Country, USA};
use super::load::{Entry, LoadError};
use super::psp::{self, FREE, Psp};
use super::tree::from_host;
use super::{Call, DosError, Refusal, fcb, layout};
use crate::FarPointer;
use crate::cpu::register::{AX, BP, BX, CX, DI, DX, SI, SP};
use crate::cpu::segment::{DS, ES, SS};
use crate::cpu::{Cpu, HOST_SEGMENT, bit};
use crate::host::{Attributes, Host};
use crate::session::{End, Session, Start};

/// Registers that a parent's stack holds, from the last one pushed.
const SAVED: [usize; 7] = [AX, BX, CX, DX, SI, DI, BP];
/// Bytes of these, DS and ES.
const FRAME_BYTES: u16 = 2 * (SAVED.len() as u16 + 2);
/// Flags that programs start with, and that who started them goes on with.
const INITIAL_FLAGS: u16 = bit::INTERRUPT;
/// BP at a program's entry, as COMMAND.COM leaves it.
const INITIAL_BP: u16 = 0x091c;

/// Where a PSP's handles are.
const HANDLES: core::ops::Range<usize> = 0x18..0x2c;

/// Fewest paragraphs that stay resident (RBIL INT 21/AH=31).
const RESIDENT_LEAST: u16 = 6;

/// How a program ended (RBIL INT 21/AH=4D).
pub(super) const ENDED_BY_BREAK: u8 = 1;
const ENDED_RESIDENT: u8 = 3;

impl<H: Host> Session<H> {
    /// Makes the shell's PSP and starts the session's first program in it.
    pub(crate) fn start_first(&mut self, start: &Start) -> Result<(), String> {
        let name = String::from_utf8_lossy(&start.program).into_owned();
        if let Some(version) = start.version {
            self.dos.version = version;
        }
        self.cpu = Cpu::new(start.model);
        self.dos.versions = start.versions.clone();
        self.dos.country = Country::of(start.country).unwrap_or(USA);
        self.dos.printer = start.printer.clone();
        self.dos.auxiliary = start.auxiliary.clone();
        self.make_shell();
        if self.open_standard_handles().is_err() {
            return Err(format!("{name}: no memory for its handles"));
        }
        if !self.enter_host_directory(&start.directory) {
            // Programs then start at the root.
            self.set_directory(self.dos.drive, Vec::new());
        }
        let path = self.spelled(&start.program);
        let environment: Vec<_> = start.environment.iter().map(|text| from_host(text)).collect();
        let environment = environment.join(&0);
        let environment =
            if environment.is_empty() { environment } else { [&environment[..], &[0]].concat() };
        let parent = self.dos.psp;
        let loaded = match self.program_at(&path) {
            Ok(file) => self.load_found(file, &path, &environment, parent),
            Err(refusal) => Err(refusal.into()),
        };
        let entry = loaded.map_err(|error| format!("{name}: {}", reason(error)))?;
        if self.inherit_handles(parent, entry.psp).is_err() {
            return Err(format!("{name}: no memory for its handles"));
        }
        self.dos.psp = entry.psp;
        entry.psp.set_return_address(&mut self.bus, stub(0x22));
        let tail =
            start.arguments.iter().flat_map(|argument| [b" ", &from_host(argument)[..]].concat());
        let tail: Vec<u8> = tail.collect();
        entry.psp.set_tail(&mut self.bus, &tail);
        self.enter(entry, &tail);
        self.dos.lay_down(&mut self.bus);
        Ok(())
    }

    /// INT 22h of the shell: the first program has ended.
    pub(super) fn first_program_ended(&mut self) {
        let [code, how] = self.dos.exit.to_le_bytes();
        self.finish(if how == ENDED_BY_BREAK { End::Interrupted } else { End::Exit(code) });
    }

    /// AH=4B.
    pub(super) fn execute(&mut self) -> Call {
        let path = self.path_at(self.ds_dx())?;
        match self.al() {
            0 | 1 => {
                let load_only = self.al() == 1;
                let file = self.program_at(&path)?;
                self.execute_file(file, &path, load_only)
            }
            3 => {
                let parameters = self.es_bx();
                let (segment, factor) =
                    (self.bus.read16(parameters), self.bus.read16(parameters.add(2)));
                let (_, file) = self.existing(&path)?;
                self.load_overlay(file, segment, factor).map_err(refusal)
            }
            5 => Ok(()),
            _ => Err(DosError::InvalidFunction.into()),
        }
    }

    /// AH=31, 4C, INT 27h, Ctrl-C: ends the current program; its parent goes on.
    pub(super) fn terminate(&mut self, code: u8, how: u8) -> Call {
        self.terminate_at(self.dos.psp, code, how)
    }

    /// AH=00, INT 20h: the program whose PSP is at CS ends. Where there is none, the current one is meant.
    pub(super) fn abort(&mut self) -> Call {
        let caller = FarPointer::new(self.caller().segment, 0);
        let is_psp = self.bus.read16(caller) == psp::SIGNATURE;
        let ended = if is_psp { Psp(caller.segment) } else { self.dos.psp };
        self.terminate_at(ended, 0, 0)
    }

    /// Goes on where a PSP says. What the current program has is given back if that PSP is its own, and
    /// its parent is another one: debuggers and loaders make PSPs (AH=26) that own nothing, and a shell
    /// is its own parent (MS-DOS 4.0's source, CTRLC.ASM, reset_environment).
    fn terminate_at(&mut self, ended: Psp, code: u8, how: u8) -> Call {
        self.dos.exit = u16::from_le_bytes([code, how]);
        ended.restore_vectors(&mut self.bus);
        let current = self.dos.psp;
        let parent = current.parent(&self.bus);
        if ended == current && parent != current {
            if how != ENDED_RESIDENT {
                self.release_program(current);
            }
            self.dos.psp = parent;
        }
        self.dos.input.line.clear();
        self.dos.input.is_raw = false;
        let back = ended.return_address(&self.bus);
        self.return_to(self.dos.psp, back);
        Err(Refusal::Switched)
    }

    /// Gives back all that a program has that ends: also what it opened by FCBs and never closed
    /// (MS-DOS 4.0's ABORT.ASM).
    fn release_program(&mut self, ended: Psp) {
        self.forget_locks_of_program(ended.0);
        self.close_all(ended);
        self.close_fcbs_of(ended.0);
        self.end_searches_of(ended.0);
        self.dos.shells.remove(&ended.0);
        // A destroyed chain is the next allocation's error, as in DOS.
        let _ = self.dos.arena.free_all(&mut self.bus, ended.0);
    }

    /// AH=31.
    pub(super) fn stay_resident(&mut self) -> Call {
        self.keep_resident(self.dx(), self.al())
    }

    /// INT 27h: the length is in bytes.
    pub(super) fn stay_resident_bytes(&mut self) -> Call {
        self.keep_resident(self.dx().div_ceil(16), 0)
    }

    /// AH=4D: once.
    pub(super) fn exit_code(&mut self) -> Call {
        let exit = core::mem::take(&mut self.dos.exit);
        self.set_ax(exit);
        Ok(())
    }

    /// AH=26: a copy of the caller's segment, which has the arguments of a program if it is no PSP (that
    /// of COMMAND.COM 1.25); the handles of the current program come along, also where it is itself meant.
    pub(super) fn new_psp(&mut self) -> Call {
        let (from, to) = (Psp(self.caller().segment), Psp(self.dx()));
        let mut bytes = [0; 256];
        self.bus.read(FarPointer::new(from.0, 0), &mut bytes);
        if from == self.dos.psp || to == self.dos.psp {
            self.bus.read(self.dos.psp.table(&self.bus), &mut bytes[HANDLES]);
        }
        self.bus.write(FarPointer::new(to.0, 0), &bytes);
        let top = from.top(&self.bus);
        to.renew(&mut self.bus, top);
        Ok(())
    }

    /// AH=55: a PSP for a child, memory up to SI; it becomes the current one. Environment, version, FCBs and
    /// tail are the parent's (MS-DOS 4.0's source, MISC.ASM, $Dup_PDB).
    pub(super) fn child_psp(&mut self) -> Call {
        let (parent, child) = (self.dos.psp, Psp(self.dx()));
        let top = self.cpu.register(SI);
        let mut bytes = [0; 256];
        self.bus.read(FarPointer::new(parent.0, 0), &mut bytes);
        child.create(&mut self.bus, parent, top);
        for part in [0x2c..0x2e, 0x40..0x42, 0x5c..0x100] {
            self.bus.write(FarPointer::new(child.0, part.start as u16), &bytes[part]);
        }
        self.inherit_handles(parent, child)?;
        self.dos.psp = child;
        Ok(())
    }

    fn execute_file(&mut self, file: Option<Attributes>, path: &[u8], load_only: bool) -> Call {
        let parameters = self.es_bx();
        let parent = self.dos.psp;
        let environment = match self.bus.read16(parameters) {
            0 => parent.environment(&self.bus),
            segment => segment,
        };
        let environment = self.environment_strings(environment);
        let entry = self.load_found(file, path, &environment, parent).map_err(refusal)?;
        self.dos.input.is_raw = false;
        self.inherit_handles(parent, entry.psp)?;
        self.copy_parameters(parameters, entry.psp);
        let caller = self.caller();
        entry.psp.set_return_address(&mut self.bus, caller);
        // Who makes a PSP of its own finds it in the vector (MS-DOS 4.0's EXEC.ASM, exec_set_return).
        self.bus.write_far(FarPointer::new(0, 0x22 * 4), caller);
        if load_only {
            self.report_loaded(parameters, entry);
            return Ok(());
        }
        self.dos.psp = entry.psp;
        self.dos.transfer = FarPointer::new(entry.psp.0, 0x80);
        self.enter_registers(entry);
        Err(Refusal::Switched)
    }

    /// Copies what MS-DOS copies and as it does (4.0, EXEC.ASM `exec_set_PDB`): all 128 bytes of a
    /// tail, whatever its length says, and of the FCBs drive and name, with zeros behind them.
    /// Parents hand more over behind the 0D, or say by a length of 127 where else it is.
    fn copy_parameters(&mut self, parameters: FarPointer, child: Psp) {
        let [first, second] = child.fcbs();
        for (place, to, len) in [(2, child.tail(), 128), (6, first, 12), (10, second, 12)] {
            let from = self.bus.read_far(parameters.add(place));
            let mut bytes = [0; 128];
            self.bus.read(from, &mut bytes[..len]);
            self.bus.write(to, &bytes[..len.next_multiple_of(16)]);
        }
    }

    /// Loads a program: its file, or one that needs none.
    fn load_found(
        &mut self,
        file: Option<Attributes>,
        path: &[u8],
        environment: &[u8],
        parent: Psp,
    ) -> Result<Entry, LoadError> {
        match file {
            Some(file) => self.load_program(file, path, environment, parent),
            None => self.load_resident(path, environment, parent),
        }
    }

    /// AX=4B01: tells where the program would start; it becomes the current one.
    fn report_loaded(&mut self, parameters: FarPointer, entry: Entry) {
        // The word on the stack is AX at the entry.
        let stack = entry.stack.add(0u16.wrapping_sub(2));
        let validity = self.drive_validity(entry.psp);
        self.bus.write16(stack, validity);
        self.bus.write_far(parameters.add(0x0e), stack);
        self.bus.write_far(parameters.add(0x12), entry.code);
        self.dos.psp = entry.psp;
        self.dos.transfer = FarPointer::new(entry.psp.0, 0x80);
    }

    /// Lays the caller's registers below its stack, where its PSP points then: what a program that ends
    /// returns to, and what AX=1218 of INT 2Fh shows.
    pub(super) fn lay_registers(&mut self) {
        let stack = self.cpu.stack();
        let at = FarPointer::new(stack.segment, stack.offset.wrapping_sub(FRAME_BYTES));
        let registers = SAVED.map(|register| self.cpu.register(register));
        let segments = [DS, ES].map(|segment| self.cpu.segment(segment));
        for (place, value) in (0..).step_by(2).zip(registers.into_iter().chain(segments)) {
            self.bus.write16(at.add(place), value);
        }
        self.dos.psp.set_stack(&mut self.bus, at);
    }

    fn return_to(&mut self, program: Psp, back: FarPointer) {
        let stack = program.stack(&self.bus);
        self.cpu.set_segment(SS, stack.segment);
        self.cpu.set_register(SP, stack.offset);
        for register in SAVED {
            let value = self.cpu.pop(&self.bus);
            self.cpu.set_register(register, value);
        }
        for segment in [DS, ES] {
            let value = self.cpu.pop(&self.bus);
            self.cpu.set_segment(segment, value);
        }
        let _ip_cs_and_flags = [(); 3].map(|()| self.cpu.pop(&self.bus));
        self.cpu.set_flags(INITIAL_FLAGS);
        self.cpu.jump(back);
    }

    fn enter(&mut self, entry: Entry, tail: &[u8]) {
        self.dos.transfer = FarPointer::new(entry.psp.0, 0x80);
        let mut rest = tail;
        for to in entry.psp.fcbs() {
            let (parsed, used) = fcb::parse_name(rest);
            self.bus.write(to, &parsed);
            rest = &rest[used..];
        }
        self.enter_registers(entry);
    }

    fn enter_registers(&mut self, entry: Entry) {
        let validity = self.drive_validity(entry.psp);
        for (register, value) in [
            (AX, validity),
            (BX, 0),
            (CX, 0x00ff),
            (DX, entry.psp.0),
            (SI, entry.code.offset),
            (DI, entry.stack.offset),
            (BP, INITIAL_BP),
            (SP, entry.stack.offset),
        ] {
            self.cpu.set_register(register, value);
        }
        self.cpu.set_segment(DS, entry.psp.0);
        self.cpu.set_segment(ES, entry.psp.0);
        self.cpu.set_segment(SS, entry.stack.segment);
        self.cpu.set_flags(INITIAL_FLAGS);
        self.cpu.jump(entry.code);
    }

    /// Returns AX of a program's entry: FF in a half for an FCB whose drive is not there.
    fn drive_validity(&self, psp: Psp) -> u16 {
        u16::from_le_bytes(psp.fcbs().map(|at| {
            let drive = self.bus.read8(at);
            if self.drive_argument(drive).is_ok() { 0 } else { 0xff }
        }))
    }

    /// Makes the PSP that stands for COMMAND.COM: its own parent, with an empty frame on DOS's
    /// stack for the moment when the first program has ended.
    fn make_shell(&mut self) {
        let arena = self.dos.arena;
        let size = super::psp::PARAGRAPHS;
        let owner = layout::FIRST_BLOCK + 1;
        let strategy = super::Strategy::First;
        if arena.allocate(&mut self.bus, size, owner, strategy).is_ok() {
            // The block just allocated is there.
            let _ = arena.set_owner(&mut self.bus, owner, owner, b"COMMAND\0");
        }
        let shell = Psp(owner);
        shell.create(&mut self.bus, shell, owner + size);
        shell.set_return_address(&mut self.bus, stub(0x22));
        shell.set_version(&mut self.bus, self.dos.version);
        let stack = layout::STACK.add(0u16.wrapping_sub(FRAME_BYTES + 6));
        shell.set_stack(&mut self.bus, stack);
        self.dos.psp = shell;
    }

    fn keep_resident(&mut self, paragraphs: u16, code: u8) -> Call {
        let (psp, paragraphs) = (self.dos.psp, paragraphs.max(RESIDENT_LEAST));
        // A length that does not fit leaves the program's as it is, as in DOS.
        if self.dos.arena.resize(&mut self.bus, psp.0, paragraphs, psp.0).is_ok() {
            psp.set_top(&mut self.bus, psp.0 + paragraphs);
        }
        self.terminate(code, ENDED_RESIDENT)
    }

    fn inherit_handles(&mut self, parent: Psp, child: Psp) -> Call {
        for handle in 0..super::psp::TABLE_LEN.min(parent.table_len(&self.bus)) {
            let entry = self.bus.read8(parent.handle_at(&self.bus, handle)?);
            let inherited = self.dos.files.get(entry).is_ok_and(|file| !file.private);
            if inherited {
                self.dos.files.share(entry)?;
                let at = child.handle_at(&self.bus, handle)?;
                self.bus.write8(at, entry);
            }
        }
        Ok(())
    }

    fn close_all(&mut self, psp: Psp) {
        for handle in 0..psp.table_len(&self.bus) {
            let Ok(at) = psp.handle_at(&self.bus, handle) else {
                return;
            };
            let entry = self.bus.read8(at);
            self.bus.write8(at, FREE);
            // A byte that names nothing open is a free handle.
            let _ = self.release(entry);
        }
    }

    /// Returns the strings of an environment, each with its 0, without the empty one.
    pub(super) fn environment_strings(&self, segment: u16) -> Vec<u8> {
        let mut strings = Vec::new();
        let mut at = FarPointer::new(segment, 0);
        while segment != 0 && strings.len() < super::load::ENVIRONMENT_MAX {
            let string = self.read_string(at, super::load::ENVIRONMENT_MAX);
            if string.is_empty() {
                break;
            }
            at = at.add(string.len() as u16 + 1);
            strings.extend(string);
            strings.push(0);
        }
        strings
    }
}

/// Returns the stub of a vector.
fn stub(vector: u8) -> FarPointer {
    FarPointer::new(HOST_SEGMENT, vector as u16 * 4)
}

fn refusal(error: LoadError) -> Refusal {
    match error {
        LoadError::Refused(refusal) => refusal,
        LoadError::Format(_) => DosError::InvalidFormat.into(),
        LoadError::TooLarge => DosError::InsufficientMemory.into(),
    }
}

/// Returns why a program was not started, for a person.
fn reason(error: LoadError) -> &'static str {
    match error {
        LoadError::Format(text) => text,
        LoadError::TooLarge => "a .COM program can have 65,278 bytes at most",
        LoadError::Refused(Refusal::Error(error)) => match error {
            DosError::FileNotFound => "no such program",
            DosError::PathNotFound => "no such directory",
            DosError::AccessDenied => "not a file that can be executed",
            DosError::InsufficientMemory => "it needs more than 640 KiB of memory",
            DosError::InvalidEnvironment => "the environment is longer than 32 KiB",
            _ => "the file cannot be read",
        },
        LoadError::Refused(_) => "stopped before it started",
    }
}
