//! CHOICE: waits for one of some keys; the exit code tells which.
//!
//! ```text
//!   CHOICE [/C[:]keys] [/N] [/S] [/T[:]c,nn] [text]
//!
//!   key that may wait:  Request::Key ─► is it one?
//!   with /T:  Request::Status ─► none ─► time is up? ─► rest ─► Request::Status …
//! ```
//!
//! Source: MS-DOS 6 Help, "choice".

use alloc::vec::Vec;

use crate::shell::{Reply, Request, Shell, Waiting};
use crate::system::{Input, System};
use crate::text::{parse_number, trim};

const FAILED: u8 = 255;
const BELL: &[u8] = b"\x07";
/// What a stream gives that has ended: Ctrl-Z.
const END: u8 = 0x1a;
/// How long it rests between two looks for a key, ms.
const REST_MS: u64 = 50;
const SECOND_MS: u64 = 1000;

/// What is waited for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Choice {
    keys: Vec<u8>,
    /// /S: capitals count.
    is_exact: bool,
    /// /N: the keys are not shown.
    is_bare: bool,
    text: Vec<u8>,
    /// /T: the key that is taken after so many seconds.
    default: Option<(u8, u32)>,
    /// When that is, ms of the monotonic clock.
    due: u64,
    /// Whether the last request was for a key, not for whether there is one.
    reads: bool,
}

impl Choice {
    /// Takes the command's tail apart.
    fn parse(tail: &[u8]) -> Result<Choice, &'static [u8]> {
        let [is_exact, is_bare, reads] = [false; 3];
        let (keys, text) = (b"YN".to_vec(), Vec::new());
        let mut choice = Choice { keys, is_exact, is_bare, text, default: None, due: 0, reads };
        let mut rest = trim(tail);
        while let [b'/', letter, after @ ..] = rest {
            let ends = |byte: &u8| byte.is_ascii_whitespace() || *byte == b'/';
            let (value, after) = after.split_at(after.iter().position(ends).unwrap_or(after.len()));
            let value = value.strip_prefix(b":").unwrap_or(value);
            match letter.to_ascii_uppercase() {
                b'C' if !value.is_empty() => choice.keys = value.to_vec(),
                b'N' => choice.is_bare = true,
                b'S' => choice.is_exact = true,
                b'T' => choice.default = Some(default(value).ok_or(TIMEOUT)?),
                _ => return Err(b"CHOICE: invalid switch"),
            }
            rest = after.trim_ascii_start();
        }
        choice.text = rest.strip_prefix(b"\"").unwrap_or(rest).to_vec();
        if choice.text.len() < rest.len() && choice.text.ends_with(b"\"") {
            choice.text.pop();
        }
        if !choice.is_exact {
            choice.keys.make_ascii_uppercase();
        }
        match choice.default {
            Some((key, _)) if choice.place(key).is_none() => Err(TIMEOUT),
            _ => Ok(choice),
        }
    }

    /// Returns the exit code of a key.
    fn place(&self, key: u8) -> Option<u8> {
        let key = if self.is_exact { key } else { key.to_ascii_uppercase() };
        let at = self.keys.iter().position(|known| *known == key)?;
        u8::try_from(at + 1).ok()
    }

    fn prompt(&self) -> Vec<u8> {
        let mut text = self.text.clone();
        if !self.is_bare {
            let keys: Vec<&[u8]> = self.keys.chunks(1).collect();
            text.extend([&b"["[..], &keys.join(&b','), b"]?"].concat());
        }
        text
    }
}

const TIMEOUT: &[u8] = b"CHOICE: /T needs one of the keys and 0 to 99 seconds";

/// Returns key and seconds of `c,nn`.
fn default(value: &[u8]) -> Option<(u8, u32)> {
    let [key, b',', digits @ ..] = value else { return None };
    Some((*key, parse_number(digits).filter(|seconds| *seconds <= 99)?))
}

impl Shell {
    pub(super) fn choice<S: System>(&mut self, system: &mut S, tail: &[u8]) {
        let mut choice = match Choice::parse(tail) {
            Ok(choice) => choice,
            Err(text) => return self.fail_tool(system, FAILED, text),
        };
        self.say(system, &choice.prompt());
        if system.input() != Input::Keys {
            return self.choose_from_file(system, &choice);
        }
        let seconds = choice.default.map_or(0, |(_, seconds)| seconds);
        choice.due = system.milliseconds() + u64::from(seconds) * SECOND_MS;
        self.await_choice(choice, Request::Status);
    }

    /// Takes up what came of a request.
    pub(crate) fn take_choice<S: System>(&mut self, system: &mut S, choice: Choice, reply: Reply) {
        let Reply::Done(ax) = reply else {
            self.errorlevel = FAILED;
            return;
        };
        let al = ax as u8;
        match choice.default {
            _ if choice.reads => match choice.place(al) {
                Some(code) => self.chosen(system, &choice, code),
                // The input has ended.
                None if al == END => {
                    let code = choice.default.and_then(|(key, _)| choice.place(key));
                    self.chosen(system, &choice, code.unwrap_or(FAILED));
                }
                None => {
                    self.say(system, BELL);
                    self.await_choice(choice, Request::Status);
                }
            },
            // There is a key, or only one will do.
            _ if al != 0 => self.await_choice(choice, Request::Key),
            None => self.await_choice(choice, Request::Key),
            Some((key, _)) if system.milliseconds() >= choice.due => {
                let code = choice.place(key).unwrap_or(FAILED);
                self.chosen(system, &choice, code);
            }
            Some(_) => {
                system.rest(REST_MS);
                self.await_choice(choice, Request::Status);
            }
        }
    }

    fn await_choice(&mut self, choice: Choice, request: Request) {
        let reads = request == Request::Key;
        self.request = Some(request);
        self.waiting = Waiting::Choice(Choice { reads, ..choice });
    }

    /// Takes the first of the keys that a file or pipe has; at its end the default.
    fn choose_from_file<S: System>(&mut self, system: &mut S, choice: &Choice) {
        let mut key = [0];
        while system.read(0, &mut key) == Ok(1) {
            if let Some(code) = choice.place(key[0]) {
                return self.chosen(system, choice, code);
            }
        }
        let code = choice.default.and_then(|(key, _)| choice.place(key));
        self.chosen(system, choice, code.unwrap_or(FAILED));
    }

    fn chosen<S: System>(&mut self, system: &mut S, choice: &Choice, code: u8) {
        let key = choice.keys.get(usize::from(code).wrapping_sub(1));
        let text: Vec<u8> = key.into_iter().chain(b"\r\n").copied().collect();
        self.say(system, &text);
        self.errorlevel = code;
    }
}

#[cfg(test)]
mod tests {
    use super::Choice;

    #[test]
    fn arguments_are_read() {
        let choice = Choice::parse(b" /c:abc/n /T:b,05 Which, then").unwrap();
        assert_eq!((&choice.keys[..], choice.is_bare), (&b"ABC"[..], true));
        assert_eq!(choice.default, Some((b'b', 5)));
        assert_eq!(choice.prompt(), b"Which, then");
        assert_eq!(Choice::parse(b" /Cxy \"Go \"").unwrap().prompt(), b"Go [X,Y]?");
        for tail in [&b"/x"[..], b"/c", b"/t:y", b"/t:q,5", b"/t:y,100"] {
            assert!(Choice::parse(tail).is_err(), "{tail:?}");
        }
    }

    #[test]
    fn keys_have_their_place() {
        let choice = Choice::parse(b"/cabc").unwrap();
        assert_eq!([b'a', b'C', b'x'].map(|key| choice.place(key)), [Some(1), Some(3), None]);
        assert_eq!(Choice::parse(b"/s /caA").unwrap().place(b'A'), Some(2));
    }
}
