//! The end: output drained, the host told the status, the machine off.
//!
//! The host's tool reads the line on the debug console; without it, QEMU's isa-debug-exit and the
//! ACPI port of q35 switch off, and otherwise the machine stands still.

use alloc::format;
use libipc::{PortWidth, Time, Within};
use protocols::console::ConsoleClient;
use protocols::process::ExitStatus;

use super::{Machine, Supervisor};

/// Status when the system cannot come up.
pub(super) const FAILED: u8 = 125;

const LOG_PORT: u16 = 0xe9;
/// QEMU isa-debug-exit, as the host's tool configures it.
const DEBUG_EXIT: u16 = 0xf4;
/// PM1a control block of QEMU's q35 (and newer pc): SLP_EN, type 0 (ACPI 6.4, 4.8.3.2).
const PM1A: u16 = 0x604;
const SLEEP: u32 = 0x2000;
/// How long the console may take to drain.
const DRAIN_MS: u64 = 5_000;

impl Supervisor {
    /// Powers off when the console has drained; `status` is what the host sees.
    pub fn shut_down(&self, status: u8) -> ! {
        if let Some(console) = self.client("console") {
            // What cannot be drained in that time is lost.
            let _ = ConsoleClient::with(console, Within(DRAIN_MS)).drain();
        }
        self.machine.power_off(status)
    }
}

impl Machine {
    /// Powers off at once; `status` is what the host sees.
    pub fn power_off(&self, status: u8) -> ! {
        let ports = self.ports;
        // Each is a way out that not every machine has.
        let _ = ports.write_bytes(LOG_PORT, format!("\x01exit {status}\n").as_bytes());
        let _ = ports.write(DEBUG_EXIT, PortWidth::Byte, 0x10);
        let _ = ports.write(PM1A, PortWidth::Word, SLEEP);
        let silence = self.quota.create_notification();
        loop {
            // Nobody signals it: init waits for the power to go.
            let _ = silence.map(|silence| silence.wait(Time::FOREVER));
        }
    }
}

/// Returns the exit code for a status, as a shell tells it: 128 + n for signal n.
pub(super) fn code(status: ExitStatus) -> u8 {
    match status.0 {
        code @ 0..=255 => code as u8,
        signal => (128 + (signal & 0x7f)) as u8,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_become_codes_as_in_shells() {
        assert_eq!(code(ExitStatus(0)), 0);
        assert_eq!(code(ExitStatus(255)), 255);
        assert_eq!(code(ExitStatus(256 + 11)), 139);
        assert_eq!(code(ExitStatus(256 + 9)), 137);
    }
}
