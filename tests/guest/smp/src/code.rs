//! What threads of the test run: instructions, byte by byte (Intel SDM 2), for no compiler knows
//! what may happen to a page under its feet.
//!
//! Those that may share a processor with others in QEMU's instruction clock `pause`, which lets
//! QEMU 7.2 go on with the next processor: else it stays with the first that is not idle.
//!
//! ```text
//!   register   in all of them
//!   rsi        address of a word that is incremented in each round
//!   rdx        address of a word that is incremented where something is wrong
//! ```

/// Increments the word at rdi for ever.
pub const HAMMER: &[u8] = &[
    0x48, 0xff, 0x07, // inc qword [rdi]
    0x48, 0xff, 0x06, // inc qword [rsi]
    0xeb, 0xf8, // jmp to the first
];

/// Spins for ever.
pub const SPIN: &[u8] = &[
    0x48, 0xff, 0x06, // inc qword [rsi]
    0xf3, 0x90, // pause
    0xeb, 0xf9, // jmp to the first
];

/// Waits for the notification in rbx and signals the one in rbp, for ever.
pub const PONG: &[u8] = &[
    0xb8, 7, 0, 0, 0, // mov eax, Wait
    0x49, 0x89, 0xdc, // mov r12, rbx
    0x49, 0x83, 0xce, 0xff, // or r14, FOREVER
    0x0f, 0x05, // syscall
    0xb8, 6, 0, 0, 0, // mov eax, Signal
    0x49, 0x89, 0xec, // mov r12, rbp
    0xbf, 1, 0, 0, 0, // mov edi, 1
    0x0f, 0x05, // syscall
    0xeb, 0xe1, // jmp to the first
];

/// Answers calls to the endpoint in rbx with their first word incremented, for ever.
pub const ECHO: &[u8] = &[
    0xb8, 3, 0, 0, 0, // mov eax, Receive
    0x49, 0x89, 0xdc, // mov r12, rbx
    0x49, 0x83, 0xce, 0xff, // or r14, FOREVER
    0x0f, 0x05, // syscall
    0xb8, 5, 0, 0, 0, // mov eax, ReplyReceive
    0x49, 0x89, 0xdf, // mov r15, rbx
    0x45, 0x31, 0xed, // xor r13d, r13d
    0x49, 0x83, 0xce, 0xff, // or r14, FOREVER
    0x48, 0xff, 0xc7, // inc rdi
    0x0f, 0x05, // syscall
    0xeb, 0xea, // jmp to ReplyReceive
];

/// Hands calls that arrive at the endpoint in rbx over to the one in rbp, with badge 3, for ever.
pub const HAND_BACK: &[u8] = &[
    0xb8, 3, 0, 0, 0, // mov eax, Receive
    0x49, 0x89, 0xdc, // mov r12, rbx
    0x49, 0x83, 0xce, 0xff, // or r14, FOREVER
    0x0f, 0x05, // syscall
    0xb8, 41, 0, 0, 0, // mov eax, HandOver
    0x48, 0x89, 0xef, // mov rdi, rbp
    0xbe, 3, 0, 0, 0, // mov esi, 3
    0x0f, 0x05, // syscall
    0xeb, 0xe1, // jmp to the first
];

/// Makes foreign system calls with the number in rdi, whose answer must be the next number.
pub const CALLER: &[u8] = &[
    0x48, 0x89, 0xf8, // mov rax, rdi
    0x0f, 0x05, // syscall
    0x48, 0xff, 0xc8, // dec rax
    0x48, 0x39, 0xf8, // cmp rax, rdi
    0x74, 0x03, // je past the next
    0x48, 0xff, 0x02, // inc qword [rdx]
    0x48, 0xff, 0x06, // inc qword [rsi]
    0xeb, 0xeb, // jmp to the first
];

/// Looks whether two SSE registers still hold what is in rdi, for ever.
pub const FLOATS: &[u8] = &[
    0x66, 0x48, 0x0f, 0x6e, 0xc7, // movq xmm0, rdi
    0x66, 0x4c, 0x0f, 0x6e, 0xff, // movq xmm15, rdi
    0x66, 0x48, 0x0f, 0x7e, 0xc0, // movq rax, xmm0
    0x48, 0x39, 0xf8, // cmp rax, rdi
    0x75, 0x0a, // jne to the first inc
    0x66, 0x4c, 0x0f, 0x7e, 0xf8, // movq rax, xmm15
    0x48, 0x39, 0xf8, // cmp rax, rdi
    0x74, 0x03, // je past the next
    0x48, 0xff, 0x02, // inc qword [rdx]
    0x48, 0xff, 0x06, // inc qword [rsi]
    0xf3, 0x90, // pause
    0xeb, 0xe2, // jmp to the third
];
