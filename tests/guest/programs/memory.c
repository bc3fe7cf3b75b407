/* What programs may expect of mmap and its relatives: prints a line for each fact, the same on
 * Linux as on Kamen. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#define PAGE 4096L
static sigjmp_buf back;
static volatile int fault_signal, fault_code;
static volatile long fault_offset, fault_error, fault_cr2;
static char *fault_base;
static volatile int armed;

/* Whether what follows runs for the first time, not after a fault. */
#define TRYING (armed = 1, sigsetjmp(back, 1) == 0 || (armed = 0))

static void on_fault(int signal, siginfo_t *info, void *context) {
    ucontext_t *user = context;
    if (!armed) {
        static const char text[] = "unexpected fault\n";
        write(1, text, sizeof text - 1);
        _exit(5);
    }
    fault_signal = signal;
    fault_code = info->si_code;
    fault_offset = (char *)info->si_addr - fault_base;
    fault_error = user->uc_mcontext.gregs[REG_ERR];
    fault_cr2 = user->uc_mcontext.gregs[REG_CR2] - (long)fault_base;
    siglongjmp(back, 1);
}

/* Touches a byte and tells what came of it. */
static void touch(const char *what, char *at, int writes) {
    fault_base = at;
    if (TRYING) {
        if (writes)
            *(volatile char *)at = 1;
        else
            (void)*(volatile char *)at;
        armed = 0;
        printf("%s: fine\n", what);
        return;
    }
    printf("%s: signal %d code %d offset %ld error %ld cr2 %ld\n", what, fault_signal,
           fault_code, fault_offset, fault_error & 6, fault_cr2);
}

static void result(const char *what, long value) {
    if (value == -1)
        printf("%s: errno %d\n", what, errno);
    else
        printf("%s: %s\n", what, value == 0 ? "0" : "ok");
}

static char *map(long len, int protection, int flags, int fd, long offset) {
    return mmap(NULL, len, protection, flags, fd, offset);
}

static char *zeros(long pages) {
    return map(pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static int scratch(long len) {
    char path[] = "/tmp/memoryXXXXXX";
    int fd = mkstemp(path);
    unlink(path);
    for (long at = 0; at < len; at++) {
        char byte = 'a' + at / PAGE % 26;
        if (pwrite(fd, &byte, 1, at) != 1)
            exit(3);
        at += at % 64 ? 0 : 62;
    }
    if (ftruncate(fd, len) != 0)
        exit(4);
    return fd;
}

static void faults(void) {
    char *pages = zeros(3);
    mprotect(pages + PAGE, PAGE, PROT_READ);
    mprotect(pages + 2 * PAGE, PAGE, PROT_NONE);
    touch("write to a read-only page", pages + PAGE + 5, 1);
    touch("read of a read-only page", pages + PAGE + 5, 0);
    touch("read of a page without access", pages + 2 * PAGE, 0);
    mprotect(pages + 2 * PAGE, PAGE, PROT_READ | PROT_WRITE);
    touch("write after mprotect", pages + 2 * PAGE, 1);
    munmap(pages + PAGE, PAGE);
    touch("write where nothing is", pages + PAGE, 1);
    touch("write before the hole", pages, 1);
    fault_base = NULL;
    if (TRYING)
        *(volatile char *)(0x8000000000000000UL) = 1;
    printf("non-canonical: signal %d code %d offset %ld\n", fault_signal, fault_code, fault_offset);
    if (TRYING)
        __asm__ volatile("ud2");
    printf("ud2: signal %d code %d\n", fault_signal, fault_code);
    if (TRYING) {
        volatile int zero = 0;
        __asm__ volatile("idivl %0" ::"m"(zero), "a"(1), "d"(0));
    }
    printf("division: signal %d code %d\n", fault_signal, fault_code);
}

static void files(void) {
    int fd = scratch(2 * PAGE + 100);
    char *shared = map(4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    char *private = map(4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    char *reader = map(2 * PAGE, PROT_READ, MAP_SHARED, fd, PAGE);
    printf("contents %c %c %d\n", shared[0], shared[PAGE], shared[2 * PAGE + 100]);
    touch("last page of a file", shared + 2 * PAGE + 200, 1);
    touch("beyond the end, shared", shared + 3 * PAGE, 1);
    touch("beyond the end, private", private + 3 * PAGE + 7, 0);
    private[1] = 'P';
    shared[2] = 'S';
    shared[PAGE] = 'T';
    char bytes[4] = {0};
    pread(fd, bytes, 3, 0);
    printf("file %c%c%c reader %c private %c\n", bytes[0], bytes[1], bytes[2], reader[0], private[1]);
    pwrite(fd, "W", 1, PAGE + 1);
    printf("written %c %c\n", shared[PAGE + 1], reader[1]);
    ftruncate(fd, 4 * PAGE);
    touch("after the file grew", shared + 3 * PAGE, 1);
    ftruncate(fd, PAGE);
    touch("after the file shrank", shared + PAGE, 0);
    ftruncate(fd, 2 * PAGE);
    printf("grown again %d\n", shared[PAGE]);
    result("msync", msync(shared, 2 * PAGE, MS_SYNC));
    result("msync, both", msync(shared, PAGE, MS_SYNC | MS_ASYNC));
    result("msync, nothing mapped", msync((void *)0x10000000, PAGE, MS_SYNC));
    munmap(shared, 4 * PAGE);
    munmap(reader, 2 * PAGE);
    pread(fd, bytes, 3, 0);
    printf("after munmap %c%c%c\n", bytes[0], bytes[1], bytes[2]);
    shared = map(PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (fork() == 0) {
        shared[10] = 'C';
        _exit(0);
    }
    wait(NULL);
    pread(fd, bytes, 1, 10);
    printf("the child's %c %c\n", shared[10], bytes[0]);
    close(fd);
    printf("closed %c\n", shared[2]);

    fd = open("/tmp/readonly", O_CREAT | O_RDWR | O_TRUNC, 0600);
    write(fd, "x", 1);
    close(fd);
    fd = open("/tmp/readonly", O_RDONLY);
    result("shared writable, read-only file",
           (long)map(PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
    char *only = map(PAGE, PROT_READ, MAP_SHARED, fd, 0);
    result("mprotect of it", mprotect(only, PAGE, PROT_READ | PROT_WRITE));
    char *own = map(PAGE, PROT_READ, MAP_PRIVATE, fd, 0);
    result("mprotect of a private one", mprotect(own, PAGE, PROT_READ | PROT_WRITE));
    own[0] = 'y';
    printf("private %c shared %c\n", own[0], only[0]);
    madvise(own, PAGE, MADV_DONTNEED);
    printf("dropped %c\n", own[0]);
    close(fd);
    fd = open("/tmp/readonly", O_WRONLY);
    result("write-only file", (long)map(PAGE, PROT_READ, MAP_PRIVATE, fd, 0));
    close(fd);
    result("no file", (long)map(PAGE, PROT_READ, MAP_PRIVATE, 77, 0));
    fd = open("/tmp", O_RDONLY);
    result("a directory", (long)map(PAGE, PROT_READ, MAP_PRIVATE, fd, 0));
    close(fd);
    unlink("/tmp/readonly");
}

static void placing(void) {
    char *pages = zeros(4);
    result("misaligned", (long)mmap(pages + 1, PAGE, PROT_READ,
                                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
    result("taken", (long)mmap(pages, PAGE, PROT_READ,
                               MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0));
    munmap(pages + PAGE, PAGE);
    char *hole = mmap(pages + PAGE, PAGE, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    printf("in the hole %d\n", hole == pages + PAGE);
    pages[0] = 9;
    mmap(pages, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    printf("replaced %d\n", pages[0]);
    uintptr_t low = (uintptr_t)map(PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
    printf("32 bits %d\n", low < 1UL << 31);
    result("no type", (long)map(PAGE, PROT_READ, MAP_ANONYMOUS, -1, 0));
    result("no length", (long)map(0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    result("offset misaligned", (long)map(PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 5));
    result("all of memory", (long)map(1L << 62, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    result("munmap of nothing", munmap((void *)0x10000000, PAGE));
    result("munmap misaligned", munmap(pages + 1, PAGE));
    result("munmap without length", munmap(pages, 0));
    result("mprotect of a hole", mprotect((void *)0x10000000, PAGE, PROT_READ));
    result("mprotect of nothing", mprotect(pages, 0, PROT_READ));
    result("mprotect, odd bits", mprotect(pages, PAGE, 0x40));
    char *reserved = map(1L << 34, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    result("16 GiB reserved", (long)reserved);
    result("a part in use", mprotect(reserved + (1L << 33), PAGE, PROT_READ | PROT_WRITE));
    reserved[1L << 33] = 1;
    result("given back", munmap(reserved, 1L << 34));
    char *populated =
        map(8 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    unsigned char core[8];
    result("mincore", mincore(populated, 8 * PAGE, core));
    printf("in core %d %d\n", core[0] & 1, core[7] & 1);
    result("mincore of a hole", mincore((void *)0x10000000, PAGE, core));
    char *down = map(4 * PAGE, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_GROWSDOWN | MAP_STACK, -1, 0);
    touch("growing down", down - 3 * PAGE, 1);
}

static void remapping(void) {
    char *pages = zeros(4);
    for (int page = 0; page < 4; page++)
        pages[page * PAGE] = 'a' + page;
    printf("shrunk %d\n", mremap(pages, 4 * PAGE, 2 * PAGE, 0) == pages);
    touch("what was cut off", pages + 2 * PAGE, 0);
    char *again = mremap(pages, 2 * PAGE, 3 * PAGE, 0);
    printf("grown in place %d %c %d\n", again == pages, pages[PAGE], pages[2 * PAGE]);
    char *target = zeros(16);
    char *moved = mremap(pages, 3 * PAGE, 8 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, target);
    printf("moved %d %c%c %d\n", moved == target, moved[0], moved[PAGE], moved[7 * PAGE]);
    touch("where it was", pages, 0);
    moved[7 * PAGE] = 'z';
    char *kept = (char *)syscall(SYS_mremap, moved, 8 * PAGE, 8 * PAGE,
                                   MREMAP_MAYMOVE | MREMAP_DONTUNMAP, 0);
    result("keeping", (long)kept);
    printf("not unmapped %c %c %d\n", kept[0], kept[7 * PAGE], moved[0]);
    char *large = zeros(1);
    large[0] = 'L';
    for (long size = 1; size < 1024; size *= 2) {
        large = mremap(large, size * PAGE, 2 * size * PAGE, MREMAP_MAYMOVE);
        large[(2 * size - 1) * PAGE] = 'L';
    }
    printf("1024 pages %c %c\n", large[0], large[1023 * PAGE]);
    mprotect(large + 10 * PAGE, PAGE, PROT_READ);
    result("of two mappings", (long)mremap(large, 1024 * PAGE, 2048 * PAGE, MREMAP_MAYMOVE));
    mprotect(large + 10 * PAGE, PAGE, PROT_READ | PROT_WRITE);
    large = mremap(large, 1024 * PAGE, 2048 * PAGE, MREMAP_MAYMOVE);
    printf("of one again %c\n", large[1023 * PAGE]);
    char *shared = map(2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    shared[0] = 's';
    char *twin = mremap(shared, 0, 2 * PAGE, MREMAP_MAYMOVE);
    twin[1] = 't';
    printf("twin %c %c\n", twin[0], shared[1]);
    result("nothing there", (long)mremap((void *)0x10000000, PAGE, PAGE * 2, MREMAP_MAYMOVE));
    result("odd flags", (long)mremap(pages, PAGE, PAGE, 64));
    result("fixed without move", (long)mremap(twin, PAGE, PAGE, MREMAP_FIXED, target));
    result("overlap", (long)mremap(twin, 2 * PAGE, 2 * PAGE, MREMAP_FIXED | MREMAP_MAYMOVE,
                                   twin + PAGE));
    int fd = scratch(3 * PAGE);
    char *file = map(PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    file = mremap(file, PAGE, 4 * PAGE, MREMAP_MAYMOVE);
    printf("file %c %c\n", file[0], file[2 * PAGE]);
    touch("beyond its end", file + 3 * PAGE, 0);
    close(fd);
}

static void advising(void) {
    char *pages = zeros(4);
    memset(pages, 'x', 4 * PAGE);
    result("drop", madvise(pages + PAGE, PAGE, MADV_DONTNEED));
    printf("dropped %d kept %c\n", pages[PAGE], pages[2 * PAGE]);
    result("free", madvise(pages, PAGE, MADV_FREE));
    result("will need", madvise(pages, PAGE, MADV_WILLNEED));
    result("no dump", madvise(pages, PAGE, MADV_DONTDUMP));
    result("odd advice", madvise(pages, PAGE, 77));
    result("misaligned", madvise(pages + 1, PAGE, MADV_DONTNEED));
    result("nothing", madvise(pages, 0, MADV_DONTNEED));
    munmap(pages + 2 * PAGE, PAGE);
    memset(pages, 'y', PAGE);
    memset(pages + 3 * PAGE, 'y', PAGE);
    result("over a hole", madvise(pages, 4 * PAGE, MADV_DONTNEED));
    printf("all the same %d %d\n", pages[0], pages[3 * PAGE]);
    char *shared = map(PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    shared[0] = 's';
    result("drop shared", madvise(shared, PAGE, MADV_DONTNEED));
    printf("still %c\n", shared[0]);
    result("remove", madvise(shared, PAGE, MADV_REMOVE));
    printf("removed %d\n", shared[0]);
    char *gone = zeros(1), *wiped = zeros(1), *copied = zeros(1);
    gone[0] = wiped[0] = copied[0] = shared[0] = 'f';
    result("not for forks", madvise(gone, PAGE, MADV_DONTFORK));
    result("wiped at forks", madvise(wiped, PAGE, MADV_WIPEONFORK));
    result("shared, wiped at forks", madvise(shared, PAGE, MADV_WIPEONFORK));
    fflush(stdout);
    if (fork() == 0) {
        printf("child %d %c %c\n", wiped[0], copied[0], shared[0]);
        touch("child's hole", gone, 0);
        copied[0] = 'c';
        shared[0] = 'c';
        fflush(stdout);
        _exit(0);
    }
    wait(NULL);
    printf("parent %c %c %c %c\n", gone[0], wiped[0], copied[0], shared[0]);
    result("mlock", mlock(copied, PAGE));
    result("mlock of a hole", mlock((void *)0x10000000, PAGE));
    result("munlock", munlock(copied, PAGE));
    result("mlockall", mlockall(0));
}

static int deep(int depth) {
    volatile char frame[PAGE];
    frame[0] = depth;
    return depth == 0 ? 0 : deep(depth - 1) + (frame[0] != (char)depth);
}

static void stack(void) {
    printf("deep %d\n", deep(1500));
    pid_t child = fork();
    if (child == 0) {
        signal(SIGSEGV, SIG_DFL);
        close(2);
        _exit(deep(4000));
    }
    int status;
    waitpid(child, &status, 0);
    printf("too deep: signal %d\n", WIFSIGNALED(status) ? WTERMSIG(status) : 0);
    char *before = sbrk(0), *heap = sbrk(5 * PAGE);
    printf("heap %d\n", heap == before);
    heap[4 * PAGE] = 'h';
    sbrk(-2 * PAGE);
    touch("a heap that shrank", (char *)(((uintptr_t)heap + 4 * PAGE) & ~(PAGE - 1)), 0);
    sbrk(2 * PAGE);
    printf("zero again %d\n", heap[4 * PAGE]);
}

/* Mappings that are alike again are one: an arena that grows by a page does not use them up. */
static void joining(void) {
    enum { PAGES = 6000 };
    char *arena = mmap(NULL, PAGES * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int failed = 0;
    for (long at = 0; at < PAGES; at++) {
        failed += mprotect(arena + at * PAGE, PAGE, PROT_READ | PROT_WRITE) != 0;
        arena[at * PAGE] = (char)at;
    }
    for (long turn = 0; turn < 2000; turn++) {
        char *page = arena + (turn * 7 % PAGES) * PAGE;
        failed += mprotect(page, PAGE, PROT_READ) != 0;
        failed += mprotect(page, PAGE, PROT_READ | PROT_WRITE) != 0;
    }
    long wrong = 0;
    for (long at = 0; at < PAGES; at++)
        wrong += arena[at * PAGE] != (char)at;
    printf("joined: %d refused, %ld bytes wrong\n", failed, wrong);
    munmap(arena, PAGES * PAGE);
}

int main(void) {
    char *alternate = zeros(16);
    stack_t other = {.ss_sp = alternate, .ss_size = 16 * PAGE};
    sigaltstack(&other, NULL);
    struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    int faulty[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE};
    for (int at = 0; at < 4; at++)
        sigaction(faulty[at], &action, NULL);
    setvbuf(stdout, NULL, _IOLBF, 0);
    faults();
    files();
    placing();
    remapping();
    advising();
    joining();
    stack();
    return 0;
}
