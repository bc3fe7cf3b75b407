//! The interval timer's channel 2 as a stopwatch (Intel 8254, IBM PC/AT port 0x61).

use x86_64::instructions::port::Port;

/// Ticks of the timer in a second.
pub(crate) const HERTZ: u64 = 1_193_182;
/// Port with the gate of channel 2 (bit 0), the speaker (bit 1) and the output (bit 5).
const CONTROL: u16 = 0x61;
const OUTPUT: u8 = 1 << 5;
/// Reads of the output after which the timer counts as absent.
const PATIENCE: u32 = 10_000_000;

/// A countdown that is running.
pub(crate) struct Countdown(());

impl Countdown {
    /// Starts counting down; nothing where there is no such timer (the microvm machine).
    pub(crate) fn start(ticks: u16) -> Option<Self> {
        // SAFETY: channel 2 drives only the speaker, which is left off; mode 0, binary, low byte
        // then high byte (8254 data sheet).
        unsafe {
            let mut control = Port::<u8>::new(CONTROL);
            let old = control.read();
            if old == 0xff {
                return None;
            }
            control.write(old & !3 | 1);
            Port::new(0x43).write(0b1011_0000u8);
            Port::new(0x42).write(ticks as u8);
            Port::new(0x42).write((ticks >> 8) as u8);
            (control.read() & OUTPUT == 0).then_some(Countdown(()))
        }
    }

    /// Waits for the end; tells whether it came.
    pub(crate) fn wait(self) -> bool {
        // SAFETY: reading the control port has no effect.
        (0..PATIENCE).any(|_| unsafe { Port::<u8>::new(CONTROL).read() } & OUTPUT != 0)
    }
}
