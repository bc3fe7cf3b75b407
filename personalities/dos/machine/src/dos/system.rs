//! Functions on DOS itself: vectors, version, memory, date and time, flags, last error; INT 2Fh.

use super::arena::Link;
use super::names::ShortName;
use super::psp::Psp;
use super::time::DateTime;
use super::{Call, DosError, Preference, Strategy, layout};
use crate::FarPointer;
use crate::bios::data::TICKS;
use crate::host::Host;
use crate::session::Session;

impl<H: Host> Session<H> {
    /// AH=25.
    pub(super) fn set_vector(&mut self) -> Call {
        let vector = FarPointer::new(0, self.al() as u16 * 4);
        self.bus.write_far(vector, self.ds_dx());
        Ok(())
    }

    /// AH=35.
    pub(super) fn vector(&mut self) -> Call {
        let handler = self.bus.read_far(FarPointer::new(0, self.al() as u16 * 4));
        self.set_es(handler.segment);
        self.set_bx(handler.offset);
        Ok(())
    }

    /// AH=1A.
    pub(super) fn set_transfer_area(&mut self) -> Call {
        self.dos.transfer = self.ds_dx();
        Ok(())
    }

    /// AH=2F.
    pub(super) fn transfer_area(&mut self) -> Call {
        self.set_es(self.dos.transfer.segment);
        self.set_bx(self.dos.transfer.offset);
        Ok(())
    }

    /// AH=50.
    pub(super) fn set_psp(&mut self) -> Call {
        self.dos.psp = Psp(self.bx());
        Ok(())
    }

    /// AH=51, 62.
    pub(super) fn current_psp(&mut self) -> Call {
        self.set_bx(self.dos.psp.0);
        Ok(())
    }

    /// Answers with a value in AL and nothing else.
    pub(super) fn answer(&mut self, al: u8) -> Call {
        self.set_al(al);
        Ok(())
    }

    /// AH=30: BH is whose DOS it is; with AL=01, from DOS 5 on, whether it is in ROM or high memory.
    pub(super) fn version(&mut self) -> Call {
        const MICROSOFT: u16 = 0xff00;
        let asks_where = self.al() == 1 && self.dos.version >= (5, 0);
        let (major, minor) = self.told_version();
        self.set_ax(u16::from_le_bytes([major, minor]));
        self.set_bx(if asks_where { 0 } else { MICROSOFT });
        self.set_cx(0);
        Ok(())
    }

    /// Returns the version that the current program is told.
    pub(super) fn told_version(&self) -> (u8, u8) {
        let given = self.dos.psp.version(&self.bus);
        if given == (0, 0) { self.dos.version } else { given }
    }

    /// AH=33.
    pub(super) fn break_control(&mut self) -> Call {
        match self.al() {
            0 => self.set_dl(self.dos.break_check as u8),
            1 => self.dos.break_check = self.dl() & 1 != 0,
            2 => {
                let new = self.dl() & 1 != 0;
                let old = core::mem::replace(&mut self.dos.break_check, new);
                self.set_dl(old as u8);
            }
            // Code page switching of devices: none.
            3 => self.set_dl(0),
            4 => {}
            5 => self.set_dl(3),
            // The true version, whatever AH=30 says to this program.
            6 if self.dos.version >= (5, 0) => {
                let (major, minor) = self.dos.version;
                self.set_bx(u16::from_le_bytes([major, minor]));
                self.set_dx(0);
            }
            _ => self.set_al(0xff),
        }
        Ok(())
    }

    /// AH=34.
    pub(super) fn in_dos_flag(&mut self) -> Call {
        self.set_es(layout::IN_DOS.segment);
        self.set_bx(layout::IN_DOS.offset);
        Ok(())
    }

    /// AH=37.
    pub(super) fn switch_character(&mut self) -> Call {
        match self.al() {
            0 => {
                self.set_al(0);
                self.set_dl(b'/');
            }
            1 | 3 => self.set_al(0),
            // Devices are there without "\DEV", whatever 3703 sets (RBIL INT 21/AX=3702).
            2 => {
                self.set_al(0);
                self.set_dl(0xff);
            }
            _ => self.set_al(0xff),
        }
        Ok(())
    }

    /// AH=2E.
    pub(super) fn set_verify(&mut self) -> Call {
        self.dos.verify = self.al() & 1 != 0;
        Ok(())
    }

    /// AH=52.
    pub(super) fn list_of_lists(&mut self) -> Call {
        self.set_es(layout::LISTS.segment);
        self.set_bx(layout::LISTS.offset);
        Ok(())
    }

    /// AH=48.
    pub(super) fn allocate_memory(&mut self) -> Call {
        let (arena, owner, strategy) = (self.dos.arena, self.dos.psp.0, self.dos.strategy);
        let paragraphs = self.bx();
        let preference = self.preference();
        match arena.allocate_where(&mut self.bus, paragraphs, owner, strategy, preference) {
            Ok(segment) => {
                self.set_ax(segment);
                Ok(())
            }
            Err((error, largest)) => {
                self.set_bx(largest);
                Err(error.into())
            }
        }
    }

    /// AH=49.
    pub(super) fn free_memory(&mut self) -> Call {
        let segment = self.es();
        Ok(self.dos.arena.free(&mut self.bus, segment)?)
    }

    /// AH=4A.
    pub(super) fn resize_memory(&mut self) -> Call {
        let (segment, paragraphs) = (self.es(), self.bx());
        let owner = self.dos.psp.0;
        match self.dos.arena.resize(&mut self.bus, segment, paragraphs, owner) {
            Ok(()) => {
                self.set_ax(segment);
                Ok(())
            }
            Err((error, largest)) => {
                self.set_bx(largest);
                Err(error.into())
            }
        }
    }

    /// AH=58: strategies, some of which prefer upper memory (40, 80), and whether that is linked.
    pub(super) fn allocation_strategy(&mut self) -> Call {
        let strategy = match self.bl() & 0x3f {
            0 => Some(Strategy::First),
            1 => Some(Strategy::Best),
            2 => Some(Strategy::Last),
            _ => None,
        };
        match (self.al(), strategy) {
            (0, _) => {
                let strategy = self.dos.strategy as u16 | self.dos.upper_memory;
                self.set_ax(strategy);
            }
            (1, Some(strategy)) => {
                self.dos.strategy = strategy;
                self.dos.upper_memory = self.bx() & 0xc0;
            }
            (2, _) => {
                let linked = self.dos.arena.is_linked(&self.bus)?;
                self.set_al(linked as u8);
            }
            (3, _) => {
                let link = match self.bx() {
                    0 => Link::Apart,
                    1 => Link::Linked,
                    _ => return Err(DosError::InvalidFunction.into()),
                };
                self.dos.arena.link(&mut self.bus, link)?;
            }
            _ => return Err(DosError::InvalidFunction.into()),
        }
        Ok(())
    }

    /// Returns where allocations look first.
    pub(super) fn preference(&self) -> Preference {
        match self.dos.upper_memory {
            0x40 => Preference::UpperOnly,
            0x80 | 0xc0 => Preference::Upper,
            _ => Preference::None,
        }
    }

    /// Returns the time as programs see it.
    pub(crate) fn now(&mut self) -> DateTime {
        DateTime::from_ns(self.host.time().saturating_add_signed(self.dos.time_offset))
    }

    /// AH=2A.
    pub(super) fn date(&mut self) -> Call {
        let now = self.now();
        self.set_cx(now.year);
        self.set_dx(u16::from_le_bytes([now.day, now.month]));
        self.set_al(now.weekday);
        Ok(())
    }

    /// AH=2B: for this session only.
    pub(super) fn set_date(&mut self) -> Call {
        let [day, month] = self.dx().to_le_bytes();
        let year = self.cx();
        let valid = (1980..=2099).contains(&year) && (1..=12).contains(&month);
        if !valid || !(1..=super::time::days_of(year, month)).contains(&day) {
            self.set_al(0xff);
            return Ok(());
        }
        let now = self.now();
        self.set_now(DateTime { year, month, day, ..now });
        self.set_al(0);
        Ok(())
    }

    /// AH=2C.
    pub(super) fn time_of_day(&mut self) -> Call {
        let now = self.now();
        self.set_cx(u16::from_le_bytes([now.minute, now.hour]));
        self.set_dx(u16::from_le_bytes([now.hundredth, now.second]));
        Ok(())
    }

    /// AH=2D: for this session only.
    pub(super) fn set_time_of_day(&mut self) -> Call {
        let [minute, hour] = self.cx().to_le_bytes();
        let [hundredth, second] = self.dx().to_le_bytes();
        if hour > 23 || minute > 59 || second > 59 || hundredth > 99 {
            self.set_al(0xff);
            return Ok(());
        }
        let now = self.now();
        self.set_now(DateTime { hour, minute, second, hundredth, ..now });
        self.set_al(0);
        Ok(())
    }

    /// INT 28h: a program waits for keys in a loop of its own.
    pub(super) fn idle_interrupt(&mut self) -> Call {
        self.rest();
        Ok(())
    }

    /// Returns the path of the current program, from its environment block.
    pub(crate) fn program_name(&self) -> alloc::string::String {
        let segment = self.dos.psp.environment(&self.bus);
        let name = match segment {
            0 => ShortName::parse(b"DOS").text(),
            segment => self.path_in_environment(segment),
        };
        // A program may have overwritten it, or named itself in a code page's characters.
        let is_name = !name.is_empty() && name.iter().all(u8::is_ascii_graphic);
        let name = if is_name { &name } else { &b"a DOS program"[..] };
        alloc::string::String::from_utf8_lossy(name).into_owned()
    }

    fn path_in_environment(&self, segment: u16) -> alloc::vec::Vec<u8> {
        let mut at = FarPointer::new(segment, 0);
        for _ in 0..0x7fff {
            if self.bus.read16(at) == 0 {
                return self.read_string(at.add(4), super::paths::PATH_MAX);
            }
            at = at.add(1);
        }
        alloc::vec::Vec::new()
    }

    fn set_now(&mut self, time: DateTime) {
        self.dos.time_offset = time.to_ns() as i64 - self.host.time() as i64;
        // DOS's clock driver sets the BIOS's ticks.
        self.bus.write32(TICKS, time.ticks());
    }
}
