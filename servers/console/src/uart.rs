//! The serial line: a 16550 UART as a driver sees it.
//!
//! Registers and bits: National Semiconductor PC16550D data sheet, section 8. The driver never
//! waits: it moves what the chip takes or has, and an interrupt tells when to go on.

/// Bytes that the transmitter's queue takes when it is empty.
const FIFO_BYTES: usize = 16;
/// Most bytes that one look at the receiver takes: a line that never pauses must not keep the
/// server from its clients.
const RECEIVE_MAX: usize = 256;
/// How often the transmitter is looked at for its last bits: a byte of 10 bits at 115,200 per
/// second needs 87 µs, an access to the chip about one.
const LAST_BITS_LOOKS: usize = 1000;

/// A register, by its offset from the first port (with the divisor latch hidden).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u16)]
pub enum Register {
    /// Received byte, or byte to transmit; the divisor's low half while its latch is shown.
    Data = 0,
    /// Which interrupts are wanted; the divisor's high half while its latch is shown.
    InterruptEnable = 1,
    /// Read: why there is an interrupt. Written: control of the queues.
    InterruptIdentity = 2,
    /// Format of characters; bit 7 shows the divisor latch.
    LineControl = 3,
    /// Modem lines; bit 3 connects the interrupt line on PCs.
    ModemControl = 4,
    /// What the line is doing.
    LineStatus = 5,
}

/// Interrupt enable: a byte was received.
const ENABLE_RECEIVED: u8 = 0x01;
/// Interrupt enable: the transmitter's queue is empty.
const ENABLE_EMPTY: u8 = 0x02;
/// Interrupt enable: the line's state changed for the worse; breaks are that.
const ENABLE_STATUS: u8 = 0x04;
/// Interrupt identity: the line's state. Reading that takes it back.
const STATUS_CHANGED: u8 = 0x06;
/// Interrupt identity: the bits that tell why, and whether.
const REASON: u8 = 0x0f;
/// Interrupt identity: there is none.
const NO_INTERRUPT: u8 = 0x01;
/// Queue control: on, both cleared, interrupt at 14 received bytes or a pause.
const QUEUES: u8 = 0xc7;
/// Line control: 8 bits, no parity, 1 stop bit.
const FORMAT_8N1: u8 = 0x03;
/// Line control: the divisor latch is shown.
const SHOW_DIVISOR: u8 = 0x80;
/// Modem control: ready on our side, interrupt line connected.
const MODEM: u8 = 0x0b;
/// Line status: a byte was received.
const RECEIVED: u8 = 0x01;
/// Line status: the line was held low for longer than a character takes, which is received as one
/// of zeros. Reading the status clears this.
const BREAK: u8 = 0x10;
/// Line status: the transmitter's queue is empty.
const QUEUE_EMPTY: u8 = 0x20;
/// Line status: the transmitter has sent its last bit.
const ALL_SENT: u8 = 0x40;

// ANCHOR: device
/// The chip's registers: I/O ports, or a model in tests.
pub trait Device {
    /// Reads a register; all ones where there is none.
    fn read(&mut self, register: Register) -> u8;
    /// Writes a register.
    fn write(&mut self, register: Register, value: u8);
    /// Writes bytes one after the other to [`Register::Data`].
    fn send(&mut self, bytes: &[u8]);
}
// ANCHOR_END: device

/// Whether received bytes are wanted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Input {
    /// They are to be reported.
    Wanted,
    /// They are to stay in the chip, which stops the sender if that can be stopped.
    Held,
}

/// Whether there is more to transmit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Output {
    /// An empty queue is to be reported.
    Waiting,
    /// There is nothing to send.
    Idle,
}

/// The driver of one chip.
#[derive(Debug)]
pub struct Uart<D> {
    device: D,
    enabled: u8,
    /// Whether there was a break of which nobody was told.
    had_break: bool,
    /// Whether the zeros of a break are still to come.
    awaits_zeros: bool,
}

impl<D: Device> Uart<D> {
    /// Programs the chip: 115,200 bits per second, 8N1, queues on, interrupts for input.
    pub fn new(mut device: D) -> Self {
        device.write(Register::InterruptEnable, 0);
        device.write(Register::LineControl, SHOW_DIVISOR);
        device.write(Register::Data, 1);
        device.write(Register::InterruptEnable, 0);
        device.write(Register::LineControl, FORMAT_8N1);
        device.write(Register::InterruptIdentity, QUEUES);
        device.write(Register::ModemControl, MODEM);
        let mut uart = Uart { device, enabled: 0, had_break: false, awaits_zeros: false };
        uart.set_interrupts(Input::Wanted, Output::Idle);
        uart
    }

    /// Returns the chip.
    pub fn device_mut(&mut self) -> &mut D {
        &mut self.device
    }

    /// Returns whether the chip wants attention. Asking takes back its "queue is empty".
    pub fn is_interrupting(&mut self) -> bool {
        let identity = self.device.read(Register::InterruptIdentity);
        if identity & REASON == STATUS_CHANGED {
            self.status();
        }
        identity & NO_INTERRUPT == 0
    }

    /// Returns whether there was a break, and forgets it.
    pub fn take_break(&mut self) -> bool {
        core::mem::take(&mut self.had_break)
    }

    /// Reads the line's status, which tells of a break only once.
    fn status(&mut self) -> u8 {
        let status = self.device.read(Register::LineStatus);
        // A chip that is not there reads as all ones.
        if status != 0xff && status & BREAK != 0 {
            (self.had_break, self.awaits_zeros) = (true, true);
        }
        status
    }

    /// Takes received bytes while `take` accepts more; it returns whether it does.
    pub fn receive(&mut self, mut take: impl FnMut(u8) -> bool) {
        for _ in 0..RECEIVE_MAX {
            // A chip that is not there reads as all ones and never ends: no byte comes of it.
            let status = self.status();
            if status == 0xff || status & RECEIVED == 0 {
                return;
            }
            let byte = self.device.read(Register::Data);
            let is_break = byte == 0 && core::mem::take(&mut self.awaits_zeros);
            if !is_break && !take(byte) {
                return;
            }
        }
    }

    /// Sends as many of the bytes as the chip takes now; returns how many.
    pub fn transmit(&mut self, bytes: &[u8]) -> usize {
        let mut sent = 0;
        while sent < bytes.len() && self.status() & QUEUE_EMPTY != 0 {
            let step = &bytes[sent..bytes.len().min(sent + FIFO_BYTES)];
            self.device.send(step);
            sent += step.len();
        }
        sent
    }

    /// Waits, for the length of a byte at most, until the last bit has been sent.
    pub fn finish(&mut self) {
        let is_done = |_: &usize| self.status() & ALL_SENT != 0;
        let _ = (0..LAST_BITS_LOOKS).find(is_done);
    }

    /// Chooses what the chip interrupts for.
    pub fn set_interrupts(&mut self, input: Input, output: Output) {
        let received = if input == Input::Wanted { ENABLE_RECEIVED } else { 0 };
        let empty = if output == Output::Waiting { ENABLE_EMPTY } else { 0 };
        let wanted = ENABLE_STATUS | received | empty;
        if self.enabled != wanted {
            self.enabled = wanted;
            self.device.write(Register::InterruptEnable, self.enabled);
        }
    }
}
