//! INT 2Fh: DOS's internal services (12xx), and what is installed or not.
//!
//! Functions and their registers: RBIL INT 2F. What is not here leaves registers as they are, which
//! says "not installed": PRINT (01), ASSIGN (06), and more. COMMAND.COM asks AE00 and AE01 itself.

use super::layout::NULL_DEVICE;
use super::tables::{directory_structure, file_entry};
use super::{Call, DosError, Refusal};
use crate::FarPointer;
use crate::cpu::bit;
use crate::cpu::register::{BP, DI};
use crate::host::Host;
use crate::session::Session;

const INSTALLED: u8 = 0xff;

impl<H: Host> Session<H> {
    /// INT 2Fh.
    pub(super) fn multiplex(&mut self) -> Call {
        let called = match self.ax() {
            // SHARE: AH=5C and sharing modes work.
            0x1000 => self.answer(INSTALLED),
            0x1200..=0x12ff => self.internal_service(self.al()),
            0x1680 => self.idle_slice(),
            0x4300..=0x43ff => {
                self.extended_memory_driver();
                Ok(())
            }
            dos_command::stub::SERVICE => self.command_service(),
            0x4a01 | 0x4a02 => self.high_memory_area(),
            _ => Ok(()),
        };
        if let Err(Refusal::Error(error)) = called {
            self.note_error(error);
            self.set_ax(error as u16);
            self.set_carry(true);
            return Ok(());
        }
        called
    }

    /// AX=1680: a program has nothing to do.
    fn idle_slice(&mut self) -> Call {
        self.rest();
        self.answer(0)
    }

    /// AX=4A01, 4A02: DOS is not in the high memory area and has none of it to give.
    fn high_memory_area(&mut self) -> Call {
        self.set_bx(0);
        self.set_es(0xffff);
        self.cpu.set_register(DI, 0xffff);
        Ok(())
    }

    #[rustfmt::skip]
    fn internal_service(&mut self, number: u8) -> Call {
        match number {
            0x00 => self.answer(INSTALLED),
            0x03 => self.data_segment(),
            0x05 => self.put_character(),
            0x0d => self.packed_now(),
            0x11 => self.normalize_name(),
            0x12 => self.string_len(self.es_di()),
            0x13 => self.capital_of_argument(),
            0x14 => self.compare_pointers(),
            0x16 => self.file_entry_address(),
            0x17 => self.directory_address(),
            0x18 => self.caller_registers(),
            0x1a => self.drive_of_name(),
            0x1e => self.compare_names(),
            0x20 => self.handle_address(),
            0x21 => self.canonical_path(),
            0x23 => Ok(()),
            0x25 => self.string_len(self.ds_si()),
            0x26 => self.inner_open(),
            0x27 => self.carry_of(Self::close_file),
            0x28 => self.inner_seek(),
            0x29 => self.carry_of(Self::read_file),
            0x2b => self.inner_control(),
            0x2c => self.device_chain(),
            0x2d => self.inner_error(),
            0x2e => self.error_table(),
            0x2f => Ok(()),
            _ => Ok(()),
        }
    }

    /// Returns the word that the caller pushed before the interrupt.
    fn argument(&self) -> u16 {
        self.bus.read16(self.cpu.stack().add(6))
    }

    /// Performs a function of INT 21h and tells its success by CF.
    fn carry_of(&mut self, function: fn(&mut Self) -> Call) -> Call {
        function(self)?;
        self.set_carry(false);
        Ok(())
    }

    fn put_character(&mut self) -> Call {
        let [byte, _] = self.argument().to_le_bytes();
        self.print(&[byte])
    }

    fn packed_now(&mut self) -> Call {
        let now = self.now();
        self.set_ax(now.packed_date());
        self.set_dx(now.packed_time());
        Ok(())
    }

    /// 1211: capitals, and backslashes for slashes.
    fn normalize_name(&mut self) -> Call {
        let text = self.read_string(self.ds_si(), super::paths::PATH_MAX);
        let to = self.es_di();
        for (place, byte) in (0..).zip(text.iter().chain(&[0])) {
            let byte = if *byte == b'/' { b'\\' } else { super::country::upper_case(*byte) };
            self.bus.write8(to.add(place), byte);
        }
        Ok(())
    }

    /// 1212, 1225: length with the terminating 0.
    fn string_len(&mut self, at: FarPointer) -> Call {
        let len = self.read_string(at, u16::MAX as usize - 1).len() as u16 + 1;
        self.set_cx(len);
        Ok(())
    }

    fn capital_of_argument(&mut self) -> Call {
        let [byte, _] = self.argument().to_le_bytes();
        self.answer(super::country::upper_case(byte))
    }

    fn compare_pointers(&mut self) -> Call {
        let same = self.ds_si().linear() == self.es_di().linear();
        self.set_caller_flag(bit::ZERO, same);
        self.set_carry(!same);
        Ok(())
    }

    /// 1216: ES:DI at entry BX of the system file table.
    fn file_entry_address(&mut self) -> Call {
        let entry =
            u8::try_from(self.bx()).ok().filter(|entry| *entry < super::files::FILES_MAX as u8);
        let at = file_entry(entry.ok_or(DosError::InvalidHandle)?);
        self.point_at(at);
        self.set_carry(false);
        Ok(())
    }

    fn point_at(&mut self, at: FarPointer) {
        self.set_es(at.segment);
        self.cpu.set_register(DI, at.offset);
    }

    /// 1217: DS:SI at the current directory structure of the drive pushed, 0 is A.
    fn directory_address(&mut self) -> Call {
        let [drive, _] = self.argument().to_le_bytes();
        if drive >= super::layout::LAST_DRIVE {
            return Err(DosError::InvalidDrive.into());
        }
        let at = directory_structure(drive);
        self.set_ds(at.segment);
        self.set_si(at.offset);
        self.set_carry(false);
        Ok(())
    }

    /// 1218: DS:SI at the registers of the last INT 21h.
    fn caller_registers(&mut self) -> Call {
        let at = self.dos.psp.stack(&self.bus);
        self.set_ds(at.segment);
        self.set_si(at.offset);
        Ok(())
    }

    /// 121A: the drive of the name at DS:SI in AL, 1 is A, 0 without one, FF for one that is not
    /// there; SI behind the colon.
    fn drive_of_name(&mut self) -> Call {
        let at = self.ds_si();
        if self.bus.read8(at.add(1)) != b':' {
            return self.answer(0);
        }
        let number = self.bus.read8(at).to_ascii_uppercase().wrapping_sub(b'A' - 1);
        self.set_si(at.offset.wrapping_add(2));
        let known = number != 0 && self.drive_argument(number).is_ok();
        self.answer(if known { number } else { 0xff })
    }

    /// 121E: ZF set where the names at DS:SI and ES:DI are the same.
    fn compare_names(&mut self) -> Call {
        let spelled = |session: &Self, at| {
            let text = session.read_string(at, super::paths::PATH_MAX);
            let slashed = text.iter().map(|byte| if *byte == b'/' { b'\\' } else { *byte });
            slashed.map(super::country::upper_case).collect::<alloc::vec::Vec<u8>>()
        };
        let same = spelled(self, self.ds_si()) == spelled(self, self.es_di());
        self.set_caller_flag(bit::ZERO, same);
        Ok(())
    }

    /// 1220: ES:DI at the byte of handle BX in the job file table.
    fn handle_address(&mut self) -> Call {
        let at = self.dos.psp.handle_at(&self.bus, self.bx())?;
        self.point_at(at);
        self.set_carry(false);
        Ok(())
    }

    /// 1226: the name at DS:DX, CL as AL of AH=3D.
    fn inner_open(&mut self) -> Call {
        self.set_al(self.cl());
        self.carry_of(Self::open_file)
    }

    /// 1228: BP as AX of AH=42.
    fn inner_seek(&mut self) -> Call {
        self.set_ax(self.cpu.register(BP));
        self.carry_of(Self::seek_file)
    }

    /// 122B: BP as AX of AH=44.
    fn inner_control(&mut self) -> Call {
        self.set_ax(self.cpu.register(BP));
        self.carry_of(Self::device_control)
    }

    fn device_chain(&mut self) -> Call {
        self.set_bx(NULL_DEVICE.segment);
        self.set_ax(NULL_DEVICE.offset);
        Ok(())
    }

    fn inner_error(&mut self) -> Call {
        let error = self.last_error();
        self.set_ax(error);
        Ok(())
    }

    /// 122E: tables of error texts: ES:DI gets (DL even) or sets (odd) one of five pointers. The
    /// programs of DOS 4 ask for them before anything else, and its COMMAND.COM sets its own.
    fn error_table(&mut self) -> Call {
        let es_di = self.es_di();
        let number = usize::from(self.dl());
        let Some(table) = self.dos.error_tables.get_mut(number / 2) else { return Ok(()) };
        if number % 2 == 1 {
            *table = es_di;
            return Ok(());
        }
        let table = *table;
        self.point_at(table);
        Ok(())
    }
}
