//! DOS as COMMAND.COM's interpreter sees it.
//!
//! [`Guest`] carries out what the interpreter wants with the functions of INT 21h, in the shell's
//! process and with buffers in its memory, so that handles, searches and the environment are what
//! programs find there. The stub's side is in `service`.

mod labels;
mod memory;
mod service;

pub(crate) use service::Shells;

use alloc::vec;
use alloc::vec::Vec;

use dos_command::stub::{self, DATA, DATA_BYTES, PATHS, TRANSFER};
use dos_command::{
    Clock, Customs, Found, Input, Memory, Outcome, Refused, Setting, Stamp, Stop, System,
};

use super::files::FileKind;
use super::layout::COLLATING;
use super::paths::PATH_MAX;
use super::psp::{self, Psp};
use super::{DosError, Refusal, Strategy};
use crate::cpu::register::{AX, BX, CX, DI, DX, SI};
use crate::cpu::segment::{DS, ES};
use crate::host::Host;
use crate::session::Session;
use crate::{FarPointer, bios};

/// Environments grow in steps of so many paragraphs.
const ENVIRONMENT_STEP: u16 = 32;
/// Bytes that a shell's environment has left for programs' variables.
const ENVIRONMENT_SPARE: usize = 128;
/// Most entries that one search gives.
const FOUND_MAX: usize = u16::MAX as usize;
const NO_MORE_FILES: u16 = 0x12;
/// Of a millisecond.
const NANOSECONDS: u64 = 1_000_000;

/// Registers of a function.
#[derive(Clone, Copy, Default)]
struct Registers {
    ax: u16,
    bx: u16,
    cx: u16,
    dx: u16,
    di: u16,
}

/// DOS, for the interpreter of one shell.
pub(super) struct Guest<'s, H> {
    pub(super) session: &'s mut Session<H>,
    pub(super) psp: Psp,
}

impl<H: Host> Guest<'_, H> {
    fn at(&self, offset: u16) -> FarPointer {
        FarPointer::new(self.psp.0, offset)
    }

    /// Carries out a function of INT 21h with DS and ES of the shell.
    fn call(&mut self, given: Registers) -> Outcome<Registers> {
        let session = &mut *self.session;
        let saved = [AX, BX, CX, DX, SI, DI].map(|register| session.cpu.register(register));
        let given = [given.ax, given.bx, given.cx, given.dx, given.dx, given.di];
        for (register, value) in [AX, BX, CX, DX, SI, DI].into_iter().zip(given) {
            session.cpu.set_register(register, value);
        }
        let called = session.function(session.ah());
        let [ax, bx, cx, dx, _, di] =
            [AX, BX, CX, DX, SI, DI].map(|register| session.cpu.register(register));
        for (register, value) in [AX, BX, CX, DX, SI, DI].into_iter().zip(saved) {
            session.cpu.set_register(register, value);
        }
        for segment in [DS, ES] {
            session.cpu.set_segment(segment, self.psp.0);
        }
        match called {
            Ok(()) => Ok(Registers { ax, bx, cx, dx, di }),
            Err(Refusal::Error(error)) => Err(Refused::Error(error as u16)),
            Err(Refusal::BrokenPipe) => {
                self.session.settle(called);
                Err(Refused::Break)
            }
            Err(_) => Err(Refused::Break),
        }
    }

    /// Puts a path in the shell's memory and returns where it is; one that is too long is none: cut, it
    /// would name something else.
    fn path(&mut self, place: usize, path: &[u8]) -> Outcome<u16> {
        if path.len() >= PATH_MAX {
            return Err(Refused::Error(DosError::PathNotFound as u16));
        }
        let offset = PATHS[place];
        let at = self.at(offset);
        self.session.bus.write(at, &[path, &[0]].concat());
        Ok(offset)
    }

    /// Carries out a function on a path.
    fn on_path(&mut self, ax: u16, cx: u16, path: &[u8]) -> Outcome<Registers> {
        let dx = self.path(0, path)?;
        self.call(Registers { ax, cx, dx, ..Registers::default() })
    }

    /// Carries out a function on a handle.
    fn on_handle(&mut self, ax: u16, handle: u16) -> Outcome<Registers> {
        self.call(Registers { ax, bx: handle, ..Registers::default() })
    }

    fn simple(&mut self, ax: u16, dx: u16) -> Registers {
        self.call(Registers { ax, dx, ..Registers::default() }).unwrap_or_default()
    }

    pub(super) fn kind(&mut self, handle: u16) -> Option<FileKind> {
        let entry = self.session.entry(handle).ok()?;
        self.session.dos.files.get(entry).ok().map(|file| file.kind)
    }

    /// Returns the text behind its length.
    fn counted(&self, at: FarPointer, most: u8) -> Vec<u8> {
        let bus = &self.session.bus;
        let mut text = vec![0; bus.read8(at).min(most).into()];
        bus.read(at.add(1), &mut text);
        text
    }

    fn found(&self) -> Found {
        let at = self.at(TRANSFER);
        let bus = &self.session.bus;
        Found {
            name: self.session.read_string(at.add(0x1e), 13),
            attributes: bus.read8(at.add(0x15)),
            stamp: Stamp { time: bus.read16(at.add(0x16)), date: bus.read16(at.add(0x18)) },
            size: bus.read32(at.add(0x1a)),
        }
    }

    /// Returns the paragraphs of the environment's block.
    fn environment_paragraphs(&self, segment: u16) -> u16 {
        self.session.bus.read16(FarPointer::new(segment.wrapping_sub(1), 3))
    }

    /// Writes the environment into a block of so many bytes at least.
    fn write_environment(&mut self, strings: &[Vec<u8>], least: usize) -> Outcome<()> {
        let program = self.session.program_name();
        let mut block: Vec<u8> =
            strings.iter().flat_map(|string| [&string[..], &[0]].concat()).collect();
        if strings.is_empty() {
            block.push(0);
        }
        block.extend([&[0, 1, 0], program.as_bytes(), &[0]].concat());
        if block.len() > super::load::ENVIRONMENT_MAX {
            return Err(Refused::Error(DosError::InsufficientMemory as u16));
        }
        let bytes = block.len().max(least).min(super::load::ENVIRONMENT_MAX);
        let segment = self.environment_block((bytes as u16).div_ceil(16))?;
        self.session.bus.write(FarPointer::new(segment, 0), &block);
        Ok(())
    }

    /// Returns a segment with room for that many paragraphs of environment.
    fn environment_block(&mut self, paragraphs: u16) -> Outcome<u16> {
        let old = self.psp.environment(&self.session.bus);
        if old != 0 && self.environment_paragraphs(old) >= paragraphs {
            return Ok(old);
        }
        let paragraphs = paragraphs.next_multiple_of(ENVIRONMENT_STEP);
        let (session, owner) = (&mut *self.session, self.psp.0);
        let arena = session.dos.arena;
        let new = arena.allocate(&mut session.bus, paragraphs, owner, Strategy::First);
        let new = new.map_err(|(error, _)| Refused::Error(error as u16))?;
        if old != 0 {
            // A destroyed chain is the next allocation's error, as in DOS.
            let _ = arena.free(&mut session.bus, old);
        }
        self.psp.set_environment(&mut session.bus, new);
        Ok(new)
    }
}

impl<H: Host> System for Guest<'_, H> {
    fn write(&mut self, handle: u16, bytes: &[u8]) -> Outcome<usize> {
        let bytes = &bytes[..bytes.len().min(DATA_BYTES)];
        let at = self.at(DATA);
        self.session.bus.write(at, bytes);
        let cx = bytes.len() as u16;
        let given = Registers { ax: 0x4000, bx: handle, cx, dx: DATA, di: 0 };
        self.call(given).map(|done| done.ax as usize)
    }
    fn read(&mut self, handle: u16, into: &mut [u8]) -> Outcome<usize> {
        let cx = into.len().min(DATA_BYTES) as u16;
        let given = Registers { ax: 0x3f00, bx: handle, cx, dx: DATA, di: 0 };
        let count = self.call(given)?.ax.min(cx) as usize;
        let at = self.at(DATA);
        self.session.bus.read(at, &mut into[..count]);
        Ok(count)
    }
    fn typed(&mut self, count: usize) -> Vec<u8> {
        let mut bytes = vec![0; count.min(DATA_BYTES)];
        let at = self.at(DATA);
        self.session.bus.read(at, &mut bytes);
        bytes
    }
    fn open(&mut self, path: &[u8], mode: u8) -> Outcome<u16> {
        self.on_path(0x3d00 | u16::from(mode), 0, path).map(|done| done.ax)
    }
    fn create(&mut self, path: &[u8]) -> Outcome<u16> {
        self.on_path(0x3c00, 0, path).map(|done| done.ax)
    }
    fn create_temporary(&mut self, directory: &[u8]) -> Outcome<(u16, Vec<u8>)> {
        let handle = self.on_path(0x5a00, 0, directory)?.ax;
        Ok((handle, self.session.read_string(self.at(PATHS[0]), PATH_MAX)))
    }
    fn close(&mut self, handle: u16) {
        // A handle that is not open is closed.
        let _ = self.on_handle(0x3e00, handle);
    }
    fn seek(&mut self, handle: u16, position: u32) -> Outcome<()> {
        let (cx, dx) = ((position >> 16) as u16, position as u16);
        self.call(Registers { ax: 0x4200, bx: handle, cx, dx, di: 0 }).map(drop)
    }
    fn seek_end(&mut self, handle: u16) -> Outcome<u32> {
        let done = self.call(Registers { ax: 0x4202, bx: handle, ..Registers::default() })?;
        Ok(u32::from(done.dx) << 16 | u32::from(done.ax))
    }
    fn is_device(&mut self, handle: u16) -> bool {
        self.on_handle(0x4400, handle).is_ok_and(|done| done.dx & 0x80 != 0)
    }
    fn waits_for_keys(&mut self, handle: u16) -> bool {
        self.kind(handle) == Some(FileKind::Console)
    }
    fn input(&mut self) -> Input {
        match self.kind(0) {
            Some(FileKind::Console) => Input::Keys,
            Some(FileKind::Stream(_)) if self.session.host.echoes_input() => Input::Lines,
            _ => Input::File,
        }
    }
    fn table_entry(&mut self, handle: u16) -> u8 {
        let bus = &self.session.bus;
        self.psp.handle_at(bus, handle).map_or(psp::FREE, |at| bus.read8(at))
    }
    fn set_table_entry(&mut self, handle: u16, entry: u8) {
        if let Ok(at) = self.psp.handle_at(&self.session.bus, handle) {
            self.session.bus.write8(at, entry);
        }
    }
    fn stamp(&mut self, handle: u16) -> Outcome<Stamp> {
        let done = self.on_handle(0x5700, handle)?;
        Ok(Stamp { time: done.cx, date: done.dx })
    }
    fn set_stamp(&mut self, handle: u16, stamp: Stamp) -> Outcome<()> {
        let (cx, dx) = (stamp.time, stamp.date);
        self.call(Registers { ax: 0x5701, bx: handle, cx, dx, di: 0 }).map(drop)
    }
    fn find(&mut self, pattern: &[u8], attributes: u8) -> Outcome<Vec<Found>> {
        const NOTHING: [u16; 2] = [DosError::FileNotFound as u16, NO_MORE_FILES];
        let mut found = Vec::new();
        let mut searched = self.on_path(0x4e00, attributes.into(), pattern);
        while searched.is_ok() && found.len() < FOUND_MAX {
            found.push(self.found());
            searched = self.call(Registers { ax: 0x4f00, ..Registers::default() });
        }
        match searched {
            Err(Refused::Error(code)) if !NOTHING.contains(&code) => Err(Refused::Error(code)),
            Err(Refused::Break) => Err(Refused::Break),
            _ => Ok(found),
        }
    }
    fn attributes(&mut self, path: &[u8]) -> Outcome<u8> {
        self.on_path(0x4300, 0, path).map(|done| done.cx as u8)
    }
    fn set_attributes(&mut self, path: &[u8], attributes: u8) -> Outcome<()> {
        self.on_path(0x4301, attributes.into(), path).map(drop)
    }
    fn delete(&mut self, path: &[u8]) -> Outcome<()> {
        self.on_path(0x4100, 0, path).map(drop)
    }
    fn rename(&mut self, from: &[u8], to: &[u8]) -> Outcome<()> {
        let di = self.path(1, to)?;
        let dx = self.path(0, from)?;
        self.call(Registers { ax: 0x5600, dx, di, ..Registers::default() }).map(drop)
    }
    fn make_directory(&mut self, path: &[u8]) -> Outcome<()> {
        self.on_path(0x3900, 0, path).map(drop)
    }
    fn remove_directory(&mut self, path: &[u8]) -> Outcome<()> {
        self.on_path(0x3a00, 0, path).map(drop)
    }
    fn change_directory(&mut self, path: &[u8]) -> Outcome<()> {
        self.on_path(0x3b00, 0, path).map(drop)
    }
    fn directory(&mut self, drive: u8) -> Outcome<Vec<u8>> {
        self.session.current_directory(drive).map_err(|error| Refused::Error(error as u16))
    }
    fn drive(&mut self) -> u8 {
        self.session.dos.drive
    }
    fn select_drive(&mut self, drive: u8) -> bool {
        self.simple(0x0e00, drive.into());
        self.session.dos.drive == drive
    }
    fn true_name(&mut self, path: &[u8]) -> Outcome<Vec<u8>> {
        // AH=60 takes its path from DS:SI, which `call` sets to the same.
        let (dx, di) = (self.path(0, path)?, PATHS[1]);
        self.call(Registers { ax: 0x6000, dx, di, ..Registers::default() })?;
        Ok(self.session.read_string(self.at(di), PATH_MAX))
    }
    fn is_same_file(&mut self, one: &[u8], other: &[u8]) -> bool {
        let [one, other] = [one, other]
            .map(|path| self.session.existing(path).ok().map(|(_, attributes)| attributes.node));
        one.is_some() && one == other
    }
    fn free_bytes(&mut self, drive: u8) -> Option<u64> {
        let given = Registers { ax: 0x3600, dx: u16::from(drive) + 1, ..Registers::default() };
        let done = self.call(given).ok().filter(|done| done.ax != 0xffff)?;
        Some(u64::from(done.ax) * u64::from(done.bx) * u64::from(done.cx))
    }
    fn serial(&mut self, drive: u8) -> Option<u32> {
        let given =
            Registers { ax: 0x6900, bx: u16::from(drive) + 1, dx: DATA, ..Registers::default() };
        self.call(given).ok()?;
        Some(self.session.bus.read32(self.at(DATA + 2)))
    }
    fn environment(&mut self) -> Vec<Vec<u8>> {
        let segment = self.psp.environment(&self.session.bus);
        let strings = self.session.environment_strings(segment);
        let strings = strings.split(|byte| *byte == 0).filter(|string| !string.is_empty());
        strings.map(<[u8]>::to_vec).collect()
    }
    fn set_environment(&mut self, strings: &[Vec<u8>]) -> Outcome<()> {
        self.write_environment(strings, 0)
    }
    fn reserve_environment(&mut self, bytes: usize) -> Outcome<()> {
        let strings = self.environment();
        let used: usize = strings.iter().map(|string| string.len() + 1).sum();
        self.write_environment(&strings, bytes.max(used + ENVIRONMENT_SPARE))
    }
    fn clock(&mut self) -> Clock {
        let now = self.session.now();
        Clock {
            year: now.year,
            month: now.month,
            day: now.day,
            weekday: now.weekday,
            hour: now.hour,
            minute: now.minute,
            second: now.second,
            hundredth: now.hundredth,
        }
    }
    fn customs(&mut self) -> Customs {
        self.session.dos.country.customs
    }
    fn set_date(&mut self, year: u16, month: u8, day: u8) -> bool {
        let dx = u16::from_le_bytes([day, month]);
        let given = Registers { ax: 0x2b00, cx: year, dx, ..Registers::default() };
        self.call(given).is_ok_and(|done| done.ax as u8 == 0)
    }
    fn set_time(&mut self, hour: u8, minute: u8, second: u8, hundredth: u8) -> bool {
        let (cx, dx) =
            (u16::from_le_bytes([minute, hour]), u16::from_le_bytes([hundredth, second]));
        let given = Registers { ax: 0x2d00, cx, dx, ..Registers::default() };
        self.call(given).is_ok_and(|done| done.ax as u8 == 0)
    }
    fn set_label(&mut self, drive: u8, label: &[u8]) -> Outcome<()> {
        self.change_label(drive, label)
    }
    fn substitute(&mut self, drive: u8, path: Option<&[u8]>) -> Outcome<()> {
        let bx = u16::from(drive) + 1 + if path.is_some() { 0 } else { 0x100 };
        let dx = self.path(0, path.unwrap_or_default())?;
        self.call(Registers { ax: 0x71aa, bx, dx, ..Registers::default() }).map(drop)
    }
    fn substituted(&mut self, drive: u8) -> Option<Vec<u8>> {
        let (bx, dx) = (0x201 + u16::from(drive), PATHS[0]);
        self.call(Registers { ax: 0x71aa, bx, dx, ..Registers::default() }).ok()?;
        Some(self.session.read_string(self.at(dx), PATH_MAX))
    }
    fn milliseconds(&mut self) -> u64 {
        self.session.host.monotonic() / NANOSECONDS
    }
    fn rest(&mut self, milliseconds: u64) {
        let until = self.session.host.monotonic() + milliseconds * NANOSECONDS;
        self.session.sleep(Some(until));
    }
    fn memory(&mut self) -> Memory {
        self.session.memory_report()
    }
    fn version(&mut self) -> (u8, u8) {
        let [major, minor] = self.simple(0x3000, 0).ax.to_le_bytes();
        (major, minor)
    }
    fn setting(&mut self, setting: Setting) -> bool {
        match setting {
            Setting::Verify => self.simple(0x5400, 0).ax as u8 != 0,
            Setting::Break => self.simple(0x3300, 0).dx as u8 != 0,
        }
    }
    fn set_setting(&mut self, setting: Setting, on: bool) {
        match setting {
            Setting::Verify => self.simple(0x2e00 | u16::from(on), 0),
            Setting::Break => self.simple(0x3301, on.into()),
        };
    }
    fn code_page(&mut self) -> u16 {
        self.simple(0x6601, 0).bx
    }
    fn collating_weights(&mut self) -> [u8; 256] {
        core::array::from_fn(|byte| self.session.bus.read8(COLLATING.add(2 + byte as u16)))
    }
    fn exit_code(&mut self) -> (u8, u8) {
        let [code, how] = self.simple(0x4d00, 0).ax.to_le_bytes();
        (code, how)
    }
    fn tool(&mut self) -> Vec<u8> {
        self.counted(self.at(stub::TOOL), stub::TOOL_MAX as u8)
    }
    fn tail(&mut self) -> Vec<u8> {
        self.counted(self.at(0x80), psp::TAIL_MAX as u8)
    }
    fn command_line(&mut self) -> Vec<u8> {
        let at = self.session.bus.read_far(self.at(stub::LINE));
        let text = self.counted(at, psp::TAIL_MAX as u8);
        text.split(|byte| *byte == b'\r').next().unwrap_or_default().to_vec()
    }
    fn may_be_extended(&mut self) -> bool {
        bios::is_hooked(&self.session.bus, 0x2f)
    }
    fn extended(&mut self) -> (Vec<u8>, Vec<u8>) {
        let name = self.counted(self.at(service::NAME_BUFFER), service::NAME_MAX);
        let line = self.counted(self.at(service::LINE_BUFFER + 1), service::LINE_MAX);
        (name, line)
    }
    fn stop(&mut self) -> Stop {
        self.session.look_for_requests();
        if self.session.has_ended() {
            Stop::End
        } else if self.session.take_break() {
            Stop::Break
        } else {
            Stop::No
        }
    }
    fn is_first(&mut self) -> bool {
        let parent = self.psp.parent(&self.session.bus);
        parent.parent(&self.session.bus) == parent
    }
    fn is_foreign(&mut self, path: &[u8]) -> bool {
        self.session.is_foreign(path)
    }
    fn run_foreign(&mut self, path: &[u8], arguments: &[Vec<u8>]) -> Outcome<u8> {
        self.foreign_program(path, arguments)
    }
}
