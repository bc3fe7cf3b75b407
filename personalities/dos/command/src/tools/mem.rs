//! MEM: how much memory there is, and with /C, /P or /D who has it.

use alloc::format;
use alloc::vec::Vec;

use crate::options::{Arguments, invalid_switch};
use crate::shell::Shell;
use crate::system::{Block, Memory, System};
use crate::text::right;

const FAILED: u8 = 1;
const FREE: u16 = 0;
/// Owner of DOS's own blocks (RBIL INT 21/AH=52, table 01628).
const SYSTEM_OWNER: u16 = 8;
const PARAGRAPH: u64 = 16;
const KIB: u64 = 1024;

impl Shell {
    pub(super) fn mem<S: System>(&mut self, system: &mut S, tail: &[u8]) {
        const LISTS: [&[u8]; 6] = [b"C", b"CLASSIFY", b"D", b"DEBUG", b"P", b"PROGRAM"];
        let given = Arguments::parse(tail);
        if let Some(switch) = given.unknown(&LISTS) {
            return self.fail_tool(system, FAILED, &invalid_switch(switch));
        }
        if let Some(word) = given.words.first() {
            let text = [b"Too many parameters - ", &word[..]].concat();
            return self.fail_tool(system, FAILED, &text);
        }
        let memory = system.memory();
        if !given.switches.is_empty() {
            self.say(system, &owners(&memory));
        }
        self.say(system, &summary(&memory));
    }
}

/// Returns the lines of MEM without a switch (MS-DOS 5.0 User's Guide, "mem").
fn summary(memory: &Memory) -> Vec<u8> {
    let conventional = u64::from(memory.conventional_kib) * KIB;
    let largest = free(memory).max().unwrap_or(0);
    let extended = u64::from(memory.extended_kib) * KIB;
    let mut text = b"\r\n".to_vec();
    for (bytes, what) in [
        (conventional, &b"bytes total conventional memory"[..]),
        (conventional, b"bytes available to MS-DOS"),
        (largest, b"largest executable program size"),
    ] {
        text.extend([&right(bytes, 10)[..], b" ", what, b"\r\n"].concat());
    }
    text.extend(b"\r\n");
    for (bytes, what) in [
        (extended, &b"bytes total contiguous extended memory"[..]),
        // XMS has all of it.
        (0, b"bytes available contiguous extended memory"),
        (u64::from(memory.xms_free_kib) * KIB, b"bytes available XMS memory"),
    ] {
        text.extend([&right(bytes, 10)[..], b" ", what, b"\r\n"].concat());
    }
    text
}

/// Returns what each owner has, and what is free.
fn owners(memory: &Memory) -> Vec<u8> {
    let mut sums: Vec<(u16, u64)> = Vec::new();
    for block in memory.blocks.iter().filter(|block| block.owner != FREE) {
        match sums.iter_mut().find(|(owner, _)| *owner == block.owner) {
            Some((_, sum)) => *sum += bytes(block),
            None => sums.push((block.owner, bytes(block))),
        }
    }
    let head = "\r\nConventional Memory :\r\n\r\n  \
        Name                Size in Decimal       Size in Hex\r\n\
        -------------      ---------------------   -------------\r\n";
    let mut text = head.as_bytes().to_vec();
    for (owner, sum) in sums {
        text.extend(line(&name(memory, owner), sum));
    }
    for free in free(memory) {
        text.extend(line(b"FREE", free));
    }
    let total = free(memory).sum();
    text.extend(format!("\r\nTotal  FREE :   {total:>10}      ({})\r\n", kib(total)).into_bytes());
    text
}

fn free(memory: &Memory) -> impl Iterator<Item = u64> {
    memory.blocks.iter().filter(|block| block.owner == FREE).map(bytes)
}

fn bytes(block: &Block) -> u64 {
    u64::from(block.paragraphs) * PARAGRAPH
}

/// Returns the name of a program, which its own block has.
fn name(memory: &Memory, owner: u16) -> Vec<u8> {
    let mut blocks = memory.blocks.iter();
    let block = blocks.find(|block| block.segment == owner && block.owner == owner);
    match block {
        _ if owner == SYSTEM_OWNER => b"MSDOS".to_vec(),
        Some(block) if !block.name.is_empty() => block.name.clone(),
        _ => format!("{owner:04X}").into_bytes(),
    }
}

fn line(name: &[u8], sum: u64) -> Vec<u8> {
    let name: alloc::string::String = name.iter().map(|byte| char::from(*byte)).collect();
    format!("  {name:<8}         {sum:>10}      ({}) {sum:>10X}\r\n", kib(sum)).into_bytes()
}

/// Returns bytes as `  4.3K`.
fn kib(bytes: u64) -> alloc::string::String {
    format!("{:>4}.{}K", bytes / KIB, bytes % KIB * 10 / KIB)
}

#[cfg(test)]
mod tests {
    use super::{owners, summary};
    use crate::system::{Block, Memory};
    use alloc::string::String;
    use alloc::vec::Vec;

    fn memory() -> Memory {
        let block = |segment, paragraphs, owner, name: &[u8]| Block {
            segment,
            paragraphs,
            owner,
            name: name.to_vec(),
        };
        let blocks = alloc::vec![
            block(0x100, 0x20, 8, b"SD"),
            block(0x121, 0x10, 0x132, b""),
            block(0x132, 0x100, 0x132, b"COMMAND"),
            block(0x233, 0x1000, 0, b""),
        ];
        Memory { conventional_kib: 640, extended_kib: 4096, xms_free_kib: 4000, blocks }
    }

    fn lines(text: Vec<u8>) -> Vec<String> {
        String::from_utf8(text).unwrap().lines().map(String::from).collect()
    }

    #[test]
    fn the_summary_tells_what_is_free() {
        let lines = lines(summary(&memory()));
        assert_eq!(lines[1], "    655360 bytes total conventional memory");
        assert_eq!(lines[3], "     65536 largest executable program size");
        assert_eq!(lines[7], "   4096000 bytes available XMS memory");
    }

    #[test]
    fn blocks_are_put_to_their_owners() {
        let lines = lines(owners(&memory()));
        assert_eq!(lines[5].split_whitespace().next(), Some("MSDOS"));
        let words: Vec<&str> = lines[6].split_whitespace().collect();
        assert_eq!(words, ["COMMAND", "4352", "(", "4.2K)", "1100"]);
        let words: Vec<&str> = lines[7].split_whitespace().collect();
        assert_eq!(words, ["FREE", "65536", "(", "64.0K)", "10000"]);
    }
}
