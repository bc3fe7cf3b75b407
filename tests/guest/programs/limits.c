/* What programs may expect of limits of their memory: a line for each fact, the same on Linux as on
 * Kamen. Each part runs in a child of its own. */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define MIB (1L << 20)
#define PRIVATE (MAP_PRIVATE | MAP_ANONYMOUS)

static void result(const char *what, long value) {
    if (value == -1)
        printf("%s: errno %d\n", what, errno);
    else
        printf("%s: well\n", what);
}

static void *map(long bytes, int protection, int flags) {
    return mmap(NULL, bytes, protection, flags, -1, 0);
}

static void set(int resource, long bytes) {
    struct rlimit limit = {bytes, bytes};
    if (setrlimit(resource, &limit) == -1)
        printf("setrlimit: errno %d\n", errno);
}

/* Bytes of address space in use. */
static long used(void) {
    long pages;
    FILE *file = fopen("/proc/self/statm", "r");
    if (fscanf(file, "%ld", &pages) != 1)
        exit(1);
    fclose(file);
    return pages * 4096;
}

static void address_space(void) {
    void *kept = map(8 * MIB, PROT_READ | PROT_WRITE, PRIVATE);
    set(RLIMIT_AS, used() + 16 * MIB);
    result("eight more", (long)map(8 * MIB, PROT_NONE, PRIVATE));
    result("twelve more", (long)map(12 * MIB, PROT_READ, PRIVATE));
    result("twelve shared", (long)map(12 * MIB, PROT_READ, MAP_SHARED | MAP_ANONYMOUS));
    result("in place of the first", (long)mmap(kept, 12 * MIB, PROT_READ, PRIVATE | MAP_FIXED, -1, 0));
    result("longer by eight", (long)mremap(kept, 8 * MIB, 20 * MIB, MREMAP_MAYMOVE));
    result("sbrk", (long)sbrk(12 * MIB));
    result("malloc", malloc(12 * MIB) ? 0 : -1);
    munmap(kept, 8 * MIB);
    result("after some went", (long)map(12 * MIB, PROT_READ, PRIVATE));
}

static void data(void) {
    void *readable = map(24 * MIB, PROT_READ, PRIVATE);
    set(RLIMIT_DATA, 16 * MIB);
    result("readable", (long)map(64 * MIB, PROT_READ, PRIVATE));
    result("shared", (long)map(64 * MIB, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS));
    result("writable", (long)map(24 * MIB, PROT_READ | PROT_WRITE, PRIVATE));
    result("made writable", mprotect(readable, 24 * MIB, PROT_READ | PROT_WRITE));
    result("a part made writable", mprotect(readable, 4 * MIB, PROT_READ | PROT_WRITE));
    result("sbrk", (long)sbrk(16 * MIB));
    result("less", (long)sbrk(2 * MIB));
}

static void locked(void) {
    if (setresuid(1000, 1000, 1000) == -1)
        printf("setresuid: errno %d\n", errno);
    char *pages = map(1 * MIB, PROT_READ | PROT_WRITE, PRIVATE);
    set(RLIMIT_MEMLOCK, 64 << 10);
    result("sixty-four KiB", mlock(pages, 64 << 10));
    result("the same again", mlock(pages, 64 << 10));
    result("a page more", mlock(pages + MIB / 2, 1));
    result("by mmap", (long)map(4096, PROT_READ, PRIVATE | MAP_LOCKED));
    result("everything", mlockall(MCL_CURRENT));
    result("unlocked", munlock(pages, 4096));
    result("a page more then", mlock(pages + MIB / 2, 1));
    result("and one more", mlock2(pages + MIB / 2 + 4096, 1, 0));
    result("nothing is there", mlock(NULL, 1));
    munlockall();
    result("after all were unlocked", mlock(pages, 64 << 10));
    pid_t child = fork();
    if (child == 0) {
        result("a child has no locks", mlock(pages, 64 << 10));
        fflush(stdout);
        _exit(0);
    }
    waitpid(child, NULL, 0);
    set(RLIMIT_MEMLOCK, 0);
    result("none", mlock(pages + MIB / 2, 1));
}

static int depth(int left) {
    volatile char frame[16 << 10];
    memset((void *)frame, left, sizeof frame);
    return left == 0 ? frame[7] : depth(left - 1) + frame[9] % 2;
}

static void end_of(const char *what, void (*part)(void)) {
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        part();
        fflush(stdout);
        _exit(0);
    }
    int status;
    waitpid(child, &status, 0);
    if (WIFSIGNALED(status))
        printf("%s: signal %d\n", what, WTERMSIG(status));
}

static void deep(void) { depth(400); puts("six MiB of stack"); }
static void small(void) { set(RLIMIT_STACK, 1 * MIB), depth(400), puts("not reached"); }
static void large(void) {
    struct rlimit limit = {64 * MIB, RLIM_INFINITY};
    setrlimit(RLIMIT_STACK, &limit);
    depth(2000);
    puts("thirty-two MiB of stack");
}
static void crowded(void) { set(RLIMIT_AS, used() + 1 * MIB), depth(400), puts("not reached"); }

static void descriptors(void) {
    struct sockaddr_un name = {.sun_family = AF_UNIX, .sun_path = "\0limits"};
    int listener = socket(AF_UNIX, SOCK_STREAM, 0), first;
    bind(listener, (void *)&name, sizeof name);
    listen(listener, 5);
    first = socket(AF_UNIX, SOCK_STREAM, 0);
    result("connect", connect(first, (void *)&name, sizeof name));
    set(RLIMIT_NOFILE, first + 1);
    result("accept at the limit", accept(listener, NULL, NULL));
    close(0);
    result("accept with room", accept(listener, NULL, NULL));
}

int main(void) {
    setvbuf(stdout, NULL, _IOLBF, 0);
    end_of("address space", address_space);
    end_of("data", data);
    end_of("locked", locked);
    end_of("deep", deep);
    end_of("small stack", small);
    end_of("large stack", large);
    end_of("no address space", crowded);
    end_of("descriptors", descriptors);
    return 0;
}
