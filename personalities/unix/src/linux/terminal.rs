//! Requests of ioctl(2) for terminals, and the layouts of their arguments.
//!
//! Numbers: asm-generic/ioctls.h, explained in ioctl_tty(2) and ioctl_console(2). Layouts:
//! asm-generic/termbits.h, `struct termios`, 36 bytes: four flag words, the line discipline, 19
//! control characters; `struct termios2` adds the two speeds.
#![expect(missing_docs, reason = "the names are Linux's")]

use protocols::console::Modes;

pub const TCGETS: u64 = 0x5401;
pub const TCSETS: u64 = 0x5402;
pub const TCSETSW: u64 = 0x5403;
pub const TCSETSF: u64 = 0x5404;
pub const TCSBRK: u64 = 0x5409;
pub const TCXONC: u64 = 0x540a;
pub const TCFLSH: u64 = 0x540b;
pub const TIOCEXCL: u64 = 0x540c;
pub const TIOCNXCL: u64 = 0x540d;
pub const TIOCSCTTY: u64 = 0x540e;
pub const TIOCGPGRP: u64 = 0x540f;
pub const TIOCSPGRP: u64 = 0x5410;
pub const TIOCOUTQ: u64 = 0x5411;
pub const TIOCSTI: u64 = 0x5412;
pub const TIOCGWINSZ: u64 = 0x5413;
pub const TIOCSWINSZ: u64 = 0x5414;
pub const FIONREAD: u64 = 0x541b;
pub const TIOCPKT: u64 = 0x5420;
pub const FIONBIO: u64 = 0x5421;
pub const TIOCNOTTY: u64 = 0x5422;
pub const TIOCSETD: u64 = 0x5423;
pub const TIOCGETD: u64 = 0x5424;
pub const TCSBRKP: u64 = 0x5425;
pub const TIOCGSID: u64 = 0x5429;
pub const TCGETS2: u64 = 0x802c_542a;
pub const TCSETS2: u64 = 0x402c_542b;
pub const TCSETSW2: u64 = 0x402c_542c;
pub const TCSETSF2: u64 = 0x402c_542d;
pub const TIOCGPTN: u64 = 0x8004_5430;
pub const TIOCSPTLCK: u64 = 0x4004_5431;
pub const TIOCGDEV: u64 = 0x8004_5432;
pub const TIOCSIG: u64 = 0x4004_5436;
pub const TIOCGPKT: u64 = 0x8004_5438;
pub const TIOCGPTLCK: u64 = 0x8004_5439;
pub const TIOCGEXCL: u64 = 0x8004_5440;
pub const TIOCGPTPEER: u64 = 0x5441;
pub const FIONCLEX: u64 = 0x5450;
pub const FIOCLEX: u64 = 0x5451;

/// Arguments of `TCFLSH` (tcflush(3)).
pub mod flush {
    pub const INPUT: u64 = 0;
    pub const OUTPUT: u64 = 1;
    pub const BOTH: u64 = 2;
}

/// Arguments of `TCXONC` (tcflow(3)).
pub mod flow {
    pub const OUTPUT_OFF: u64 = 0;
    pub const OUTPUT_ON: u64 = 1;
    pub const INPUT_OFF: u64 = 2;
    pub const INPUT_ON: u64 = 3;
}

/// Bytes of `struct termios`.
pub const TERMIOS_BYTES: usize = 36;
/// Bytes of `struct termios2`.
pub const TERMIOS2_BYTES: usize = 44;
/// Control characters of `struct termios` (`NCCS`).
const CHARACTERS: usize = 19;
/// `TOSTOP` in `c_lflag`: output of background processes stops them.
pub const TOSTOP: u32 = 0o400;
/// Bits per second of the one speed that terminals here have (`B38400`).
const SPEED: u32 = 38_400;

/// Device number of the slave of a pseudo-terminal (Linux admin-guide/devices.txt, 136-143 char).
pub const fn slave_device(number: u32) -> u32 {
    super::structures::device(136 + (number >> 8), number & 0xff)
}

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

/// Returns `struct termios2` for a terminal's modes.
pub fn emit_termios2(modes: &Modes) -> [u8; TERMIOS2_BYTES] {
    let mut bytes = [0; TERMIOS2_BYTES];
    bytes[..TERMIOS_BYTES].copy_from_slice(&emit_termios(modes));
    bytes[36..40].copy_from_slice(&SPEED.to_le_bytes());
    bytes[40..].copy_from_slice(&SPEED.to_le_bytes());
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
        assert_eq!(emit_termios2(&modes)[..36], emit_termios(&modes));
    }
}
