//! Replaceable parameters of batch lines: `%0` to `%9`, `%NAME%`, `%%`.
//!
//! A variable that does not exist leaves nothing; a `%` without a partner is dropped.

use alloc::vec::Vec;

/// Returns a batch line with its parameters and variables replaced.
pub fn expand(
    line: &[u8],
    parameters: &[Vec<u8>],
    variable: impl Fn(&[u8]) -> Option<Vec<u8>>,
) -> Vec<u8> {
    let (mut text, mut rest) = (Vec::new(), line);
    while let [byte, after @ ..] = rest {
        rest = after;
        if *byte != b'%' {
            text.push(*byte);
            continue;
        }
        match after {
            [b'%', after @ ..] => {
                text.push(b'%');
                rest = after;
            }
            [digit @ b'0'..=b'9', after @ ..] => {
                text.extend(parameters.get((digit - b'0') as usize).into_iter().flatten());
                rest = after;
            }
            _ => {
                let Some(len) = after.iter().position(|byte| *byte == b'%') else { continue };
                text.extend(variable(&after[..len]).unwrap_or_default());
                rest = &after[len + 1..];
            }
        }
    }
    text
}

/// Returns a FOR's command with its variable replaced.
pub fn substitute(command: &[u8], variable: u8, value: &[u8]) -> Vec<u8> {
    let (mut text, mut rest) = (Vec::new(), command);
    while let [byte, after @ ..] = rest {
        rest = after;
        match after {
            [letter, after @ ..] if *byte == b'%' && *letter == variable => {
                text.extend(value);
                rest = after;
            }
            _ => text.push(*byte),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{expand, substitute};
    use alloc::vec::Vec;

    fn of(line: &[u8]) -> Vec<u8> {
        let parameters = [b"me".to_vec(), b"one".to_vec()];
        expand(line, &parameters, |name| (name == b"X").then(|| b"value".to_vec()))
    }

    #[test]
    fn parameters_and_variables_are_replaced() {
        assert_eq!(of(b"%0 %1-%2-%1x"), b"me one--onex");
        assert_eq!(of(b"[%X%][%NONE%]"), b"[value][]");
        assert_eq!(of(b"for %%f in (a)"), b"for %f in (a)");
        assert_eq!(of(b"100% sure"), b"100 sure");
    }

    #[test]
    fn a_loop_variable_is_replaced_everywhere() {
        assert_eq!(substitute(b"copy %f %f.bak %g", b'f', b"A.TXT"), b"copy A.TXT A.TXT.bak %g");
    }
}
