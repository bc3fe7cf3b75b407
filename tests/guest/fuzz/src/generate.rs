//! Drawing a call: its number, then each argument after what it is.

use crate::{Dice, Use, signature};

/// A system call that was drawn.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Call {
    /// Its number.
    pub number: u32,
    /// Its arguments.
    pub words: [u64; 6],
}

/// What a process has that calls can be about.
#[derive(Clone, Copy, Debug)]
pub struct Ground<'g> {
    /// The system calls to choose from.
    pub numbers: &'g [u32],
    /// Addresses of strings: paths that are there, and some that are not.
    pub texts: &'g [u64],
    /// Address and length of memory to be read and written, and after it a hole.
    pub data: (u64, u64),
    /// Address and length of pages to be mapped, protected and unmapped at will.
    pub arena: (u64, u64),
    /// Addresses that make trouble: without memory, or not to be written.
    pub bad: &'g [u64],
    /// Processes and threads to be asked about and signalled.
    pub processes: &'g [u64],
}

/// Calls that end processes, or have them wait without end: exit, exit_group, the ways to send a
/// signal, pause and rt_sigsuspend. They are drawn anew, so that programs live long enough to get
/// into more interesting states.
const ENDINGS: &[u32] = &[34, 60, 62, 129, 130, 200, 231, 234, 297, 424];
/// One in how many of those stays.
const RARELY: u64 = 6;
/// Bytes of a page.
const PAGE: u64 = 4096;
/// Descriptors that a process is likely to have.
const DESCRIPTORS: u64 = 24;
/// `AT_FDCWD`.
const WORKING_DIRECTORY: u64 = -100i64 as u64;

/// Returns a call that is valid in most of its arguments.
pub fn draw(dice: &mut Dice, ground: &Ground<'_>) -> Call {
    let numbers = ground.numbers;
    let known = numbers.get(dice.roll(numbers.len() as u64) as usize).copied().unwrap_or(39);
    let again = ENDINGS.contains(&known) && !dice.one_in(RARELY);
    let known = if again { numbers[dice.roll(numbers.len() as u64) as usize] } else { known };
    let number = if dice.one_in(200) { dice.any() as u32 } else { known };
    let mut words = [0; 6];
    for word in &mut words {
        // What lies in the registers after the last argument must not matter.
        *word = if dice.one_in(4) { dice.boundary() } else { 0 };
    }
    if let Some(uses) = signature(number) {
        for (word, (what, optional)) in words.iter_mut().zip(uses) {
            let left_out = optional && dice.one_in(2);
            *word = if left_out { 0 } else { argument(dice, ground, what, number) };
        }
    }
    Call { number, words }
}

fn argument(dice: &mut Dice, ground: &Ground<'_>, what: Use, number: u32) -> u64 {
    if dice.one_in(40) {
        return dice.boundary();
    }
    match what {
        Use::Descriptor => descriptor(dice),
        Use::Directory if dice.one_in(2) => WORKING_DIRECTORY,
        Use::Directory => descriptor(dice),
        Use::Text if !dice.one_in(12) => dice.pick(ground.texts),
        Use::Text | Use::In | Use::Out | Use::InOut => pointer(dice, ground),
        Use::Ranges | Use::Message | Use::Strings => pointer(dice, ground),
        Use::Address => match dice.roll(4) {
            0 => pointer(dice, ground),
            1 => number_word(dice),
            _ => ground.arena.0 + dice.roll(ground.arena.1 / PAGE) * PAGE,
        },
        Use::Length if dice.one_in(3) => (1 + dice.roll(16)) * PAGE,
        Use::Length => dice.pick(&[0, 1, 4, 8, 8, 8, 16, 24, 64, 88, 128, 4096]),
        Use::Number => number_word(dice),
        Use::Flags => flags(dice, number),
        Use::Process if dice.one_in(8) => 0u64.wrapping_sub(dice.pick(ground.processes)),
        Use::Process => dice.pick(ground.processes),
        Use::Signal => dice.roll(66),
        Use::User => dice.pick(&[0, 1, 1000, 1001, u32::MAX.into(), u64::MAX]),
    }
}

fn descriptor(dice: &mut Dice) -> u64 {
    match dice.roll(24) {
        0 => dice.boundary(),
        1 => dice.pick(&[1023, 1024, u32::MAX.into(), 0x1_0000_0003]),
        2..14 => dice.roll(DESCRIPTORS / 3),
        _ => dice.roll(DESCRIPTORS),
    }
}

fn pointer(dice: &mut Dice, ground: &Ground<'_>) -> u64 {
    let (start, len) = ground.data;
    match dice.roll(16) {
        0 => dice.pick(ground.bad),
        1 => dice.boundary(),
        // The end of what there is.
        2 => start + len - 1 - dice.roll(40),
        3 => start + dice.roll(len),
        _ => start + dice.roll(len / 64) * 64,
    }
}

fn number_word(dice: &mut Dice) -> u64 {
    match dice.roll(10) {
        0..6 => dice.roll(10),
        6 => dice.roll(1 << 20),
        7 => 0o100_644,
        _ => dice.boundary(),
    }
}

/// Returns flags: one or two bits or a small number; for clone, sets of bits that make sense.
fn flags(dice: &mut Dice, number: u32) -> u64 {
    /// clone(2).
    const CLONE: u32 = 56;
    const THREAD: u64 = 0x0005_0f00;
    match number {
        CLONE => match dice.roll(8) {
            0 => THREAD | 1 << (20 + dice.roll(6)),
            1 => 0x4111,
            2 => dice.any(),
            _ => 17 | 1 << (20 + dice.roll(6)),
        },
        _ => match dice.roll(8) {
            0..4 => dice.roll(8),
            4 => 1 << dice.roll(32),
            5 => 1 << dice.roll(22) | 1 << dice.roll(22),
            6 => dice.pick(&[0x22, 0x32, 0x5401, 0x5413, 0x541b, 0x5421, 0x801, 0x80000, 0x1003]),
            _ => dice.boundary(),
        },
    }
}

/// Fills memory with words that structures could be made of.
pub fn scramble(dice: &mut Dice, ground: &Ground<'_>, words: &mut [u64]) {
    for word in words {
        *word = match dice.roll(12) {
            0..5 => dice.roll(12),
            5 => pointer(dice, ground),
            6 => dice.pick(ground.texts),
            7 => dice.boundary(),
            8 => descriptor(dice) | dice.roll(64) << 32,
            9 => dice.roll(1_000_000),
            10 => dice.roll(8) << 32 | dice.roll(300),
            _ => 8,
        };
    }
}
