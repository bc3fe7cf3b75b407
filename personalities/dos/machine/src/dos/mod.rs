//! DOS: its state, and the table of INT 21h functions.
//!
//! Each function is a method of [`Session`] in the file of its kind, reads its arguments from the
//! guest's registers and returns [`Call`]. An error becomes its code in AX with CF set; Ctrl-C
//! becomes interrupt 23h, after which the function starts anew.
//!
//! Functions and their registers: RBIL INT 21; which of them programs use, and how often, was
//! counted over 1,930 programs.

mod arena;
pub(crate) mod codepage;
mod command;
mod console;
mod countries;
pub(crate) mod country;
mod critical;
mod directory;
mod drivers;
mod drives;
mod error;
mod fcb;
mod files;
mod find;
mod foreign;
mod handles;
mod input;
mod ioctl;
mod labels;
pub(crate) mod layout;
mod lfn;
mod line;
mod load;
mod locks;
mod multiplex;
mod mz;
mod names;
mod open;
mod output;
mod paths;
mod printer;
mod process;
mod psp;
mod substitutes;
mod swap;
mod system;
mod tables;
mod texts;
pub(crate) mod time;
mod tree;

pub use arena::{Preference, Strategy};
pub use countries::countries;
pub use error::DosError;
pub use mz::{Mz, MzError};

use alloc::vec::Vec;

use crate::bus::{Bus, FarPointer};
use crate::calls::{BREAK_RETURN, CRITICAL_RETURN, DEVICE_REQUEST};
use crate::cpu::HOST_SEGMENT;
use crate::host::{FileTree, Host, HostError};
use crate::session::{End, Session};
use arena::Arena;
use console::BreakKey;
use files::{FileKind, Files};
use find::Searches;
use input::Input;
use output::Output;
use paths::{DriveState, Spelling};
use psp::Psp;

/// Why a function did not return normally.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Refusal {
    /// An error for the program.
    Error(DosError),
    /// Ctrl-C, or a request to end, came while it waited.
    Break,
    /// Another program runs now; registers and flags are its own.
    Switched,
    /// Standard output's reader is gone.
    BrokenPipe,
    /// No key was typed yet: the function begins anew after the next interrupt.
    Waiting,
}

impl From<DosError> for Refusal {
    fn from(error: DosError) -> Self {
        Refusal::Error(error)
    }
}

impl From<HostError> for Refusal {
    fn from(error: HostError) -> Self {
        match error {
            HostError::Interrupted => Refusal::Break,
            HostError::Broken => Refusal::BrokenPipe,
            error => Refusal::Error(error.into()),
        }
    }
}

/// What a function returns.
pub(crate) type Call = Result<(), Refusal>;

/// Functions that programs call at any time, and that leave the PSP's stack as it is (MS-DOS 4.0's
/// source, DISP.ASM, SAVREGS).
const KEEPS_STACK: [u8; 5] = [0x33, 0x50, 0x51, 0x62, 0x64];

/// The first function that is about drives; those before it are about characters.
const FIRST_ON_DRIVES: u8 = 0x0d;

/// Returns whether a function's number is beyond those of DOS 5, and none of those for long names.
fn is_beyond(function: u8) -> bool {
    const LAST: u8 = 0x6c;
    const LONG_NAMES: u8 = 0x71;
    function > LAST && function != LONG_NAMES
}

/// All that DOS knows and that programs do not find in memory.
pub(crate) struct Dos {
    pub(crate) psp: Psp,
    pub(crate) drive: u8,
    pub(crate) drives: Vec<DriveState>,
    pub(crate) output: Output,
    pub(crate) input: Input,
    /// The interpreters of COMMAND.COM.
    shells: command::Shells,
    files: Files,
    fcbs: fcb::Cache,
    locks: Vec<locks::ProgramLock>,
    searches: Searches,
    arena: Arena,
    strategy: Strategy,
    /// Bits of the strategy that prefer upper memory.
    upper_memory: u16,
    /// Whether a person has been asked about a critical error.
    is_asking: bool,
    transfer: FarPointer,
    version: (u8, u8),
    /// Programs that are told another version.
    versions: Vec<(Vec<u8>, (u8, u8))>,
    country: &'static countries::Country,
    printer: Vec<u8>,
    auxiliary: Vec<u8>,
    spelling: Spelling,
    long_searches: Vec<Option<lfn::Search>>,
    /// Exit code in the low byte, how the program ended in the high one (RBIL INT 21/AH=4D).
    exit: u16,
    verify: bool,
    break_check: bool,
    /// What programs added to the time, ns.
    time_offset: i64,
    /// Where the texts of errors are: extended, of arguments, critical, of file systems, and the routine
    /// that reads them from a disk (RBIL INT 2F/AX=122E).
    error_tables: [FarPointer; 5],
    /// Stack pointer to which a Ctrl-C handler's IRET comes back.
    break_stack: u16,
}

impl Dos {
    /// Returns DOS with its tables in memory and no program.
    pub(crate) fn new(bus: &mut Bus, host: &mut impl Host) -> Dos {
        tables::install(bus);
        let arena = Arena::create(bus, layout::FIRST_BLOCK, layout::UPPER_LINK);
        arena.create_upper(bus);
        let drives = host.files().drives();
        let first = drives.first().map_or(2, |drive| drive.number);
        let drives: Vec<DriveState> = drives.into_iter().map(DriveState::new).collect();
        tables::install_drives(bus, &drives, host.files().space());
        let dos = Dos {
            psp: Psp(layout::FIRST_BLOCK + 1),
            drive: first,
            drives,
            output: Output::new(host),
            input: Input::default(),
            shells: command::Shells::default(),
            files: Files::default(),
            fcbs: fcb::Cache::default(),
            locks: Vec::new(),
            searches: Searches::default(),
            arena,
            strategy: Strategy::default(),
            transfer: FarPointer::new(layout::FIRST_BLOCK + 1, 0x80),
            version: (5, 0),
            versions: Vec::new(),
            country: countries::USA,
            printer: Vec::new(),
            auxiliary: Vec::new(),
            spelling: Spelling::default(),
            long_searches: Vec::new(),
            upper_memory: 0,
            is_asking: false,
            exit: 0,
            verify: false,
            break_check: false,
            time_offset: 0,
            error_tables: texts::install(bus),
            break_stack: 0,
        };
        dos.lay_down(bus);
        dos
    }
}

impl<H: Host> Session<H> {
    /// Answers a host call of DOS: interrupts 20h to 2Fh, 30h (the way through PSP:5).
    pub(crate) fn dos_interrupt(&mut self, number: u8) {
        self.dos.take_up(&self.bus);
        if number == 0x30 || number == 0x21 && self.ah() >= FIRST_ON_DRIVES {
            self.follow_structures();
        }
        self.interrupt_service(number);
        self.dos.lay_down(&mut self.bus);
    }

    fn interrupt_service(&mut self, number: u8) {
        let called = match number {
            0x20 => {
                self.lay_registers();
                self.abort()
            }
            0x21 => return self.function_call(),
            0x22 => return self.first_program_ended(),
            0x23 => self.terminate(0, 1),
            0x24 => self.ask_about_error(),
            0x25 | 0x26 => self.refuse_absolute_disk(),
            0x27 => self.stay_resident_bytes(),
            0x28 => self.idle_interrupt(),
            0x29 => self.fast_output(),
            0x2e => self.command_without_shell(),
            0x2f => self.multiplex(),
            0x30 => return self.call_five(),
            BREAK_RETURN => return self.break_returned(),
            CRITICAL_RETURN => return self.critical_returned(),
            DEVICE_REQUEST => self.device_request(),
            _ => Ok(()),
        };
        match called {
            Err(Refusal::Waiting) => self.wait(number),
            called => self.settle(called),
        }
    }

    fn function_call(&mut self) {
        self.look_for_requests();
        if self.looks_for_break(self.ah()) && self.look_for_break() {
            return self.raise_break();
        }
        let function = self.ah();
        if !KEEPS_STACK.contains(&function) {
            self.lay_registers();
        }
        match self.function(function) {
            // The older functions, and what is none, leave CF as it was.
            Ok(()) if function < 0x38 || is_beyond(function) => {}
            Ok(()) => self.set_carry(false),
            Err(Refusal::Error(error)) if self.is_critical(error) => self.raise_critical(error),
            Err(Refusal::Error(error)) => {
                self.note_error(error);
                // The older functions tell of errors in ways of their own, or not at all: those on
                // characters do nothing where a handle is closed.
                if function >= 0x38 {
                    self.set_ax(error as u16);
                    self.set_carry(true);
                }
            }
            Err(Refusal::Waiting) => self.wait(0x21),
            refused => self.settle(refused),
        }
    }

    /// Returns whether a function looks for Ctrl-C before it does anything (RBIL INT 21/AH=33).
    fn looks_for_break(&mut self, function: u8) -> bool {
        match function {
            0x06 | 0x07 => false,
            0x01..=0x05 | 0x08..=0x0b => true,
            0x0c => !matches!(self.al(), 0x06 | 0x07),
            0x3f | 0x40 if self.is_console(self.bx()) => true,
            _ => self.dos.break_check,
        }
    }

    /// Returns whether a handle is the console, or a stream of the session's.
    fn is_console(&mut self, handle: u16) -> bool {
        let kind = self.entry(handle).and_then(|entry| Ok(self.dos.files.get(entry)?.kind));
        matches!(kind, Ok(FileKind::Console | FileKind::Stream(_)))
    }

    fn settle(&mut self, called: Call) {
        match called {
            Ok(()) | Err(Refusal::Switched | Refusal::Error(_) | Refusal::Waiting) => {}
            Err(Refusal::Break) => {
                self.dos.input.partial.clear();
                self.dos.input.editing = None;
                self.look_for_requests();
                if self.take_break() {
                    self.raise_break();
                }
                // Otherwise the session ends.
            }
            Err(Refusal::BrokenPipe) => self.finish(End::BrokenPipe),
        }
    }

    #[rustfmt::skip]
    fn function(&mut self, function: u8) -> Call {
        match function {
            0x00 => self.abort(),
            0x01 => self.character_input_echo(),
            0x02 => self.character_output(),
            0x03 => self.answer(0x1a),
            0x04 => self.auxiliary_output(),
            0x05 => self.printer_output(),
            0x06 => self.direct_console(),
            0x07 => self.character_input(BreakKey::Passes),
            0x08 => self.character_input(BreakKey::IsSeen),
            0x09 => self.string_output(),
            0x0a => self.buffered_input(),
            0x0b => self.input_status(),
            0x0c => self.flush_and_input(),
            0x0d => Ok(()),
            0x0e => self.select_drive(),
            0x0f => self.fcb_open(),
            0x10 => self.fcb_close(),
            0x11 => self.fcb_find_first(),
            0x12 => self.fcb_find_next(),
            0x13 => self.fcb_delete(),
            0x14 => self.fcb_read_sequential(),
            0x15 => self.fcb_write_sequential(),
            0x16 => self.fcb_create(),
            0x17 => self.fcb_rename(),
            0x19 => self.answer(self.dos.drive),
            0x1a => self.set_transfer_area(),
            0x1b | 0x1c => self.allocation_information(),
            0x1f | 0x32 => self.drive_parameters(),
            0x21 => self.fcb_read_random(),
            0x22 => self.fcb_write_random(),
            0x23 => self.fcb_file_size(),
            0x24 => self.fcb_set_random(),
            0x25 => self.set_vector(),
            0x26 => self.new_psp(),
            0x27 => self.fcb_read_block(),
            0x28 => self.fcb_write_block(),
            0x29 => self.fcb_parse(),
            0x2a => self.date(),
            0x2b => self.set_date(),
            0x2c => self.time_of_day(),
            0x2d => self.set_time_of_day(),
            0x2e => self.set_verify(),
            0x2f => self.transfer_area(),
            0x30 => self.version(),
            0x31 => self.stay_resident(),
            0x33 => self.break_control(),
            0x34 => self.in_dos_flag(),
            0x35 => self.vector(),
            0x36 => self.disk_space(),
            0x37 => self.switch_character(),
            0x38 => self.country(),
            0x39 => self.make_directory(),
            0x3a => self.remove_directory(),
            0x3b => self.change_directory(),
            0x3c => self.create_file(),
            0x3d => self.open_file(),
            0x3e => self.close_file(),
            0x3f => self.read_file(),
            0x40 => self.write_file(),
            0x41 => self.delete_file(),
            0x42 => self.seek_file(),
            0x43 => self.file_attributes(),
            0x44 => self.device_control(),
            0x45 => self.duplicate(),
            0x46 => self.duplicate_to(),
            0x47 => self.working_directory(),
            0x48 => self.allocate_memory(),
            0x49 => self.free_memory(),
            0x4a => self.resize_memory(),
            0x4b => self.execute(),
            0x4c => self.terminate(self.al(), 0),
            0x4d => self.exit_code(),
            0x4e => self.find_first(),
            0x4f => self.find_next(),
            0x50 => self.set_psp(),
            0x51 | 0x62 => self.current_psp(),
            0x52 => self.list_of_lists(),
            0x53 => self.make_parameters(),
            0x54 => self.answer(self.dos.verify as u8),
            0x55 => self.child_psp(),
            0x56 => self.rename_file(),
            0x57 => self.file_time(),
            0x58 => self.allocation_strategy(),
            0x59 => self.extended_error(),
            0x5a => self.create_temporary(),
            0x5b => self.create_new(),
            0x5c => self.lock_file(),
            0x5d => self.server_function(),
            0x5e => self.machine_name(),
            0x5f => self.redirection(),
            0x60 => self.canonical_path(),
            0x61 | 0x6b => self.answer(0),
            0x63 => self.double_byte_table(),
            0x64 => Ok(()),
            0x65 => self.national_language(),
            0x66 => self.code_page(),
            0x67 => self.set_handle_count(),
            0x68 | 0x6a => self.commit_file(),
            0x69 => self.serial_number(),
            0x6c => self.extended_open(),
            0x71 => self.long_names(),
            // Nothing else: an error would break programs that look at CF in vain.
            _ => self.answer(0),
        }
    }

    /// The far call at PSP:5: function CL; the near return address lies above the far one.
    fn call_five(&mut self) {
        let sp = self.cpu.stack();
        let (segment, offset) = (self.bus.read16(sp.add(2)), self.bus.read16(sp.add(4)));
        let flags = self.cpu.flags().word();
        // Six bytes came (far and near return address), six bytes an interrupt's frame takes.
        self.bus.write16(sp, offset);
        self.bus.write16(sp.add(2), segment);
        self.bus.write16(sp.add(4), flags);
        if self.cl() > 0x24 {
            return self.set_al(0);
        }
        let ax = self.ax() & 0xff | (self.cl() as u16) << 8;
        self.set_ax(ax);
        self.function_call();
    }

    /// Calls the program's Ctrl-C handler; IRET from it starts the function anew.
    fn raise_break(&mut self) {
        self.dos.break_stack = self.cpu.stack().offset;
        self.cpu.jump(FarPointer::new(HOST_SEGMENT, BREAK_RETURN as u16 * 4));
        self.cpu.interrupt(&mut self.bus, 0x23);
    }

    /// The handler returned: by IRET, or by RETF, which leaves the flags on the stack and asks with
    /// CF for the program's end.
    fn break_returned(&mut self) {
        let sp = self.cpu.stack().offset;
        if sp != self.dos.break_stack {
            self.cpu.set_register(crate::cpu::register::SP, self.dos.break_stack);
            if self.cpu.flags().word() & crate::cpu::bit::CARRY != 0 {
                let ended = self.terminate(0, 1);
                return self.settle(ended);
            }
        }
        self.cpu.jump(FarPointer::new(HOST_SEGMENT, 0x21 * 4));
    }
}
