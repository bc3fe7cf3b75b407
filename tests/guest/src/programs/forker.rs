//! A program that forks with every SSE, AVX and x87 register in use, and looks at them afterwards.
//!
//! ```text
//!   load pattern ─> fork ─┬─ child:  compare, load the other pattern, exit 33
//!                         └─ parent: compare, wait for 33, compare, print, exit 0
//! ```
//! What it calls is Linux' (syscall numbers: arch/x86/entry/syscalls/syscall_64.tbl).

/// What it prints where all registers are what they were.
pub const PRINTS: &str = "registers kept\n";

/// Sixteen AVX registers, eight x87 numbers, MXCSR.
const NUMBERS_AT: u32 = 16 * 32;
const MXCSR_AT: u32 = NUMBERS_AT + 8 * 8;
const PATTERN_BYTES: u32 = MXCSR_AT + 4;
/// MXCSR after reset, but with rounding toward zero (Intel SDM 1 10.2.3).
const MXCSR: u32 = 0x1f80 | 3 << 13;
/// Where the compared registers lie below the stack's top, and the child's status.
const BUFFER: i32 = -4096;
const STATUS: i32 = -64;
/// The child's exit status.
const CHILD: u32 = 33;

const WRITE: u32 = 1;
const FORK: u32 = 57;
const EXIT: u32 = 60;
const WAIT4: u32 = 61;

/// Returns the program's code; it begins at its first byte.
pub fn code() -> Vec<u8> {
    let mut code = Code(vec![0xe9, 0, 0, 0, 0]); // jmp main
    let (pattern, other) = (code.put(&self::pattern(1)), code.put(&self::pattern(77)));
    let text = code.put(PRINTS.as_bytes());
    let load = code.load();
    let compare = code.compare(pattern);
    let main = code.0.len();
    let distance = main as u32 - 5;
    code.0[1..5].copy_from_slice(&distance.to_le_bytes());

    code.address_in_rdi(pattern);
    code.branch(&[0xe8], load);
    code.call_linux(FORK);
    code.put(&[0x89, 0xc3]); // mov ebx, eax
    code.branch(&[0xe8], compare);
    let unless_equal = code.forward(&[0x0f, 0x85]); // jne failure
    code.put(&[0x85, 0xdb]); // test ebx, ebx
    let parent = code.forward(&[0x0f, 0x85]); // jnz parent
    code.address_in_rdi(other);
    code.branch(&[0xe8], load);
    code.exit(CHILD);

    code.land(parent);
    // mov edi, ebx; lea rsi, [rsp + STATUS]; xor edx, edx; xor r10d, r10d
    code.put(&[0x89, 0xdf, 0x48, 0x8d, 0xb4, 0x24]);
    code.put(&STATUS.to_le_bytes());
    code.put(&[0x31, 0xd2, 0x45, 0x31, 0xd2]);
    code.call_linux(WAIT4);
    // cmp dword [rsp + STATUS], CHILD << 8 (wait status: exit code in bits 8 to 15)
    code.put(&[0x81, 0xbc, 0x24]);
    code.put(&STATUS.to_le_bytes());
    code.put(&(CHILD << 8).to_le_bytes());
    let unless_ended = code.forward(&[0x0f, 0x85]);
    code.branch(&[0xe8], compare);
    let unless_still = code.forward(&[0x0f, 0x85]);
    code.address_in_rdi(text);
    code.put(&[0x48, 0x89, 0xfe, 0xbf, 1, 0, 0, 0, 0xba]); // mov rsi, rdi; mov edi, 1; mov edx, …
    code.put(&(PRINTS.len() as u32).to_le_bytes());
    code.call_linux(WRITE);
    code.exit(0);
    for failure in [unless_equal, unless_ended, unless_still] {
        code.land(failure);
    }
    code.exit(1);
    code.0
}

/// Returns what the registers hold: no two alike, normal numbers for the x87.
fn pattern(number: u8) -> Vec<u8> {
    let byte = |at: u32| (at as u8).wrapping_mul(7).wrapping_add(number) | 1;
    let mut bytes: Vec<u8> = (0..NUMBERS_AT).map(byte).collect();
    for place in 0..8u64 {
        bytes.extend((0x3ff << 52 | u64::from(number) << 32 | (0x1234 + place)).to_le_bytes());
    }
    bytes.extend(MXCSR.to_le_bytes());
    bytes
}

/// Machine code that grows (Intel SDM 2).
struct Code(Vec<u8>);

impl Code {
    /// Adds bytes; returns where they begin.
    fn put(&mut self, bytes: &[u8]) -> usize {
        let at = self.0.len();
        self.0.extend(bytes);
        at
    }

    /// Adds a routine that loads all registers from rdi.
    fn load(&mut self) -> usize {
        let at = self.0.len();
        self.vectors(0x10, 7);
        self.put(&[0xdb, 0xe3]); // fninit
        for number in 0..8 {
            self.with_place(&[0xdd, 0x87], NUMBERS_AT + number * 8); // fld qword [rdi + …]
        }
        self.with_place(&[0x0f, 0xae, 0x97], MXCSR_AT); // ldmxcsr [rdi + …]
        self.put(&[0xc3]);
        at
    }

    /// Adds a routine that compares all registers with a pattern: ZF tells whether they are
    /// equal. The x87's are in use afterwards as before.
    fn compare(&mut self, pattern: usize) -> usize {
        let at = self.put(&[0x48, 0x8d, 0xb4, 0x24]); // lea rsi, [rsp + BUFFER]
        self.put(&BUFFER.to_le_bytes());
        self.vectors(0x11, 6);
        for number in (0..8).rev() {
            self.with_place(&[0xdd, 0x9e], NUMBERS_AT + number * 8); // fstp qword [rsi + …]
        }
        for number in 0..8 {
            self.with_place(&[0xdd, 0x86], NUMBERS_AT + number * 8); // fld qword [rsi + …]
        }
        self.with_place(&[0x0f, 0xae, 0x9e], MXCSR_AT); // stmxcsr [rsi + …]
        self.address_in_rdi(pattern);
        self.with_place(&[0xb9], PATTERN_BYTES); // mov ecx, …
        self.put(&[0xf3, 0xa6, 0xc3]); // repe cmpsb; ret
        at
    }

    /// vmovups between each ymm and [base + …]: VEX.256.0F 10 or 11 /r.
    fn vectors(&mut self, opcode: u8, base: u8) {
        for register in 0..16u8 {
            let vex = if register < 8 { 0xfc } else { 0x7c };
            let operands = 0x80 | (register & 7) << 3 | base;
            self.with_place(&[0xc5, vex, opcode, operands], u32::from(register) * 32);
        }
    }

    fn with_place(&mut self, instruction: &[u8], place: u32) {
        self.put(instruction);
        self.put(&place.to_le_bytes());
    }

    /// Adds an instruction with a distance to a place before it.
    fn branch(&mut self, instruction: &[u8], to: usize) {
        self.put(instruction);
        let distance = to as i32 - (self.0.len() as i32 + 4);
        self.put(&distance.to_le_bytes());
    }

    fn address_in_rdi(&mut self, of: usize) {
        self.branch(&[0x48, 0x8d, 0x3d], of); // lea rdi, [rip + …]
    }

    /// Adds a branch to a place that comes later; returns what [`Code::land`] is to be told.
    fn forward(&mut self, instruction: &[u8]) -> usize {
        self.with_place(instruction, 0);
        self.0.len()
    }

    /// Lets a branch lead here.
    fn land(&mut self, branch: usize) {
        let distance = (self.0.len() - branch) as u32;
        self.0[branch - 4..branch].copy_from_slice(&distance.to_le_bytes());
    }

    fn call_linux(&mut self, number: u32) {
        self.with_place(&[0xb8], number); // mov eax, …
        self.put(&[0x0f, 0x05]); // syscall
    }

    fn exit(&mut self, status: u32) {
        self.with_place(&[0xbf], status); // mov edi, …
        self.call_linux(EXIT);
    }
}
