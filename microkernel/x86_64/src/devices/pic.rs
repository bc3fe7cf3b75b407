//! The two legacy interrupt controllers (Intel 8259A): moved out of the way and masked.

use x86_64::instructions::port::Port;

use super::vectors;

/// Command and data ports of both controllers (IBM PC/AT).
const CONTROLLERS: [(u16, u16); 2] = [(0x20, 0x21), (0xa0, 0xa1)];

/// Masks all legacy interrupts; a spurious one goes to vectors that are ignored.
pub(crate) fn disable() {
    for (number, (command, data)) in CONTROLLERS.into_iter().enumerate() {
        let cascade = if number == 0 { 4 } else { 2 };
        let base = vectors::LEGACY as u8 + 8 * number as u8;
        // SAFETY: initialization words 1 to 4 and a full mask (8259A data sheet); nobody uses
        // these controllers.
        unsafe {
            Port::new(command).write(0x11u8);
            for word in [base, cascade, 1, 0xff] {
                Port::new(data).write(word);
            }
        }
    }
}
