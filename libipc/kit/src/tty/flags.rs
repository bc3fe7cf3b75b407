//! Flag bits and control characters of terminal modes.
//!
//! Numbers of Linux (asm-generic/termbits-common.h and termbits.h), meaning as in POSIX chapter
//! 11 and termios(3).

/// Flags of `c_iflag`.
pub mod input {
    /// The eighth bit is cleared.
    pub const ISTRIP: u32 = 0o40;
    /// NL becomes CR.
    pub const INLCR: u32 = 0o100;
    /// CR is dropped.
    pub const IGNCR: u32 = 0o200;
    /// CR becomes NL.
    pub const ICRNL: u32 = 0o400;
    /// STOP and START characters stop and start output.
    pub const IXON: u32 = 0o2000;
    /// Any character starts stopped output.
    pub const IXANY: u32 = 0o4000;
    /// A full queue rings the bell.
    pub const IMAXBEL: u32 = 0o20000;
    /// Characters are UTF-8: erasing removes whole ones.
    pub const IUTF8: u32 = 0o40000;
}

/// Flags of `c_oflag`.
pub mod output {
    /// The other flags count.
    pub const OPOST: u32 = 0o1;
    /// NL becomes CR NL.
    pub const ONLCR: u32 = 0o4;
    /// CR becomes NL.
    pub const OCRNL: u32 = 0o10;
    /// No CR in the first column.
    pub const ONOCR: u32 = 0o20;
    /// NL goes to the first column by itself.
    pub const ONLRET: u32 = 0o40;
    /// Tabs become spaces.
    pub const XTABS: u32 = 0o14000;
}

/// Flags of `c_cflag`.
pub mod control {
    /// 38,400 bits per second, which a virtual line does not have but programs expect.
    pub const B38400: u32 = 0o17;
    /// Eight bits to the character.
    pub const CS8: u32 = 0o60;
    /// Characters can be received.
    pub const CREAD: u32 = 0o200;
    /// The last close hangs up.
    pub const HUPCL: u32 = 0o2000;
}

/// Flags of `c_lflag`.
pub mod local {
    /// INTR, QUIT and SUSP are signals.
    pub const ISIG: u32 = 0o1;
    /// Input is by lines, which can be edited.
    pub const ICANON: u32 = 0o2;
    /// Input is echoed.
    pub const ECHO: u32 = 0o10;
    /// ERASE erases on the screen.
    pub const ECHOE: u32 = 0o20;
    /// KILL begins a new line on the screen.
    pub const ECHOK: u32 = 0o40;
    /// NL is echoed even without ECHO.
    pub const ECHONL: u32 = 0o100;
    /// Signals do not drop the queues.
    pub const NOFLSH: u32 = 0o200;
    /// Control characters are echoed as ^X.
    pub const ECHOCTL: u32 = 0o1000;
    /// KILL erases on the screen.
    pub const ECHOKE: u32 = 0o4000;
    /// LNEXT, WERASE and REPRINT count.
    pub const IEXTEN: u32 = 0o100000;
}

/// Indices of `c_cc`. The character 0 turns a function off.
pub mod character {
    /// Interrupt signal.
    pub const INTR: usize = 0;
    /// Quit signal.
    pub const QUIT: usize = 1;
    /// Erases the last character.
    pub const ERASE: usize = 2;
    /// Erases the line.
    pub const KILL: usize = 3;
    /// End of file; ends a line without being part of it.
    pub const EOF: usize = 4;
    /// Time limit of raw reads in tenths of a second.
    pub const TIME: usize = 5;
    /// Fewest bytes of raw reads.
    pub const MIN: usize = 6;
    /// Starts output.
    pub const START: usize = 8;
    /// Stops output.
    pub const STOP: usize = 9;
    /// Suspend signal.
    pub const SUSP: usize = 10;
    /// Another end of line.
    pub const EOL: usize = 11;
    /// Shows the line again.
    pub const REPRINT: usize = 12;
    /// Erases the last word.
    pub const WERASE: usize = 14;
    /// Takes the next character as it is.
    pub const LNEXT: usize = 15;
    /// Yet another end of line.
    pub const EOL2: usize = 16;
}
