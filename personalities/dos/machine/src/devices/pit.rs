//! The interval timer: three counters at 1.193182 MHz.
//!
//! Counter 0 raises IRQ 0, 1 was for memory refresh, 2 is the loudspeaker's, whose gate is port 61's
//! bit 0. A counter is a function of time: what was loaded, and when. Nothing counts while nobody
//! looks. What a program does to a counter happens when the session has told what time it is, at once.
//!
//! Source: Intel 8254 data sheet (231164), "Programming", "Mode Definitions".

/// Counts of a second (IBM PC AT Technical Reference: 14.31818 MHz / 12).
const RATE: u128 = 1_193_182;
const NS: u128 = 1_000_000_000;

/// How a counter's 16 bits pass the 8-bit port (control word, bits 4 and 5).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Access {
    Low,
    High,
    Both,
}

/// One counter.
#[derive(Clone, Debug)]
struct Counter {
    mode: u8,
    access: Access,
    /// Counts of a period, 1 to 65,536.
    period: u32,
    /// When `period` was loaded, ns.
    loaded_at: u64,
    /// The first half of a new period.
    half_written: Option<u8>,
    /// Whether the next read gives the high half.
    half_read: bool,
    latched: Option<u16>,
    status: Option<u8>,
    /// When the gate stopped it.
    stopped_at: Option<u64>,
    due: Due,
}

/// What waits for the time.
#[derive(Clone, Copy, Debug, Default)]
struct Due {
    load: bool,
    latch: bool,
    status: bool,
    gate: Option<bool>,
}

impl Counter {
    fn new(mode: u8, period: u32) -> Counter {
        Counter {
            mode,
            access: Access::Both,
            period,
            loaded_at: 0,
            half_written: None,
            half_read: false,
            latched: None,
            status: None,
            stopped_at: None,
            due: Due::default(),
        }
    }

    fn is_periodic(&self) -> bool {
        matches!(self.mode, 2 | 3)
    }

    /// Returns counts since the period was loaded.
    fn elapsed(&self, now: u64) -> u64 {
        let now = self.stopped_at.unwrap_or(now);
        (now.saturating_sub(self.loaded_at) as u128 * RATE / NS) as u64
    }

    /// Returns the time at which that many counts have passed.
    fn time_of(&self, counts: u64) -> u64 {
        let after = (counts as u128 * NS).div_ceil(RATE);
        self.loaded_at.saturating_add(after as u64)
    }

    fn count(&self, now: u64) -> u16 {
        let (elapsed, period) = (self.elapsed(now), self.period as u64);
        match self.mode {
            2 => (period - elapsed % period) as u16,
            // The square wave counts each half by twos.
            3 => (period - elapsed * 2 % period) as u16 & !1,
            _ => (period as u16).wrapping_sub(elapsed as u16),
        }
    }

    fn output(&self, now: u64) -> bool {
        let (elapsed, period) = (self.elapsed(now), self.period as u64);
        match self.mode {
            // "GATE = 0 disables counting": the output goes high.
            2 | 3 if self.stopped_at.is_some() => true,
            2 => elapsed % period != period - 1,
            3 => elapsed % period < period.div_ceil(2),
            _ => elapsed >= period,
        }
    }

    /// Does what has waited for the time.
    fn settle(&mut self, now: u64) {
        let due = core::mem::take(&mut self.due);
        if due.load {
            self.loaded_at = now;
            self.stopped_at = self.stopped_at.map(|_| now);
        }
        if let Some(is_open) = due.gate {
            self.set_gate(is_open, now);
        }
        if due.latch && self.latched.is_none() {
            self.latched = Some(self.count(now));
        }
        if due.status && self.status.is_none() {
            self.status = Some(self.status(now));
        }
    }

    /// Opens or closes the gate: an opened one goes on with the count in modes 0 and 4, and begins
    /// anew in the others.
    fn set_gate(&mut self, is_open: bool, now: u64) {
        match (is_open, self.stopped_at) {
            (true, Some(at)) => {
                let goes_on = matches!(self.mode, 0 | 4);
                self.loaded_at = if goes_on { self.loaded_at + (now - at) } else { now };
                self.stopped_at = None;
            }
            (false, None) => self.stopped_at = Some(now),
            _ => {}
        }
    }

    fn control(&mut self, value: u8) {
        let access = match value >> 4 & 3 {
            0 => {
                self.due.latch = true;
                return;
            }
            1 => Access::Low,
            2 => Access::High,
            _ => Access::Both,
        };
        // Modes 6 and 7 are 2 and 3.
        let mode = value >> 1 & 7;
        let mode = if mode > 5 { mode - 4 } else { mode };
        let Counter { period, loaded_at, stopped_at, due, .. } = *self;
        let due = Due { gate: due.gate, ..Due::default() };
        *self = Counter { access, loaded_at, stopped_at, due, ..Counter::new(mode, period) };
    }

    fn write(&mut self, value: u8) -> bool {
        let word = match (self.access, self.half_written.take()) {
            (Access::Low, _) => value as u16,
            (Access::High, _) => (value as u16) << 8,
            (Access::Both, Some(low)) => u16::from_le_bytes([low, value]),
            (Access::Both, None) => {
                self.half_written = Some(value);
                return false;
            }
        };
        self.period = if word == 0 { 0x10000 } else { word.into() };
        self.due.load = true;
        true
    }

    fn read(&mut self, now: u64) -> u8 {
        if let Some(status) = self.status.take() {
            return status;
        }
        let [low, high] = self.latched.unwrap_or_else(|| self.count(now)).to_le_bytes();
        let is_high = match self.access {
            Access::Low => false,
            Access::High => true,
            Access::Both => {
                self.half_read = !self.half_read;
                !self.half_read
            }
        };
        if is_high || self.access == Access::Low {
            self.latched = None;
        }
        if is_high { high } else { low }
    }

    fn status(&self, now: u64) -> u8 {
        let access = match self.access {
            Access::Low => 0x10,
            Access::High => 0x20,
            Access::Both => 0x30,
        };
        u8::from(self.output(now)) << 7 | access | self.mode << 1
    }
}

/// The timer.
#[derive(Clone, Debug)]
pub(crate) struct Pit {
    counters: [Counter; 3],
    now: u64,
    /// Periods of counter 0 that have been told since it was loaded.
    told: u64,
}

impl Pit {
    /// Returns the timer as the BIOS sets it up: 18.2 ticks a second.
    pub(crate) fn new(now: u64) -> Pit {
        let counters = [(3, 0x10000), (2, 18), (3, 0x10000)];
        let counters = counters.map(|(mode, period)| {
            let mut counter = Counter::new(mode, period);
            counter.loaded_at = now;
            counter
        });
        Pit { counters, now, told: 0 }
    }

    /// Moves the time on; returns how many ticks counter 0 has made meanwhile.
    pub(crate) fn advance(&mut self, now: u64) -> u32 {
        self.now = now.max(self.now);
        for counter in &mut self.counters {
            counter.settle(self.now);
        }
        let due = self.ticks();
        let new = due - self.told.min(due);
        self.told = due;
        new.min(u32::MAX.into()) as u32
    }

    /// Returns when counter 0 ticks next.
    pub(crate) fn next_tick(&self) -> Option<u64> {
        let counter = &self.counters[0];
        let is_over = !counter.is_periodic() && self.told > 0;
        (!is_over).then(|| counter.time_of((self.told + 1) * counter.period as u64))
    }

    /// Returns counter 0's period in ns.
    pub(crate) fn period_ns(&self) -> u64 {
        (self.counters[0].period as u128 * NS / RATE) as u64
    }

    /// Returns the loudspeaker's counter's output.
    pub(crate) fn speaker_output(&self) -> bool {
        self.counters[2].output(self.now)
    }

    /// Opens or closes the loudspeaker's counter's gate.
    pub(crate) fn set_speaker_gate(&mut self, is_open: bool) {
        self.counters[2].due.gate = Some(is_open);
    }

    /// Reads one of the ports 40 to 43.
    pub(crate) fn read(&mut self, port: u16) -> u8 {
        match self.counters.get_mut((port & 3) as usize) {
            Some(counter) => counter.read(self.now),
            None => 0xff,
        }
    }

    /// Writes one of the ports 40 to 43.
    pub(crate) fn write(&mut self, port: u16, value: u8) {
        let index = (port & 3) as usize;
        if index < 3 {
            let is_loaded = self.counters[index].write(value);
            if is_loaded && index == 0 {
                self.told = 0;
            }
            return;
        }
        match value >> 6 {
            3 => self.read_back(value),
            chosen => self.counters[chosen as usize].control(value),
        }
    }

    /// The read-back command: bits 1 to 3 choose counters, 5 clear latches counts, 4 clear status.
    fn read_back(&mut self, value: u8) {
        for (index, counter) in self.counters.iter_mut().enumerate() {
            if value & 2 << index != 0 {
                counter.due.latch |= value & 0x20 == 0;
                counter.due.status |= value & 0x10 == 0;
            }
        }
    }

    fn ticks(&self) -> u64 {
        let counter = &self.counters[0];
        let periods = counter.elapsed(self.now) / counter.period as u64;
        if counter.is_periodic() { periods } else { periods.min(1) }
    }
}

#[cfg(test)]
mod tests {
    use super::Pit;

    /// A microsecond has 1.193182 counts.
    const US: u64 = 1000;

    fn word(pit: &mut Pit, port: u16) -> u16 {
        u16::from_le_bytes([pit.read(port), pit.read(port)])
    }

    #[test]
    fn the_bios_has_eighteen_ticks_a_second() {
        let mut pit = Pit::new(0);
        assert_eq!(pit.period_ns(), 54_925_401);
        assert_eq!(pit.advance(1_000_000_000), 18);
        assert_eq!(pit.advance(1_000_000_001), 0);
        // 19 * 65,536 counts.
        assert_eq!(pit.next_tick(), Some(1_043_582_622));
        assert_eq!(pit.advance(1_043_582_621), 0);
        assert_eq!(pit.advance(1_043_582_622), 1);
    }

    #[test]
    fn a_latched_count_stays_until_it_is_read() {
        let mut pit = Pit::new(0);
        pit.write(0x43, 0x34);
        pit.write(0x40, 0x00);
        pit.write(0x40, 0x10);
        pit.advance(0);
        pit.write(0x43, 0x00);
        pit.advance(1000 * US);
        // 1,193 counts of 4,096 are over.
        pit.advance(2000 * US);
        assert_eq!(word(&mut pit, 0x40), 4096 - 1193);
        assert_eq!(word(&mut pit, 0x40), 4096 - 2386);
    }

    #[test]
    fn a_one_shot_ticks_once_and_counts_on() {
        let mut pit = Pit::new(0);
        pit.write(0x43, 0x30);
        pit.write(0x40, 0xe8);
        pit.write(0x40, 0x03);
        pit.advance(0);
        assert_eq!(pit.advance(5000 * US), 1);
        assert_eq!((pit.advance(9000 * US), pit.next_tick()), (0, None));
        pit.write(0x43, 0xe2);
        pit.advance(9000 * US);
        assert_eq!(pit.read(0x40), 0xb0, "output high, both halves, mode 0");
    }

    #[test]
    fn a_faster_timer_ticks_faster() {
        let mut pit = Pit::new(0);
        pit.write(0x43, 0x36);
        pit.write(0x40, 0xa9);
        pit.write(0x40, 0x04);
        pit.advance(0);
        // 1,193 counts are a millisecond.
        assert_eq!(pit.advance(1_000_000_000), 1000);
    }

    #[test]
    fn single_halves_pass_as_the_control_word_says() {
        let mut pit = Pit::new(0);
        pit.write(0x43, 0x94);
        pit.write(0x42, 100);
        pit.advance(0);
        pit.advance(10 * US);
        // 11 counts.
        assert_eq!(pit.read(0x42), 89);
        assert_eq!(pit.read(0x42), 89);
    }

    #[test]
    fn a_count_begins_and_is_latched_when_it_is_told_to() {
        // Programs that measure load a counter, work, and read back; the time in between is known to
        // them alone, however long nobody looked before.
        let mut pit = Pit::new(0);
        pit.advance(100 * US);
        pit.write(0x43, 0x34);
        pit.write(0x40, 0x00);
        pit.write(0x40, 0x00);
        pit.advance(700 * US);
        pit.write(0x43, 0xc2);
        pit.advance(800 * US);
        let status = pit.read(0x40);
        // 119 counts; output high, both halves, mode 2.
        assert_eq!((status, word(&mut pit, 0x40)), (0xb4, (0x1_0000 - 119) as u16));
    }

    #[test]
    fn the_gate_holds_the_loudspeakers_counter() {
        // Intel 8254 data sheet, "Mode Definitions": mode 0 counts while the gate is open; mode 2 begins
        // anew with its rising edge.
        for (mode, control) in [(0, 0xb0), (2, 0xb4)] {
            let mut pit = Pit::new(0);
            pit.set_speaker_gate(false);
            for (port, value) in [(0x43, control), (0x42, 0xff), (0x42, 0xff)] {
                pit.write(port, value);
            }
            pit.advance(0);
            pit.advance(1000 * US);
            pit.set_speaker_gate(true);
            pit.advance(1000 * US);
            pit.advance(2000 * US);
            pit.set_speaker_gate(false);
            pit.advance(2000 * US);
            pit.write(0x43, 0x80);
            pit.advance(9000 * US);
            assert_eq!(word(&mut pit, 0x42), 0xffff - 1193, "mode {mode}");
            pit.set_speaker_gate(true);
            pit.advance(9000 * US);
            pit.write(0x43, 0x80);
            pit.advance(9000 * US);
            let expected = if mode == 0 { 0xffff - 1193 } else { 0xffff };
            assert_eq!(word(&mut pit, 0x42), expected, "mode {mode}");
        }
    }
}
