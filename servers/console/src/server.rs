//! What the console does when bytes can be moved: line, discipline, waiting calls, events.

use alloc::boxed::Box;

use kamen_kit::service::{Alarm, Attention};
use kamen_kit::tty::{OUTPUT_MAX, Readiness, Signal, Tty, default_modes, transparent_modes};
use libipc::{Message, Notification, OpenCall, now};
use protocols::console::{console_reply, event};
use protocols::stream::{StreamError, Wait, stream_reply};

use crate::escape::{Decoded, Decoder};
use crate::keeper::{Keeper, State};
use crate::listeners::Listeners;
use crate::parked::{Parked, Transfer};
use crate::ring::Ring;
use crate::settings::{Line, Settings};
use crate::uart::{Device, Input, Output, Uart};

/// Bytes that are moved to or from a caller in one copy.
const STEP_BYTES: usize = 2048;
/// Most bytes that one write moves, so that no caller keeps the server for long.
const WRITE_MAX: u64 = 64 * 1024;
/// How long output may stand still before those who wait for its end are told so.
const LIMIT_MS: u64 = 2000;
/// How often the chip is looked at for one interrupt.
const ROUNDS_MAX: usize = 64;

/// The console server.
#[derive(Debug)]
pub struct Server<D> {
    pub(crate) settings: Settings,
    pub(crate) tty: Tty,
    pub(crate) listeners: Listeners,
    pub(crate) parked: Parked,
    uart: Uart<D>,
    /// Comes when output has stood still for too long.
    limit: Alarm,
    /// Whom a break of the line is for.
    attention: Option<Notification>,
    ring: Ring,
    decoder: Decoder,
    /// Whether the input of a pipe has ended.
    has_ended: bool,
    /// Whether there is input, or another way to read it, of which nobody was told.
    pub(crate) has_news: bool,
    /// Whether somebody found no room for output since there last was some.
    is_awaited: bool,
}

impl<D: Device> Server<D> {
    /// Returns the server of a chip; `limit` tells of itself as [`Source::Limit`](crate::Source).
    pub fn new(uart: Uart<D>, settings: Settings, limit: Alarm) -> Self {
        let modes = match settings.line {
            Line::Terminal => default_modes(),
            Line::Pipe => transparent_modes(),
        };
        Server {
            settings,
            tty: Tty::new(modes),
            listeners: Listeners::default(),
            parked: Parked::default(),
            uart,
            limit,
            attention: None,
            ring: Ring::default(),
            decoder: Decoder::default(),
            has_ended: false,
            has_news: false,
            is_awaited: false,
        }
    }

    /// Takes up the state of an earlier life; `left` returns the notification of a place that is
    /// still there. Everybody who listens is told to look again.
    pub fn restore(&mut self, state: &[u8], left: impl Fn(u32) -> Option<Notification>) {
        let Some(state) = State::parse(state) else {
            libipc::log!("what the last life kept is malformed: modes and listeners are forgotten");
            return;
        };
        if self.settings.line == Line::Terminal {
            self.tty.set_modes(state.modes);
        }
        self.has_ended = state.has_ended;
        self.listeners.restore(&state.controllers, &state.watchers, left);
        self.listeners.tell_watchers(event::READABLE);
        self.settle();
    }

    /// Has the state kept from now on.
    pub fn kept_by(&mut self, keeper: impl Keeper + 'static) {
        self.listeners.kept_by(Box::new(keeper));
        self.remember();
    }

    /// Keeps the state for the next life, where it has changed.
    pub(crate) fn remember(&mut self) {
        if !core::mem::take(&mut self.listeners.has_changed) {
            return;
        }
        let records = self.listeners.records();
        let [controllers, watchers] = records.clone();
        let (has_ended, modes) = (self.has_ended, *self.tty.modes());
        let state = State { has_ended, modes, controllers, watchers };
        self.listeners.store(&records, &state.emit());
    }

    /// Has a break of the line signal a notification: somebody wants to know what goes on.
    pub fn with_attention(self, attention: Option<Notification>) -> Self {
        Server { attention, ..self }
    }

    /// Returns the chip.
    pub fn device_mut(&mut self) -> &mut D {
        self.uart.device_mut()
    }

    // ANCHOR: interrupted
    /// Handles an interrupt: moves bytes until the chip is quiet, or for so long that others are
    /// to have a turn.
    pub fn interrupted(&mut self) -> Attention {
        let mut attention = Attention::More;
        for _ in 0..ROUNDS_MAX {
            if !self.uart.is_interrupting() {
                attention = Attention::Done;
                break;
            }
            self.receive();
            self.pump();
        }
        if self.uart.take_break()
            && let Some(attention) = self.attention
        {
            // Whoever is told has gone with the system where this fails.
            let _ = attention.signal(1);
        }
        self.settle();
        attention
    }
    // ANCHOR_END: interrupted

    /// Forgets calls for whose answer nobody waits any more.
    pub fn forget(&mut self, cancelled: OpenCall) {
        self.parked.forget(cancelled);
    }

    /// Begins the time in which output must go on, for the first who waits for its end.
    pub(crate) fn limit_draining(&mut self) {
        if self.parked.drains.is_empty() {
            // Without the limit the drain is answered when output goes on.
            let _ = self.limit.set(now().after_ms(LIMIT_MS));
        }
    }

    /// Answers those who wait for the end of output: the host has stopped taking it.
    pub fn give_up_draining(&mut self) {
        let answer = console_reply::drain(Err(StreamError::Device));
        self.parked.drains.drain(..).for_each(|call| reply(call, &answer));
    }

    /// Returns whether a read that does not wait would be answered.
    pub(crate) fn is_readable(&self) -> bool {
        let has_enough = self.tty.readiness(usize::MAX) == Readiness::Ready;
        self.has_ended || (self.tty.has_input() && has_enough)
    }

    /// Returns whether a write that does not wait would move something.
    pub(crate) fn is_writable(&self) -> bool {
        self.ring.room() >= OUTPUT_MAX
    }

    /// Takes bytes from the line, as long as there is somewhere to put them.
    fn receive(&mut self) {
        let Server { uart, tty, ring, decoder, has_ended, settings, listeners, .. } = self;
        let has_news = &mut self.has_news;
        if is_full(tty, settings.line) {
            return;
        }
        let mut events = 0;
        uart.receive(|byte| {
            *has_news = true;
            let decoded = match settings.line {
                Line::Terminal => Decoded::Byte(byte),
                Line::Pipe => decoder.decode(byte),
            };
            match decoded {
                // After the end nothing counts.
                Decoded::Byte(_) if *has_ended => {}
                Decoded::Byte(byte) => events |= tty.receive(byte, ring).map_or(0, event_of),
                Decoded::End => {
                    *has_ended = true;
                    listeners.has_changed = true;
                    events |= event::HANGUP;
                }
                Decoded::Incomplete => {}
            }
            !is_full(tty, settings.line)
        });
        if events != 0 {
            listeners.tell_controller(events);
        }
    }

    /// Moves output to the line, as much as it takes, and says what to interrupt for.
    fn pump(&mut self) {
        let is_stopped = self.tty.is_stopped();
        while !is_stopped && !self.ring.is_empty() {
            let sent = self.uart.transmit(self.ring.front());
            if sent == 0 {
                break;
            }
            self.ring.consume(sent);
        }
        let is_idle = is_stopped || self.ring.is_empty();
        let input =
            if is_full(&self.tty, self.settings.line) { Input::Held } else { Input::Wanted };
        self.uart.set_interrupts(input, if is_idle { Output::Idle } else { Output::Waiting });
    }

    /// Answers waiting calls as far as possible, and tells who listens what can be done.
    pub(crate) fn settle(&mut self) {
        self.pump();
        self.settle_reads();
        self.settle_writes();
        self.settle_drains();
        if core::mem::take(&mut self.has_news) && self.is_readable() {
            self.listeners.tell_controller(event::READABLE);
            self.listeners.tell_watchers(event::READABLE);
        }
        if self.is_awaited && self.is_writable() {
            self.is_awaited = false;
            self.listeners.tell_watchers(event::READABLE);
        }
        self.remember();
    }

    fn settle_reads(&mut self) {
        while let Some(&read) = self.parked.reads.front() {
            let Some(result) = self.read(read, Wait::Yes) else { return };
            self.parked.reads.pop_front();
            reply(read.call, &stream_reply::read(result));
        }
    }

    fn settle_writes(&mut self) {
        while let Some(&write) = self.parked.writes.front() {
            let Some(result) = self.write(write) else { return };
            self.parked.writes.pop_front();
            reply(write.call, &stream_reply::write(result));
        }
    }

    fn settle_drains(&mut self) {
        while !self.parked.drains.is_empty() && self.is_drained() {
            if let Some(call) = self.parked.drains.pop_front() {
                reply(call, &console_reply::drain(Ok(())));
            }
        }
    }

    /// Returns whether all output has left the chip.
    pub(crate) fn is_drained(&mut self) -> bool {
        if self.ring.is_empty() {
            self.uart.finish();
        }
        self.ring.is_empty()
    }

    /// Answers a read, unless it has to wait.
    pub(crate) fn read(&mut self, read: Transfer, wait: Wait) -> Option<Result<u64, StreamError>> {
        let mut bytes = [0; STEP_BYTES];
        let len = usize::try_from(read.len).unwrap_or(usize::MAX).min(STEP_BYTES);
        let is_ready = self.tty.readiness(len) == Readiness::Ready
            || (wait == Wait::Never && self.tty.has_input());
        if !is_ready && !self.has_ended && len > 0 {
            return None;
        }
        let count = self.tty.read(&mut bytes[..len]);
        // There is room again for input that was held.
        self.pump();
        let copied = read.call.lease_write(read.lease, 0, &bytes[..count]);
        Some(copied.map(|()| count as u64).map_err(|_| StreamError::Device))
    }

    /// Takes output from a caller, unless there is no room at all.
    pub(crate) fn write(&mut self, write: Transfer) -> Option<Result<u64, StreamError>> {
        let mut bytes = [0; STEP_BYTES];
        let mut done = 0;
        while done < write.len.min(WRITE_MAX) {
            let room = (self.ring.room() / OUTPUT_MAX).min(STEP_BYTES);
            let len = usize::try_from(write.len - done).unwrap_or(usize::MAX).min(room);
            if len == 0 {
                break;
            }
            let step = &mut bytes[..len];
            if write.call.lease_read(write.lease, done, step).is_err() {
                return Some(if done > 0 { Ok(done) } else { Err(StreamError::Device) });
            }
            step.iter().for_each(|&byte| self.tty.output(byte, &mut self.ring));
            done += len as u64;
            self.pump();
        }
        if done == 0 && write.len > 0 {
            self.is_awaited = true;
            return None;
        }
        Some(Ok(done))
    }
}

/// Returns whether input has to stay on the line: where it would be lost, although a reader can
/// make room. A terminal's unfinished line is nothing that can be read: the bell rings instead.
fn is_full(tty: &Tty, line: Line) -> bool {
    !tty.has_room() && (line == Line::Pipe || tty.has_input())
}

fn event_of(signal: Signal) -> u64 {
    match signal {
        Signal::Interrupt => event::INTERRUPT,
        Signal::Quit => event::QUIT,
        Signal::Suspend => event::SUSPEND,
    }
}

/// Answers a call; a caller that is gone needs none.
fn reply(call: OpenCall, message: &Message) {
    let _ = call.reply(message);
}
