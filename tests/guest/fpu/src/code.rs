//! The threads' code.

use alloc::vec::Vec;

/// Where a thread can begin.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u64)]
pub enum Entry {
    /// Loads the pattern at rdi; ends with `ud2`.
    Load = 0,
    /// Loads the pattern at rdi, then goes on as [`Entry::Call`].
    LoadAndCall = 0x400,
    /// Executes `syscall`, then goes on as [`Entry::Save`].
    Call = 0x800,
    /// Saves the state to rsi; ends with `ud2`.
    Save = 0xc00,
}

/// Bytes of the pattern of AVX registers: sixteen of 32 bytes.
pub const VECTORS: usize = 512;
/// Numbers of the pattern of x87 registers: eight of 8 bytes.
pub const NUMBERS: usize = 8;

/// `ud2`, `syscall` (Intel SDM 2B).
const UD2: [u8; 2] = [0x0f, 0x0b];
const SYSCALL: [u8; 2] = [0x0f, 0x05];

/// Returns the page of code.
pub fn code() -> Vec<u8> {
    let mut page = Vec::new();
    page.extend(load());
    page.extend(UD2);
    page.resize(Entry::LoadAndCall as usize, 0xcc);
    page.extend(load());
    jump(&mut page, Entry::Call);
    page.resize(Entry::Call as usize, 0xcc);
    page.extend(SYSCALL);
    jump(&mut page, Entry::Save);
    page.resize(Entry::Save as usize, 0xcc);
    // fnop; mov eax, 7; xor edx, edx; xsave64 [rsi]. The first is there because QEMU 7.2 lets XSAVE
    // pass where CR0.TS is set, which the manual forbids (Intel SDM 1 13.7).
    page.extend([0xd9, 0xd0, 0xb8, 7, 0, 0, 0, 0x31, 0xd2, 0x48, 0x0f, 0xae, 0x26]);
    page.extend(UD2);
    page
}

/// Returns the code that loads all registers from the pattern at rdi.
fn load() -> Vec<u8> {
    let mut code = Vec::new();
    for register in 0..16u8 {
        // vmovups ymm, [rdi + disp32]: VEX.256.0F 10 /r (Intel SDM 2B MOVUPS).
        let vex = if register < 8 { 0xfc } else { 0x7c };
        code.extend([0xc5, vex, 0x10, 0x87 | (register & 7) << 3]);
        code.extend((u32::from(register) * 32).to_le_bytes());
    }
    // fninit, then fld qword [rdi + disp32]: DD /0 (Intel SDM 2A FLD).
    code.extend([0xdb, 0xe3]);
    for number in 0..NUMBERS as u32 {
        code.extend([0xdd, 0x87]);
        code.extend((VECTORS as u32 + number * 8).to_le_bytes());
    }
    code
}

fn jump(page: &mut Vec<u8>, to: Entry) {
    let next = page.len() as i64 + 5;
    page.push(0xe9);
    page.extend(((to as i64 - next) as i32).to_le_bytes());
}

#[cfg(test)]
mod tests {
    use super::{Entry, code};

    #[test]
    fn each_part_begins_where_its_entry_says() {
        let page = code();
        assert!(page.len() <= 4096);
        let at = |entry: Entry| &page[entry as usize..][..2];
        assert_eq!(at(Entry::Load), [0xc5, 0xfc]);
        assert_eq!(at(Entry::LoadAndCall), [0xc5, 0xfc]);
        assert_eq!(at(Entry::Call), [0x0f, 0x05]);
        assert_eq!(at(Entry::Save), [0xd9, 0xd0]);
    }
}
