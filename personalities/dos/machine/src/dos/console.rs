//! Console functions: characters and lines from handle 0, text to handle 1.
//!
//! Handle 0 may be the terminal, a stream or a file; the end of the last two gives 1A, as programs
//! expect of a redirected file. From the terminal, lines are edited here: backspace, ESC drops the
//! line. A function that waits for a key begins anew when one was typed (see `waiting`): what it
//! has got by then is kept in [`super::input::Input`].

use alloc::vec::Vec;

use super::files::FileKind;
use super::line::{self, Key, Line};
use super::process::ENDED_BY_BREAK;
use super::{Call, DosError, Refusal};
use crate::FarPointer;
use crate::bios::data;
use crate::cpu::bit;
use crate::host::{FileTree, Host, Stream, Wait};
use crate::session::{End, Session};

/// End of a text (Ctrl-Z).
const END: u8 = 0x1a;
/// Lines that a program may ask for where there are none, and how many until the session ends.
const LINES_BEYOND_MAX: u32 = 100;
const LINES_BEYOND_LAST: u32 = 2 * LINES_BEYOND_MAX;
/// Most bytes that one write takes.
const WRITE_MAX: usize = 0x8000;
/// Longest line that the console device gives (RBIL INT 21/AH=3F: 128 with CR LF).
const LINE_MAX: usize = 126;

/// Whether Ctrl-C is a key like others for a function, or calls INT 23h.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum BreakKey {
    IsSeen,
    Passes,
}

impl<H: Host> Session<H> {
    /// AH=01.
    pub(super) fn character_input_echo(&mut self) -> Call {
        let byte = self.read_character(BreakKey::IsSeen)?;
        self.set_al(byte);
        if byte == 0 || self.terminal_has_echoed()? { Ok(()) } else { self.put(&[byte]) }
    }

    /// AH=07, 08.
    pub(super) fn character_input(&mut self, break_key: BreakKey) -> Call {
        let byte = self.read_character(break_key)?;
        self.set_al(byte);
        Ok(())
    }

    /// AH=02.
    pub(super) fn character_output(&mut self) -> Call {
        let byte = self.dl();
        self.set_al(if byte == b'\t' { b' ' } else { byte });
        self.put(&[byte])
    }

    /// AH=06: output, or with DL=FF input without waiting, ZF set where there is none.
    pub(super) fn direct_console(&mut self) -> Call {
        let byte = self.dl();
        if byte != 0xff {
            self.set_al(byte);
            return self.put_as_it_is(&[byte]);
        }
        self.dos.input.is_raw = true;
        let ready = self.input_is_ready()?;
        self.set_caller_flag(bit::ZERO, !ready);
        if !ready {
            self.set_al(0);
            return Ok(());
        }
        self.character_input(BreakKey::Passes)
    }

    /// AH=09.
    pub(super) fn string_output(&mut self) -> Call {
        let mut text = Vec::new();
        let mut at = self.ds_dx();
        for _ in 0..u16::MAX {
            match self.bus.read8(at) {
                b'$' => break,
                byte => text.push(byte),
            }
            at = at.add(1);
        }
        self.set_al(b'$');
        self.put(&text)
    }

    /// AH=0A: a line of at most the buffer's first byte, less one for CR.
    pub(super) fn buffered_input(&mut self) -> Call {
        let at = self.ds_dx();
        // A buffer of no length takes nothing (MS-DOS 2.0's STRIN.ASM).
        let Some(most) = (self.bus.read8(at) as usize).checked_sub(1) else { return Ok(()) };
        let line = match self.standard_input()? {
            FileKind::Console => {
                let template = self.template(at, most);
                self.edit_line(most, &template)?
            }
            _ => self.read_line(most)?,
        };
        if !self.terminal_has_echoed()? {
            self.put(b"\r")?;
        }
        self.bus.write8(at.add(1), line.len() as u8);
        self.bus.write(at.add(2), &line);
        self.bus.write8(at.add(2 + line.len() as u16), b'\r');
        Ok(())
    }

    /// AH=0B.
    pub(super) fn input_status(&mut self) -> Call {
        self.dos.input.is_raw = false;
        let ready = self.input_is_ready()?;
        self.set_al(if ready { 0xff } else { 0 });
        Ok(())
    }

    /// AH=0C.
    pub(super) fn flush_and_input(&mut self) -> Call {
        if !core::mem::take(&mut self.dos.input.is_flushed) {
            self.clear_keys();
        }
        let called = match self.al() {
            0x01 => self.character_input_echo(),
            0x06 => self.direct_console(),
            0x07 => self.character_input(BreakKey::Passes),
            0x08 => self.character_input(BreakKey::IsSeen),
            0x0a => self.buffered_input(),
            _ => self.answer(0),
        };
        self.dos.input.is_flushed = called == Err(Refusal::Waiting);
        called
    }

    /// INT 29h: a character straight to the console.
    pub(super) fn fast_output(&mut self) -> Call {
        let byte = self.al();
        self.print(&[byte])
    }

    /// Prints on the console.
    pub(crate) fn print(&mut self, bytes: &[u8]) -> Call {
        self.notice_stores();
        self.type_on_screen(bytes);
        self.remember_page();
        self.print_stream(bytes)
    }

    /// Prints on the console where that is a stream of characters, no full screen.
    pub(crate) fn print_stream(&mut self, bytes: &[u8]) -> Call {
        if self.screen.is_full() {
            return Ok(());
        }
        // Without a terminal on standard output, the console is where errors go, if that is one.
        let to_error = !self.dos.output.is_terminal(Stream::Output)
            && self.dos.output.is_terminal(Stream::Error);
        let stream = if to_error { Stream::Error } else { Stream::Output };
        self.dos.output.print(&mut self.host, stream, bytes)?;
        Ok(())
    }

    /// Reads from the console device: a line with CR LF, or with `raw` keys as they come.
    pub(super) fn read_console(
        &mut self,
        raw: bool,
        at: FarPointer,
        len: u16,
    ) -> Result<u16, Refusal> {
        if len == 0 {
            return Ok(0);
        }
        if raw {
            while self.dos.input.partial.len() < len as usize {
                let byte = self.read_key_byte(BreakKey::IsSeen)?;
                self.dos.input.partial.push(byte);
            }
            let bytes = core::mem::take(&mut self.dos.input.partial);
            self.bus.write(at, &bytes);
            return Ok(len);
        }
        if self.dos.input.line.is_empty() {
            let template = core::mem::take(&mut self.dos.input.template);
            let edited = self.edit_line(LINE_MAX, &template);
            self.dos.input.template = template;
            let line = edited?;
            self.dos.input.template.clone_from(&line);
            self.print(b"\r\n")?;
            if line.first() == Some(&END) || self.keys_have_ended() && line.is_empty() {
                return Ok(0);
            }
            self.dos.input.line.extend(line);
            self.dos.input.line.extend(b"\r\n");
        }
        let count = (len as usize).min(self.dos.input.line.len());
        let bytes: Vec<u8> = self.dos.input.line.drain(..count).collect();
        self.bus.write(at, &bytes);
        Ok(count as u16)
    }

    /// Returns whether a character can be read from handle 0 without waiting; lets the program rest
    /// where it has looked in vain for a while.
    pub(super) fn input_is_ready(&mut self) -> Result<bool, Refusal> {
        match self.standard_input()? {
            FileKind::Console => {
                // What the BIOS leaves for Ctrl-Break is no key.
                while data::peek_key(&self.bus) == Some(0) {
                    data::take_key(&mut self.bus);
                }
                self.key_is_ready()
            }
            _ => Ok(true),
        }
    }

    /// Prints through handle 1; tabs become blanks (RBIL INT 21/AH=02), which a terminal sees to itself.
    fn put(&mut self, bytes: &[u8]) -> Call {
        let entry = self.entry(1)?;
        if self.dos.files.get(entry)?.kind == FileKind::Console {
            return self.print(bytes);
        }
        // Blanks may make more of it than one write takes.
        let expanded = self.dos.output.expand_tabs(bytes);
        expanded.chunks(WRITE_MAX).try_for_each(|part| self.put_as_it_is(part))
    }

    fn put_as_it_is(&mut self, bytes: &[u8]) -> Call {
        let entry = self.entry(1)?;
        self.write_bytes(entry, bytes)?;
        Ok(())
    }

    /// Returns whether what is read from handle 0 is on the screen already.
    fn terminal_has_echoed(&mut self) -> Result<bool, DosError> {
        let is_stream = matches!(self.standard_input()?, FileKind::Stream(_));
        Ok(is_stream && self.host.echoes_input())
    }

    fn standard_input(&mut self) -> Result<FileKind, DosError> {
        let entry = self.entry(0)?;
        Ok(self.dos.files.get(entry)?.kind)
    }

    /// Reads a character from handle 0; 1A at the end.
    fn read_character(&mut self, break_key: BreakKey) -> Result<u8, Refusal> {
        match self.standard_input()? {
            FileKind::Console => self.read_key_byte(break_key),
            _ => Ok(self.read_byte()?.unwrap_or(END)),
        }
    }

    /// Reads a byte from handle 0, which is no terminal; nothing at the end.
    fn read_byte(&mut self) -> Result<Option<u8>, Refusal> {
        let entry = self.entry(0)?;
        let file = self.dos.files.get(entry)?.clone();
        let mut byte = [0];
        let count = match file.kind {
            FileKind::Stream(_) => {
                self.flush_output();
                self.host.read_input(Wait::Forever, &mut byte)?
            }
            FileKind::File(node) => {
                self.host.files().read(node, file.position as u64, &mut byte)?
            }
            _ => 0,
        };
        let file = self.dos.files.get(entry)?;
        file.position = file.position.wrapping_add(count as u32);
        if count > 0 {
            self.dos.input.beyond_end = 0;
        }
        Ok((count > 0).then_some(byte[0]))
    }

    /// Reads a key as DOS gives it: keys without a character in two halves, the first one 0.
    pub(super) fn read_key_byte(&mut self, break_key: BreakKey) -> Result<u8, Refusal> {
        if let Some(scan) = self.dos.input.second_half.take() {
            return Ok(scan);
        }
        self.dos.input.is_raw = break_key == BreakKey::Passes;
        let key = loop {
            match self.next_key()? {
                // What the BIOS leaves for Ctrl-Break is no key.
                Some(0) => {}
                Some(key) => break key,
                None => return Ok(END),
            }
        };
        let [scan, character] = key.to_be_bytes();
        let character = match (scan, character) {
            // The key pad's Enter and slash, and keys that the first keyboards had not.
            (0xe0, character) => character,
            (1.., 0xe0) => 0,
            _ => character,
        };
        if character == 0 {
            self.dos.input.second_half = Some(scan);
        }
        if character == 3 && break_key == BreakKey::IsSeen {
            return Err(self.break_typed());
        }
        Ok(character)
    }

    /// Lets a person type a line on the terminal, with echo, up to Enter; the template is the last
    /// line. What was typed is kept while the function waits.
    fn edit_line(&mut self, most: usize, template: &[u8]) -> Result<Vec<u8>, Refusal> {
        loop {
            let key = match self.read_key_byte(BreakKey::IsSeen)? {
                END if self.keys_have_ended() => break,
                0 => Key::Scan(self.dos.input.second_half.take().unwrap_or(0)),
                byte => Key::Character(byte),
            };
            let line = &mut self.dos.input.editing;
            let line = line.get_or_insert_with(|| Line::new(most, template.to_vec()));
            let Some(shown) = line.key(key) else { break };
            self.print(&shown)?;
        }
        Ok(self.dos.input.editing.take().map_or_else(Vec::new, Line::into_text))
    }

    /// Returns the line that a buffer of AH=0A holds from the last time, if it ends as one.
    fn template(&self, at: FarPointer, most: usize) -> Vec<u8> {
        let len = usize::from(self.bus.read8(at.add(1)));
        if len > most || self.bus.read8(at.add(2 + len as u16)) != b'\r' {
            return Vec::new();
        }
        let mut template = alloc::vec![0; len];
        self.bus.read(at.add(2), &mut template);
        template
    }

    /// Counts a line that a program asks for where its input has ended. Shells, debuggers and editors ask
    /// for ever and would print as much: one is ended as by Ctrl-C, and then the session.
    fn line_beyond_end(&mut self) -> Call {
        self.dos.input.beyond_end += 1;
        match self.dos.input.beyond_end {
            LINES_BEYOND_MAX => self.terminate(0, ENDED_BY_BREAK),
            0..LINES_BEYOND_LAST => Ok(()),
            _ => {
                self.finish(End::Exit(0));
                Err(Refusal::Switched)
            }
        }
    }

    /// Reads a line of a stream or file and echoes it; CR, LF or both end it.
    fn read_line(&mut self, most: usize) -> Result<Vec<u8>, Refusal> {
        let mut line = Vec::new();
        loop {
            let byte = self.read_byte()?;
            let after_return = core::mem::take(&mut self.dos.input.after_return);
            match byte {
                None if line.is_empty() => {
                    self.line_beyond_end()?;
                    break;
                }
                None => break,
                Some(b'\n') if after_return && line.is_empty() => continue,
                Some(b'\n') => break,
                Some(b'\r') => {
                    self.dos.input.after_return = true;
                    break;
                }
                Some(byte) if line.len() < most => line.push(byte),
                Some(_) => {}
            }
        }
        if !self.terminal_has_echoed()? {
            let mut shown = Vec::with_capacity(line.len());
            line.iter().for_each(|byte| line::show(*byte, &mut shown));
            self.put(&shown)?;
        }
        Ok(line)
    }
}
