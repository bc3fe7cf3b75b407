/* Executes coprocessor instructions on the host's own, for tests/x87.rs: each record of standard input
   has operands and an instruction or some, of 13 bytes at most; the answer is the record with the state that
   FNSAVE stores. The same bytes are executed in 16-bit mode by the test, with BX in the place of RDI. */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

struct record {
    unsigned char control[2], length, code[13];
    unsigned char first[16], second[16], memory[16];
    unsigned char state[112];
};

int main(void) {
    /* fninit; fldcw [rdi]; fld tbyte [rdi+32]; fld tbyte [rdi+16] */
    static const unsigned char before[] = {0xdb, 0xe3, 0xd9, 0x6f, 0, 0xdb, 0x6f, 32, 0xdb, 0x6f, 16};
    /* fnsave [rdi+64]; ret */
    static const unsigned char after[] = {0xdd, 0x77, 64, 0xc3};
    unsigned char *code = mmap(0, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
                               MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct record record;
    if (code == MAP_FAILED)
        return 1;
    memcpy(code, before, sizeof before);
    while (fread(&record, 64, 1, stdin) == 1) {
        memcpy(code + sizeof before, record.code, record.length);
        memcpy(code + sizeof before + record.length, after, sizeof after);
        ((void (*)(struct record *))code)(&record);
        fwrite(&record, sizeof record, 1, stdout);
    }
    return 0;
}
