//! The two interrupt controllers: which device's request reaches the processor next.
//!
//! ```text
//!   IRQ 0 timer, 1 keyboard ─► first ─► vector 08h + n
//!   IRQ 8 to 15 ─► second ─► its output is the first one's input 2 ─► vector 70h + n
//! ```
//!
//! Source: Intel 8259A data sheet (231468), "Programming the 8259A"; fixed priorities, edge
//! triggered, as the AT's BIOS sets them up.

/// A chip's input to which the second one is connected.
const CASCADE: u8 = 2;

/// What the next bytes to the data port are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Expects {
    Mask,
    Vector,
    Cascade,
    Mode,
}

/// One 8259A.
#[derive(Clone, Debug)]
struct Chip {
    requests: u8,
    in_service: u8,
    mask: u8,
    vector: u8,
    expects: Expects,
    /// Whether initialization has a fourth byte.
    has_mode: bool,
    ends_by_itself: bool,
    /// Whether the command port reads as what is in service.
    shows_service: bool,
}

impl Chip {
    fn new(vector: u8) -> Chip {
        Chip {
            requests: 0,
            in_service: 0,
            mask: 0,
            vector,
            expects: Expects::Mask,
            has_mode: false,
            ends_by_itself: false,
            shows_service: false,
        }
    }

    /// Returns the input that may interrupt: unmasked, and before all that is in service.
    fn pending(&self) -> Option<u8> {
        let ready = self.requests & !self.mask;
        let input = ready.trailing_zeros() as u8;
        (ready != 0 && input < self.in_service.trailing_zeros() as u8).then_some(input)
    }

    fn acknowledge(&mut self, input: u8) -> u8 {
        self.requests &= !(1 << input);
        if !self.ends_by_itself {
            self.in_service |= 1 << input;
        }
        self.vector + input
    }

    fn read(&self, is_data: bool) -> u8 {
        match (is_data, self.shows_service) {
            (true, _) => self.mask,
            (false, true) => self.in_service,
            (false, false) => self.requests,
        }
    }

    /// Command words: ICW1 has bit 4, OCW3 bit 3, OCW2 neither.
    fn command(&mut self, value: u8) {
        if value & 0x10 != 0 {
            let vector = self.vector;
            *self =
                Chip { expects: Expects::Vector, has_mode: value & 1 != 0, ..Chip::new(vector) };
        } else if value & 0x08 != 0 {
            if value & 2 != 0 {
                self.shows_service = value & 1 != 0;
            }
        } else if value & 0x20 != 0 {
            let specific = value & 0x40 != 0;
            let input = if specific { value & 7 } else { self.in_service.trailing_zeros() as u8 };
            self.in_service &= !1u8.checked_shl(input.into()).unwrap_or(0);
        }
    }

    fn data(&mut self, value: u8) {
        self.expects = match self.expects {
            Expects::Mask => {
                self.mask = value;
                Expects::Mask
            }
            Expects::Vector => {
                self.vector = value & 0xf8;
                Expects::Cascade
            }
            Expects::Cascade if self.has_mode => Expects::Mode,
            Expects::Cascade => Expects::Mask,
            Expects::Mode => {
                self.ends_by_itself = value & 2 != 0;
                Expects::Mask
            }
        };
    }
}

/// Both controllers.
#[derive(Clone, Debug)]
pub(crate) struct Pic {
    first: Chip,
    second: Chip,
}

impl Pic {
    /// Returns controllers as the BIOS leaves them.
    pub(crate) fn new() -> Pic {
        Pic { first: Chip::new(0x08), second: Chip::new(0x70) }
    }

    /// Takes a device's request; it stays until it is acknowledged.
    pub(crate) fn raise(&mut self, irq: u8) {
        match irq {
            0..=7 => self.first.requests |= 1 << irq,
            _ => self.second.requests |= 1 << (irq & 7),
        }
    }

    /// Returns whether a device's request waits, masked or not.
    pub(crate) fn is_raised(&self, irq: u8) -> bool {
        self.first.requests & 1 << irq != 0
    }

    /// Returns whether a device's request could never arrive as the masks are.
    pub(crate) fn is_masked(&self, irq: u8) -> bool {
        self.first.mask & 1 << irq != 0
    }

    /// Returns whether a request would interrupt a processor that lets it.
    pub(crate) fn is_pending(&self) -> bool {
        self.with_cascade().pending().is_some()
    }

    /// Takes the request that comes first and returns its vector.
    pub(crate) fn acknowledge(&mut self) -> Option<u8> {
        self.first = self.with_cascade();
        let input = self.first.pending()?;
        let vector = self.first.acknowledge(input);
        match self.second.pending() {
            Some(input) if vector & 7 == CASCADE => Some(self.second.acknowledge(input)),
            _ => Some(vector),
        }
    }

    /// Reads one of the ports 20, 21, A0, A1.
    pub(crate) fn read(&self, port: u16) -> u8 {
        let chip = if port & 0x80 == 0 { &self.first } else { &self.second };
        chip.read(port & 1 != 0)
    }

    /// Writes one of the ports 20, 21, A0, A1.
    pub(crate) fn write(&mut self, port: u16, value: u8) {
        let chip = if port & 0x80 == 0 { &mut self.first } else { &mut self.second };
        match port & 1 {
            0 => chip.command(value),
            _ => chip.data(value),
        }
    }

    fn with_cascade(&self) -> Chip {
        let mut first = self.first.clone();
        if self.second.pending().is_some() {
            first.requests |= 1 << CASCADE;
        }
        first
    }
}

#[cfg(test)]
mod tests {
    use super::Pic;

    #[test]
    fn the_timer_comes_before_the_keyboard_and_holds_it_back() {
        let mut pic = Pic::new();
        pic.raise(1);
        pic.raise(0);
        assert_eq!(pic.acknowledge(), Some(0x08));
        assert_eq!(pic.acknowledge(), None);
        pic.write(0x20, 0x20);
        assert_eq!(pic.acknowledge(), Some(0x09));
    }

    #[test]
    fn masked_requests_wait() {
        let mut pic = Pic::new();
        pic.write(0x21, 0x03);
        pic.raise(1);
        assert_eq!((pic.acknowledge(), pic.read(0x21), pic.read(0x20)), (None, 3, 2));
        pic.write(0x21, 0x01);
        assert_eq!(pic.acknowledge(), Some(0x09));
        pic.write(0x20, 0x0b);
        assert_eq!(pic.read(0x20), 2, "OCW3 0B shows what is in service");
        pic.write(0x20, 0x61);
        assert_eq!(pic.read(0x20), 0, "a specific end of interrupt 1");
    }

    #[test]
    fn initialization_moves_the_vectors() {
        let mut pic = Pic::new();
        for (port, value) in [(0x20, 0x11), (0x21, 0x50), (0x21, 0x04), (0x21, 0x01)] {
            pic.write(port, value);
        }
        pic.raise(0);
        assert_eq!(pic.acknowledge(), Some(0x50));
    }

    #[test]
    fn the_second_controller_comes_through_the_first() {
        let mut pic = Pic::new();
        pic.raise(8);
        assert_eq!(pic.acknowledge(), Some(0x70));
        pic.raise(3);
        assert_eq!(pic.acknowledge(), None, "input 2 is in service");
        pic.write(0xa0, 0x20);
        pic.write(0x20, 0x20);
        assert_eq!(pic.acknowledge(), Some(0x0b));
    }
}
