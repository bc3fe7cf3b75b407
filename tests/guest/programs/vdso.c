/* What the vDSO says of the time is what the system calls say: the same lines on Linux. */
#define _GNU_SOURCE
#include <elf.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

/* Finds a function by name and version, as C libraries do. */
static void *find(const char *name) {
    char *base = (char *)getauxval(AT_SYSINFO_EHDR);
    Elf64_Ehdr *header = (void *)base;
    Elf64_Phdr *segments = (void *)(base + header->e_phoff);
    Elf64_Dyn *dynamic = NULL;
    long load = 0;
    for (int at = 0; at < header->e_phnum; at++) {
        if (segments[at].p_type == PT_LOAD)
            load = (long)base + segments[at].p_offset - segments[at].p_vaddr;
        if (segments[at].p_type == PT_DYNAMIC)
            dynamic = (void *)(base + segments[at].p_offset);
    }
    Elf64_Sym *symbols = NULL;
    char *names = NULL;
    Elf64_Half *versions = NULL;
    Elf64_Verdef *definitions = NULL;
    unsigned *hash = NULL;
    for (; dynamic->d_tag != DT_NULL; dynamic++) {
        char *at = (char *)load + dynamic->d_un.d_ptr;
        switch (dynamic->d_tag) {
        case DT_SYMTAB: symbols = (void *)at; break;
        case DT_STRTAB: names = at; break;
        case DT_VERSYM: versions = (void *)at; break;
        case DT_VERDEF: definitions = (void *)at; break;
        case DT_HASH: hash = (void *)at; break;
        }
    }
    for (unsigned at = 1; hash && at < hash[1]; at++) {
        if (strcmp(names + symbols[at].st_name, name) != 0 || symbols[at].st_shndx == 0)
            continue;
        Elf64_Verdef *definition = definitions;
        while (definition->vd_ndx != (versions[at] & 0x7fff) && definition->vd_next)
            definition = (void *)((char *)definition + definition->vd_next);
        Elf64_Verdaux *version = (void *)((char *)definition + definition->vd_aux);
        if (strcmp(names + version->vda_name, "LINUX_2.6") == 0)
            return (char *)load + symbols[at].st_value;
    }
    return NULL;
}

static long long ns(struct timespec *time) { return time->tv_sec * 1000000000LL + time->tv_nsec; }

int main(void) {
    int (*get)(clockid_t, struct timespec *) = find("__vdso_clock_gettime");
    int (*resolution)(clockid_t, struct timespec *) = find("__vdso_clock_getres");
    int (*day)(struct timeval *, void *) = find("__vdso_gettimeofday");
    time_t (*seconds)(time_t *) = find("__vdso_time");
    int (*where)(unsigned *, unsigned *, void *) = find("__vdso_getcpu");
    printf("found %d%d%d%d%d\n", !!get, !!resolution, !!day, !!seconds, !!where);
    clockid_t exact[] = {CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME, CLOCK_MONOTONIC_RAW};
    struct timespec before, between, after;
    for (int at = 0; at < 4; at++) {
        int right = 1;
        for (int again = 0; again < 1000; again++) {
            syscall(SYS_clock_gettime, exact[at], &before);
            right &= get(exact[at], &between) == 0;
            syscall(SYS_clock_gettime, exact[at], &after);
            right &= ns(&before) <= ns(&between) && ns(&between) <= ns(&after);
            right &= between.tv_nsec >= 0 && between.tv_nsec < 1000000000;
        }
        printf("clock %d right %d\n", exact[at], right);
    }
    long long last = 0;
    int ascends = 1;
    for (int again = 0; again < 10000; again++) {
        clock_gettime(CLOCK_MONOTONIC, &between);
        ascends &= ns(&between) >= last;
        last = ns(&between);
    }
    printf("ascends %d\n", ascends);
    printf("of the process %d, of none %d\n", get(CLOCK_PROCESS_CPUTIME_ID, &between),
           get(1000, &between));
    struct timeval now;
    struct timezone zone = {9, 9};
    syscall(SYS_clock_gettime, CLOCK_REALTIME, &before);
    day(&now, &zone);
    time_t whole = seconds(NULL), stored;
    syscall(SYS_clock_gettime, CLOCK_REALTIME, &after);
    before.tv_nsec -= before.tv_nsec % 1000;
    between.tv_sec = now.tv_sec, between.tv_nsec = now.tv_usec * 1000;
    printf("time of day %d, zone %d\n", ns(&before) <= ns(&between) && ns(&between) <= ns(&after),
           zone.tz_minuteswest);
    printf("seconds %d %d\n", whole >= before.tv_sec && whole <= after.tv_sec,
           seconds(&stored) == stored);
    resolution(CLOCK_MONOTONIC, &between);
    printf("resolution %ld\n", between.tv_nsec);
    unsigned processor = 999, node = 999;
    int found = where(&processor, &node, NULL);
    printf("processor %d %d\n", found, processor < 999 && node < 999);
    return 0;
}
