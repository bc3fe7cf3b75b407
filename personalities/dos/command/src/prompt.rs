//! The prompt: PROMPT's codes (MS-DOS 5.0 User's Guide, "prompt").

use alloc::vec::Vec;

use crate::clock;
use crate::environment;
use crate::settings;
use crate::system::System;

/// Prompt without the variable PROMPT.
const DEFAULT: &[u8] = b"$N$G";

/// Returns the prompt that is to be shown.
pub fn prompt(system: &mut impl System) -> Vec<u8> {
    let format = environment::variable(system, b"PROMPT").unwrap_or_else(|| DEFAULT.to_vec());
    let mut text = Vec::new();
    let mut rest = &format[..];
    while let [byte, after @ ..] = rest {
        rest = after;
        match (byte, after) {
            (b'$', [code, after @ ..]) => {
                text.extend(coded(system, code.to_ascii_uppercase()));
                rest = after;
            }
            (b'$', []) => {}
            (byte, _) => text.push(*byte),
        }
    }
    text
}

fn coded(system: &mut impl System, code: u8) -> Vec<u8> {
    let letter = |system: &mut _| alloc::vec![b'A' + System::drive(system)];
    match code {
        b'$' | b'=' => alloc::vec![if code == b'$' { b'$' } else { b'=' }],
        b'Q' => b"=".to_vec(),
        b'T' => clock::time_text(&system.clock(), &system.customs()),
        b'D' => clock::date_text(&system.clock(), &system.customs()),
        b'P' => {
            let drive = system.drive();
            let directory = system.directory(drive).unwrap_or_default();
            [&letter(system), &b":\\"[..], &directory].concat()
        }
        b'V' => settings::version_text(system),
        b'N' => letter(system),
        b'G' => b">".to_vec(),
        b'L' => b"<".to_vec(),
        b'B' => b"|".to_vec(),
        b'_' => b"\r\n".to_vec(),
        b'E' => b"\x1b".to_vec(),
        b'H' => b"\x08 \x08".to_vec(),
        _ => Vec::new(),
    }
}
