# The boot path; see boot.rs. Everything here runs at its physical address.

# Multiboot2 header: modules are to be page aligned (Multiboot2 3.1.2, 3.1.9).
.section .boot.header, "a", @progbits
.balign 8
multiboot2_header:
        .long 0xe85250d6, 0, multiboot2_end - multiboot2_header
        .long -(0xe85250d6 + multiboot2_end - multiboot2_header)
        .short 6, 0
        .long 8
        .short 0, 0
        .long 8
multiboot2_end:

# PVH: an ELF note with the physical entry point (XEN_ELFNOTE_PHYS32_ENTRY = 18).
.section .note.pvh, "a", @note
        .balign 4
        .long 4, 8, 18
        .asciz "Xen"
        .quad entry_pvh

# Page tables for the way up: 4 GiB in large pages.
.section .boot.bss, "aw", @nobits
        .balign 4096
boot_root:
        .skip 4096
boot_low:
        .skip 4096
boot_high:
        .skip 4096
boot_pages:
        .skip 4 * 4096
.globl boot_ticks
boot_ticks:
        .skip 8

.section .boot.text, "ax", @progbits
.code32
.globl entry_multiboot2
entry_multiboot2:
        cli
        mov     $2, %edi
        cmp     $0x36d76289, %eax
        je      1f
        xor     %edi, %edi
        jmp     1f
entry_pvh:
        cli
        mov     $1, %edi
1:      cld
        mov     %ebx, %esi
        rdtsc
        mov     %eax, boot_ticks
        mov     %edx, boot_ticks + 4
        # 2,048 entries of 2 MiB: present, writable, large.
        xor     %ecx, %ecx
2:      mov     %ecx, %eax
        shl     $21, %eax
        or      $0x83, %eax
        mov     %eax, boot_pages(, %ecx, 8)
        inc     %ecx
        cmp     $2048, %ecx
        jne     2b
        mov     $boot_pages + 3, %eax
        xor     %ecx, %ecx
3:      mov     %eax, boot_low(, %ecx, 8)
        add     $4096, %eax
        inc     %ecx
        cmp     $4, %ecx
        jne     3b
        movl    $boot_pages + 3, boot_high + 510 * 8
        movl    $boot_low + 3, boot_root
        movl    $boot_low + 3, boot_root + 256 * 8
        movl    $boot_high + 3, boot_root + 511 * 8

# From 32-bit mode to 64 bits; edi is 3 for a processor other than the first.
up:     mov     $boot_root, %eax
        mov     %eax, %cr3
        mov     %cr4, %eax
        or      $0x20, %eax             # PAE
        mov     %eax, %cr4
        mov     $0xc0000080, %ecx       # EFER: SCE, LME, NXE
        rdmsr
        or      $0x901, %eax
        wrmsr
        mov     %cr0, %eax
        or      $0x80010001, %eax       # PG, WP, PE
        and     $0x9fffffff, %eax       # caches on
        mov     %eax, %cr0
        lgdt    boot_gdt_pointer
        ljmp    $0x08, $4f
.code64
4:      mov     $0x10, %eax
        mov     %eax, %ds
        mov     %eax, %es
        mov     %eax, %ss
        xor     %eax, %eax
        mov     %eax, %fs
        mov     %eax, %gs
        lldt    %ax
        cmp     $3, %edi
        je      5f
        movabs  ${stack} + {stack_bytes}, %rsp
        xor     %ebp, %ebp
        movabs  ${main}, %rax
        call    *%rax
5:      movabs  ${other}, %rax
        jmp     *%rax

.code32
other_protected:
        mov     $0x10, %eax
        mov     %eax, %ds
        mov     %eax, %es
        mov     %eax, %ss
        mov     $3, %edi
        jmp     up

# Another processor's beginning, in real mode (Intel SDM 3A 9.4.4.1); runs as a copy at the
# beginning of some page, which is what cs says.
.code16
.globl start_other
start_other:
        cli
        cld
        mov     %cs, %ax
        mov     %ax, %ds
        lgdtl   start_other_gdt - start_other
        mov     %cr0, %eax
        or      $1, %al
        mov     %eax, %cr0
        ljmpl   $0x18, $other_protected
.balign 4
start_other_gdt:
        .short 31
        .long boot_gdt
.globl start_other_end
start_other_end:
.code64

# Kernel code and data, kernel code of 32 bits; accessed bits are set, nobody writes here.
.balign 8
boot_gdt:
        .quad 0, 0x00af9b000000ffff, 0x00cf93000000ffff, 0x00cf9b000000ffff
boot_gdt_pointer:
        .short 31
        .long boot_gdt
.text
