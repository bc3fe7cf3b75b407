//! A DOS session: the machine, DOS inside it, and the loop that drives both.
//!
//! [`Session::run`] lets the processor run in slices. Between them it keeps the BIOS's clock,
//! writes out what programs printed, and looks whether somebody asked the session to stop. Host
//! calls, the stubs that interrupt vectors point at, are answered in `dos` and `bios`.
//!
//! ```text
//!   F000:4n   0F n   host call n          vector n points here until a program hooks it
//!             CF     IRET                 (CB, RETF, for 25h and 26h)
//! ```

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::bios::clock::Alarm;
use crate::bios::fingers::Fingers;
use crate::breaking::Breaks;
use crate::cpu::{Coprocessor, Cpu, Exit, Model, bit};
use crate::dos::Dos;
use crate::host::{Host, HostError, StopRequest};
use crate::idle::{Idle, SPIN_SLICE};
use crate::memory::Extended;
use crate::screen::Screen;
use crate::{Bus, FarPointer, bios};

/// Instructions between two looks at the clock: about half a millisecond.
const SLICE: u32 = 60_000;
/// Instructions that a service counts for.
const SERVICE: u32 = 200;
/// The same where a program has the timer tick faster than this many ns.
const SHORT_SLICE: u32 = 8_000;
const FAST_TICK_NS: u64 = 5_000_000;
/// The same while an interrupt waits for the processor to let it.
const EAGER_SLICE: u32 = 100;

/// What in the environment takes the coprocessor away.
const NO_COPROCESSOR: &[u8] = b"COPROCESSOR=NONE";

/// How a session ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum End {
    /// The first program ended with this code.
    Exit(u8),
    /// Ctrl-C.
    Interrupted,
    /// Somebody asked it to end.
    Terminated,
    /// Standard output's reader is gone.
    BrokenPipe,
    /// The program could not be started or did something it cannot go on from; the text says what.
    Fault(String),
}

impl End {
    /// Returns the exit status of the session: a code up to 255, or 256 + the POSIX number of the
    /// signal that the end stands for, as the protocol `process` has it.
    pub fn status(&self) -> u16 {
        const SIGNAL: u16 = 256;
        match self {
            End::Exit(code) => (*code).into(),
            End::Interrupted => SIGNAL + 2,
            End::Terminated => SIGNAL + 15,
            End::BrokenPipe => SIGNAL + 13,
            End::Fault(_) => 255,
        }
    }
}

/// What a session starts.
#[derive(Clone, Debug, Default)]
pub struct Start {
    /// The working directory, absolute, in the host's form.
    pub directory: Vec<u8>,
    /// The program's path in the host's form, absolute or relative to `directory`.
    pub program: Vec<u8>,
    /// Its arguments, without the program's name.
    pub arguments: Vec<Vec<u8>>,
    /// The environment, `NAME=value`, as DOS programs shall see it.
    pub environment: Vec<Vec<u8>>,
    /// The DOS version that programs see, major and minor; nothing: 5.0.
    pub version: Option<(u8, u8)>,
    /// The processor.
    pub model: Model,
    /// Programs, as `NAME.EXE`, that are told another version (SETVER).
    pub versions: Vec<(Vec<u8>, (u8, u8))>,
    /// The number of the country whose form dates, times and money have; 0 or an unknown one: the USA.
    pub country: u16,
    /// The host's file that PRN prints to; empty: the usual one.
    pub printer: Vec<u8>,
    /// The host's file that AUX sends to; empty: none.
    pub auxiliary: Vec<u8>,
}

/// A virtual machine with DOS in it.
pub struct Session<H> {
    pub(crate) cpu: Cpu,
    pub(crate) bus: Bus,
    pub(crate) host: H,
    pub(crate) dos: Dos,
    pub(crate) screen: Screen,
    pub(crate) extended: Extended,
    end: Option<End>,
    /// A wait of INT 15h/86 that is not over.
    pub(crate) wait_until: Option<u64>,
    /// A wait of INT 15h/83 that is not over.
    pub(crate) alarm: Option<Alarm>,
    /// When the terminal is asked for keys again.
    pub(crate) next_keys: u64,
    pub(crate) fingers: Fingers,
    pub(crate) idle: Idle,
    /// Whether a host call is being answered: the frame on top of the stack is its caller's, and
    /// nothing may interrupt.
    pub(crate) in_service: bool,
    /// Instructions left before it looks around.
    budget: u32,
    /// Instructions executed so far.
    instructions: u64,
    pub(crate) breaks: Breaks,
}

impl<H: Host> Session<H> {
    /// Returns a booted machine; the first program is still to be started.
    pub fn new(mut host: H) -> Self {
        let mut bus = Bus::new();
        bios::install(&mut bus, &mut host);
        let dos = Dos::new(&mut bus, &mut host);
        Session {
            cpu: Cpu::default(),
            bus,
            host,
            dos,
            screen: Screen::default(),
            extended: Extended::default(),
            end: None,
            wait_until: None,
            alarm: None,
            next_keys: 0,
            fingers: Fingers::default(),
            idle: Idle::default(),
            in_service: false,
            budget: SLICE,
            instructions: 0,
            breaks: Breaks::default(),
        }
    }

    /// Starts a program and runs the session to its end.
    pub fn run(&mut self, start: &Start) -> End {
        if let Err(text) = self.start_first(start) {
            return End::Fault(text);
        }
        if !start.environment.iter().any(|variable| variable.eq_ignore_ascii_case(NO_COPROCESSOR)) {
            // Programs that find an 80387 take the processor for an 80386.
            self.cpu.set_coprocessor(match start.model {
                Model::I80386 => Coprocessor::I80387,
                Model::I8086 | Model::I80186 | Model::I80286 => Coprocessor::I80287,
            });
            bios::data::note_coprocessor(&mut self.bus);
        }
        self.remember_page();
        let end = loop {
            self.go_on();
            if let Some(end) = self.end.take() {
                break end;
            }
        };
        self.leave_screen();
        self.flush_output();
        self.close_everything();
        self.end.take().unwrap_or(end)
    }

    /// Runs the processor until it stops, does what it stopped for, and looks around when it is
    /// time: also where a program calls services all the time.
    fn go_on(&mut self) {
        let slice = self.slice().min(self.budget);
        let exit = self.run_processor(slice);
        let remaining = self.cpu.remaining();
        self.budget -= slice - remaining;
        let is_over = exit == Exit::Budget && remaining == 0;
        self.handle(exit);
        if is_over {
            self.end_what_computes();
        }
        if is_over && slice >= SPIN_SLICE && self.end.is_none() {
            self.look_for_spin();
        }
        if matches!(exit, Exit::HostCall(_)) {
            self.budget = self.budget.saturating_sub(SERVICE);
            self.let_interrupt();
        }
        if self.budget == 0 {
            self.budget = SLICE;
            if !is_over && self.end.is_none() {
                self.look_around();
                self.end_what_computes();
            }
        }
    }

    /// Executes a service's IRET and lets a device interrupt behind it: a program that calls one service
    /// after the other has interrupts on nowhere else.
    fn let_interrupt(&mut self) {
        if self.end.is_none() && self.bus.devices.wants_interrupt() {
            match self.run_processor(1) {
                Exit::Budget => self.deliver(),
                exit => self.handle(exit),
            }
        }
    }

    /// Runs the processor for at most that many instructions.
    pub(crate) fn run_processor(&mut self, instructions: u32) -> Exit {
        let exit = self.cpu.run(&mut self.bus, instructions);
        self.instructions += u64::from(instructions - self.cpu.remaining());
        exit
    }

    /// Does what the processor stopped for.
    pub(crate) fn handle(&mut self, exit: Exit) {
        match exit {
            Exit::Budget if self.cpu.remaining() > 0 => self.look_at_devices(),
            Exit::Budget => self.look_around(),
            Exit::HostCall(number) => {
                self.in_service = true;
                self.host_call(number);
                self.in_service = false;
                self.deliver();
            }
            Exit::Halt => self.halted(),
            Exit::Protected => self.refuse("wants protected mode, which is not here"),
            Exit::Limit => self.refuse("used an offset above FFFF"),
        }
    }

    /// Returns the host, for its owner to look at or to clean up.
    pub fn into_host(self) -> H {
        self.host
    }

    /// Returns whether the session ends after the current host call.
    pub(crate) fn has_ended(&self) -> bool {
        self.end.is_some()
    }

    /// Ends the session after the current host call; the first reason stands.
    pub(crate) fn finish(&mut self, end: End) {
        self.end.get_or_insert(end);
    }

    /// Ends the session with a text that names program, fault and address.
    pub(crate) fn fault(&mut self, what: &str, at: FarPointer) {
        let program = self.program_name();
        let text = format!("{program}: {what} at {:04X}:{:04X}", at.segment, at.offset);
        self.finish(End::Fault(text));
    }

    /// Ends the session at what no real mode has.
    fn refuse(&mut self, what: &str) {
        let at = self.cpu.next_instruction();
        self.fault(what, at);
    }

    /// Returns the address to which the current host call's IRET returns.
    pub(crate) fn caller(&self) -> FarPointer {
        self.bus.read_far(self.cpu.stack())
    }

    /// Sets or clears flags that the current host call's IRET restores.
    pub(crate) fn set_caller_flag(&mut self, flag: u16, set: bool) {
        let at = self.cpu.stack().add(4);
        let flags = self.bus.read16(at);
        self.bus.write16(at, if set { flags | flag } else { flags & !flag });
    }

    pub(crate) fn set_carry(&mut self, set: bool) {
        self.set_caller_flag(bit::CARRY, set);
    }

    /// Writes out what programs printed.
    pub(crate) fn flush_output(&mut self) {
        if let Err(HostError::Broken) = self.dos.output.flush(&mut self.host) {
            self.finish(End::BrokenPipe);
        }
    }

    /// Returns how many instructions it has executed.
    pub fn instructions(&self) -> u64 {
        self.instructions
    }

    /// Handles requests and the clock, between two slices.
    pub(crate) fn look_around(&mut self) {
        let now = self.host.monotonic();
        self.refresh_screen(now);
        self.flush_output();
        self.look_for_requests();
        self.look_at_devices();
    }

    /// Moves the devices' time on, and interrupts for those that want to.
    fn look_at_devices(&mut self) {
        let (now, time) = (self.host.monotonic(), self.host.time());
        self.advance_devices(now, time);
        let printed = self.bus.devices.parallel.take_printed();
        if !printed.is_empty() {
            // A printer that fails stays silent here: its port knows of no files.
            let _ = self.print_on_paper(&printed);
        }
        if self.bus.devices.keyboard.take_empty_look() {
            self.looked_in_vain();
        }
        // Ctrl-C, or an error that the next read meets as well.
        let _ = self.poll_keys();
        if self.bus.devices.keyboard.resets() {
            self.finish(End::Exit(0));
        }
        self.deliver();
    }

    /// Returns how many instructions may pass before the clock is looked at.
    fn slice(&self) -> u32 {
        if self.cpu.interrupts_held() {
            1
        } else if self.bus.devices.wants_interrupt() {
            EAGER_SLICE
        } else if self.idle.spins() {
            SPIN_SLICE
        } else if self.bus.devices.pit.period_ns() < FAST_TICK_NS {
            SHORT_SLICE
        } else {
            SLICE
        }
    }

    /// Takes up a request to stop.
    pub(crate) fn look_for_requests(&mut self) {
        match self.host.request() {
            None => {}
            Some(StopRequest::Terminate) => self.finish(End::Terminated),
            Some(StopRequest::Interrupt) => self.take_up_break(),
        }
    }

    fn halted(&mut self) {
        if !self.cpu.flags().interrupts_enabled() {
            let at = self.cpu.next_instruction();
            return self.fault("halted with interrupts off", at);
        }
        self.rest();
    }
}
