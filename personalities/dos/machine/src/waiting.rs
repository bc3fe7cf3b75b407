//! Waiting: for keys, for the time, for an interrupt; and what interrupts the processor.
//!
//! A service that waits does not block in the host: its stub begins anew after each interrupt,
//! and the processor runs the handlers of programs meanwhile.
//!
//! ```text
//!   INT 16h ─► stub ─► no key ─► begin_anew ─► sleep until input or a tick ─► deliver ─► handler
//!               ▲                                                                          │
//!               └──────────────────────────────────────────────────────────────── IRET ────┘
//! ```

use crate::bios::{self, data};
use crate::cpu::bit;
use crate::devices::TIMER;
use crate::dos::Refusal;
use crate::host::{Host, HostError, Stream, Wait};
use crate::session::Session;

/// Longest sleep, ns: nothing is missed, it is only begun anew.
const SLEEP_NS: u64 = 1_000_000_000;
/// Shortest time between two looks at the terminal by a program that runs.
const KEYS_NS: u64 = 2_000_000;

impl<H: Host> Session<H> {
    /// Has the current interrupt's service begin anew, with interrupts on, as the services have
    /// them that wait.
    pub(crate) fn begin_anew(&mut self, number: u8) {
        self.cpu.jump(bios::stub(number));
        self.cpu.set_flags(self.cpu.flags().word() | bit::INTERRUPT);
    }

    /// Waits for whatever the current service lacks, and has it begin anew.
    pub(crate) fn wait(&mut self, number: u8) {
        self.begin_anew(number);
        if self.bus.devices.wants_interrupt() {
            return self.look_around();
        }
        if self.host.is_terminal(Stream::Input) || self.keyboard_due().is_some() {
            return self.sleep(None);
        }
        self.notice_stores();
        self.draw_screen();
        self.flush_output();
        // What ends the wait is looked at below.
        let _ = self.dos.input.fill(&mut self.host, Wait::Forever);
        self.look_around();
    }

    /// Sleeps until input, a request, a tick that a program wants, or that time.
    pub(crate) fn sleep(&mut self, until: Option<u64>) {
        self.notice_stores();
        self.draw_screen();
        self.flush_output();
        let now = self.host.monotonic();
        let tick = self.bus.devices.pit.next_tick().filter(|_| bios::tick_is_hooked(&self.bus));
        let alarm = self.alarm.map(|alarm| alarm.until());
        let clock = self.bus.devices.cmos.due(now);
        let events = [until, tick, alarm, clock, self.dos.input.escape_due(), self.keyboard_due()];
        let end = events.into_iter().flatten().fold(now + SLEEP_NS, u64::min);
        self.host.idle(end.saturating_sub(now).max(1));
        self.next_keys = 0;
        self.look_around();
    }

    /// Lets a program's idle loop rest until input, a request or the next tick.
    pub(crate) fn rest(&mut self) {
        let tick = self.bus.devices.pit.next_tick();
        self.sleep(tick);
    }

    /// Takes the next key; nothing at the terminal's end.
    ///
    /// # Errors
    /// [`Refusal::Waiting`] where none was typed.
    pub(crate) fn next_key(&mut self) -> Result<Option<u16>, Refusal> {
        self.idle.active();
        if let Some(key) = data::take_key(&mut self.bus) {
            return Ok(Some(key));
        }
        self.fingers_are_done();
        self.dos.input.is_wanted = true;
        self.next_keys = 0;
        self.poll_keys()?;
        if self.keys_have_ended() { Ok(None) } else { Err(Refusal::Waiting) }
    }

    /// Returns whether a key was typed, or none will be.
    ///
    /// # Errors
    /// [`Refusal::Waiting`] where interrupt 9 has first to run.
    pub(crate) fn key_is_ready(&mut self) -> Result<bool, Refusal> {
        if data::peek_key(&self.bus).is_some() {
            self.idle.active();
            return Ok(true);
        }
        self.fingers_are_done();
        self.dos.input.is_wanted = true;
        self.poll_keys()?;
        if self.bus.devices.wants_interrupt() {
            return Err(Refusal::Waiting);
        }
        if self.keys_have_ended() {
            return Ok(true);
        }
        self.looked_in_vain();
        Ok(false)
    }

    /// Forgets what was typed.
    pub(crate) fn clear_keys(&mut self) {
        self.dos.input.clear();
        data::clear_keys(&mut self.bus);
    }

    /// Moves what was typed to the keyboard, as far as it has room.
    pub(crate) fn poll_keys(&mut self) -> Result<(), HostError> {
        let is_wanted = self.dos.input.is_wanted
            || self.bus.devices.keyboard.is_read()
            || bios::is_hooked(&self.bus, 9);
        let now = self.host.monotonic();
        if !is_wanted && self.keyboard_due().is_none() {
            return Ok(());
        }
        if is_wanted && now >= self.next_keys {
            self.next_keys = now + KEYS_NS;
            self.dos.input.fill(&mut self.host, Wait::Never)?;
        }
        self.feed_keyboard(now);
        Ok(())
    }

    /// Returns when the keyboard has the next scan code, as far as that is known.
    fn keyboard_due(&self) -> Option<u64> {
        let keyboard = &self.bus.devices.keyboard;
        if keyboard.is_empty() { self.fingers_due() } else { keyboard.due() }
    }

    /// Tells the fingers that a key is looked for, unless the last one is still on its way.
    fn fingers_are_done(&mut self) {
        if self.bus.devices.keyboard.is_empty() {
            self.fingers.looked_in_vain();
        }
    }

    /// Returns when the fingers move next: not while a stroke finds no room.
    fn fingers_due(&self) -> Option<u64> {
        let (next, is_taken) = (self.dos.input.next(), data::peek_key(&self.bus).is_none());
        let has_room = next.is_none() || data::has_room(&self.bus);
        self.fingers.due(next, is_taken).filter(|_| has_room)
    }

    /// Gives the keyboard one stroke after the other: the next one when the last one is in the
    /// ring buffer.
    fn feed_keyboard(&mut self, now: u64) {
        if self.bus.devices.keyboard.is_empty() && self.fingers_due().is_some_and(|due| due <= now)
        {
            let mut codes = alloc::vec::Vec::new();
            match self.dos.input.take() {
                Some(stroke) => self.fingers.press(stroke, now, |code| codes.push(code)),
                None => self.fingers.lift(|code| codes.push(code)),
            }
            self.bus.devices.keyboard.press(&codes);
        }
        let time = self.host.time();
        self.advance_devices(now, time);
    }

    /// Returns whether nobody will type any more, and every key was taken.
    pub(crate) fn keys_have_ended(&self) -> bool {
        self.dos.input.has_ended()
            && self.bus.devices.keyboard.is_empty()
            && data::peek_key(&self.bus).is_none()
    }

    /// Moves the devices' time on and counts ticks that nobody wants to be interrupted for.
    pub(crate) fn advance_devices(&mut self, now: u64, time: u64) {
        self.bus.devices.keyboard.set_pace(bios::is_hooked(&self.bus, 9));
        let surplus = self.bus.devices.advance(now, time);
        bios::skip_ticks(&mut self.bus, surplus);
        if self.bus.devices.pic.is_masked(TIMER) {
            self.bus.devices.take_ticks();
        } else if !bios::tick_is_hooked(&self.bus) {
            let ticks = self.bus.devices.take_ticks();
            bios::skip_ticks(&mut self.bus, ticks);
        }
        self.ring_alarm(now);
    }

    /// Interrupts the processor, if it lets a device that wants to; after a host call, not in it.
    pub(crate) fn deliver(&mut self) {
        let lets = self.cpu.flags().interrupts_enabled() && !self.cpu.interrupts_held();
        if lets
            && !self.in_service
            && self.bus.devices.wants_interrupt()
            && let Some(vector) = self.bus.devices.interrupt()
        {
            self.cpu.interrupt(&mut self.bus, vector);
        }
    }
}
