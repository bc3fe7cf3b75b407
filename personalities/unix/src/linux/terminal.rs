//! Requests of ioctl(2) for terminals and the layout of `struct termios`.
//!
//! Numbers: asm-generic/ioctls.h; layout: asm-generic/termbits.h, `struct termios`, 36 bytes:
//! four flag words, the line discipline, 19 control characters.
#![expect(missing_docs, reason = "the names are Linux's")]

use protocols::console::Modes;

pub const TCGETS: u64 = 0x5401;
pub const TCSETS: u64 = 0x5402;
pub const TCSETSW: u64 = 0x5403;
pub const TCSETSF: u64 = 0x5404;
pub const TCSBRK: u64 = 0x5409;
pub const TCFLSH: u64 = 0x540b;
pub const TIOCSCTTY: u64 = 0x540e;
pub const TIOCGPGRP: u64 = 0x540f;
pub const TIOCSPGRP: u64 = 0x5410;
pub const TIOCGWINSZ: u64 = 0x5413;
pub const TIOCSWINSZ: u64 = 0x5414;
pub const FIONREAD: u64 = 0x541b;
pub const FIONBIO: u64 = 0x5421;
pub const TIOCNOTTY: u64 = 0x5422;
pub const TIOCGSID: u64 = 0x5429;
pub const FIONCLEX: u64 = 0x5450;
pub const FIOCLEX: u64 = 0x5451;

/// Bytes of `struct termios`.
pub const TERMIOS_BYTES: usize = 36;
/// Control characters of `struct termios` (`NCCS`).
const CHARACTERS: usize = 19;
/// `TOSTOP` in `c_lflag`: output of background processes stops them.
pub const TOSTOP: u32 = 0o400;

/// Returns `struct termios` for a terminal's modes.
pub fn emit_termios(modes: &Modes) -> [u8; TERMIOS_BYTES] {
    let mut bytes = [0; TERMIOS_BYTES];
    let words = [modes.input, modes.output, modes.control, modes.local];
    for (chunk, word) in bytes.chunks_exact_mut(4).zip(words) {
        chunk.copy_from_slice(&word.to_le_bytes());
    }
    bytes[17..].copy_from_slice(&modes.characters[..CHARACTERS]);
    bytes
}

/// Returns a terminal's modes from `struct termios`.
pub fn parse_termios(bytes: &[u8; TERMIOS_BYTES]) -> Modes {
    let word =
        |at: usize| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
    let mut characters = [0; 24];
    characters[..CHARACTERS].copy_from_slice(&bytes[17..]);
    Modes { input: word(0), output: word(4), control: word(8), local: word(12), characters }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parse_undoes_emit() {
        let mut characters = [0; 24];
        characters[..19].copy_from_slice(b"0123456789abcdefghi");
        let modes = Modes { input: 1, output: 2, control: 0xdead_beef, local: 4, characters };
        assert_eq!(parse_termios(&emit_termios(&modes)), modes);
    }
}
