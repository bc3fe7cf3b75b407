/* What programs may expect of threads and futexes: prints a line for each fact, the same on Linux
 * as on Kamen. */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PAGE 4096
static volatile int word, other, ready;

static long futex(volatile int *at, int operation, int value, const void *time, volatile int *second,
                  int third) {
    return syscall(SYS_futex, at, operation, value, time, second, third);
}

static void result(const char *what, long value) {
    if (value == -1)
        printf("%s: errno %d\n", what, errno);
    else
        printf("%s: %ld\n", what, value);
}

static void *waits(void *bits) {
    __atomic_add_fetch(&ready, 1, __ATOMIC_SEQ_CST);
    long value = futex(&word, FUTEX_WAIT_BITSET_PRIVATE, 0, NULL, NULL, (intptr_t)bits);
    return (void *)value;
}

/* Starts threads that wait, and returns when all of them do. */
static void start(pthread_t *threads, int count, intptr_t bits) {
    ready = 0;
    for (int at = 0; at < count; at++)
        pthread_create(&threads[at], NULL, waits, (void *)bits);
    while (ready < count)
        sched_yield();
    usleep(50000);
}

static void join(pthread_t *threads, int count) {
    for (int at = 0; at < count; at++)
        pthread_join(threads[at], NULL);
}

static void futexes(void) {
    pthread_t threads[4];
    struct timespec soon = {0, 1000000}, bad = {0, 1000000000};
    result("another value", futex(&word, FUTEX_WAIT, 1, NULL, NULL, 0));
    result("in time", futex(&word, FUTEX_WAIT, 0, &soon, NULL, 0));
    result("a bad time", futex(&word, FUTEX_WAIT, 0, &bad, NULL, 0));
    result("long ago", futex(&word, FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME, 0, &soon, NULL, -1));
    result("no bits", futex(&word, FUTEX_WAIT_BITSET, 0, NULL, NULL, 0));
    result("misaligned", futex((int *)((char *)&word + 1), FUTEX_WAKE, 1, NULL, NULL, 0));
    result("nowhere", futex((int *)0x10000, FUTEX_WAIT, 0, NULL, NULL, 0));
    result("nobody", futex(&word, FUTEX_WAKE, 1, NULL, NULL, 0));
    result("unknown", futex(&word, 99, 1, NULL, NULL, 0));
    start(threads, 4, 1);
    result("other bits", futex(&word, FUTEX_WAKE_BITSET_PRIVATE, 9, NULL, NULL, 2));
    result("one", futex(&word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0));
    result("all", futex(&word, FUTEX_WAKE_PRIVATE, 9, NULL, NULL, 0));
    join(threads, 4);
    start(threads, 4, -1);
    result("changed", futex(&word, FUTEX_CMP_REQUEUE_PRIVATE, 1, (void *)9, &other, 5));
    result("requeued", futex(&word, FUTEX_CMP_REQUEUE_PRIVATE, 1, (void *)2, &other, 0));
    result("left", futex(&word, FUTEX_WAKE_PRIVATE, 9, NULL, NULL, 0));
    result("moved", futex(&other, FUTEX_WAKE_PRIVATE, 9, NULL, NULL, 0));
    join(threads, 4);
    start(threads, 2, -1);
    other = 5;
    int change = FUTEX_OP(FUTEX_OP_ADD, 3, FUTEX_OP_CMP_EQ, 5);
    result("wake and change", futex(&other, FUTEX_WAKE_OP_PRIVATE, 9, (void *)9, &word,
                                    FUTEX_OP(FUTEX_OP_SET, 0, FUTEX_OP_CMP_EQ, 0)));
    join(threads, 2);
    result("change", futex(&word, FUTEX_WAKE_OP_PRIVATE, 1, (void *)1, &other, change));
    printf("changed to %d\n", other);
    other = 0;
}

static void shared(void) {
    int *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int *twin = mremap(page, 0, PAGE, MREMAP_MAYMOVE);
    pid_t child = fork();
    if (child == 0) {
        page[1] = 1;
        while (page[0] == 0)
            futex(page, FUTEX_WAIT, 0, NULL, NULL, 0);
        _exit(page[0]);
    }
    while (page[1] == 0)
        usleep(1000);
    usleep(50000);
    twin[0] = 7;
    result("across processes", futex(twin, FUTEX_WAKE, 9, NULL, NULL, 0));
    int status;
    waitpid(child, &status, 0);
    printf("child %d\n", WEXITSTATUS(status));

    pthread_mutex_t *mutex = (void *)(page + 16);
    pthread_mutexattr_t kind;
    pthread_mutexattr_init(&kind);
    pthread_mutexattr_setpshared(&kind, PTHREAD_PROCESS_SHARED);
    pthread_mutexattr_setrobust(&kind, PTHREAD_MUTEX_ROBUST);
    pthread_mutex_init(mutex, &kind);
    for (int killed = 0; killed < 2; killed++) {
        page[2] = 0;
        child = fork();
        if (child == 0) {
            pthread_mutex_lock(mutex);
            page[2] = 1;
            usleep(100000);
            if (killed)
                kill(getpid(), SIGKILL);
            _exit(0);
        }
        while (page[2] == 0)
            usleep(1000);
        printf("the owner died: %d\n", pthread_mutex_lock(mutex) == EOWNERDEAD);
        pthread_mutex_consistent(mutex);
        pthread_mutex_unlock(mutex);
        waitpid(child, NULL, 0);
    }
    printf("consistent: %d\n", pthread_mutex_lock(mutex));
    void *head;
    size_t len;
    result("robust list", syscall(SYS_get_robust_list, 0, &head, &len));
    printf("%d %ld\n", head != NULL, (long)len);
    result("of nobody", syscall(SYS_get_robust_list, 30000, &head, &len));
    result("too long", syscall(SYS_set_robust_list, head, 25L));
}

static volatile int handled;
static void on_signal(int signal) { handled++; }

static void *interrupts(void *thread) {
    usleep(50000);
    pthread_kill(*(pthread_t *)thread, SIGUSR1);
    usleep(50000);
    word = 1;
    futex(&word, FUTEX_WAKE, 1, NULL, NULL, 0);
    return NULL;
}

static void signals(void) {
    pthread_t self = pthread_self(), thread;
    struct timespec long_time = {5, 0};
    for (int flags = 0; flags <= SA_RESTART; flags += SA_RESTART) {
        struct sigaction action = {.sa_handler = on_signal, .sa_flags = flags};
        sigaction(SIGUSR1, &action, NULL);
        for (int timed = 0; timed < 2; timed++) {
            word = 0;
            pthread_create(&thread, NULL, interrupts, &self);
            result(flags ? "restarted" : "interrupted",
                   futex(&word, FUTEX_WAIT, 0, timed ? &long_time : NULL, NULL, 0));
            pthread_join(thread, NULL);
        }
    }
    printf("handled %d\n", handled);
    word = 0;
}

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static long counter, turns;
static __thread int own = 5;

static void *counts(void *number) {
    own += (intptr_t)number;
    for (int at = 0; at < 1000; at++) {
        pthread_mutex_lock(&lock);
        counter++;
        if (at % 100 == 0) {
            turns++;
            pthread_cond_broadcast(&changed);
            sched_yield();
        }
        pthread_mutex_unlock(&lock);
    }
    return (void *)(intptr_t)own;
}

static void libraries(void) {
    pthread_t threads[8];
    long sum = 0;
    for (intptr_t at = 0; at < 8; at++)
        pthread_create(&threads[at], NULL, counts, (void *)at);
    pthread_mutex_lock(&lock);
    while (turns < 80)
        pthread_cond_wait(&changed, &lock);
    pthread_mutex_unlock(&lock);
    for (int at = 0; at < 8; at++) {
        void *value;
        pthread_join(threads[at], &value);
        sum += (intptr_t)value;
    }
    printf("counted %ld, own %ld and %d\n", counter, sum, own);
    struct timespec past;
    clock_gettime(CLOCK_REALTIME, &past);
    pthread_mutex_lock(&lock);
    printf("timed out %d\n", pthread_cond_timedwait(&changed, &lock, &past) == ETIMEDOUT);
    pthread_mutex_unlock(&lock);
}

static void *exits_last(void *nothing) {
    usleep(100000);
    syscall(SYS_exit, 4);
    return NULL;
}

static void *executes(void *nothing) {
    execl("/proc/self/exe", "threads", "executed", NULL);
    return NULL;
}

static int status_of(void *(*act)(void *), int code) {
    int status;
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        pthread_t thread;
        pthread_create(&thread, NULL, act, NULL);
        if (code >= 0)
            syscall(SYS_exit, code);
        pause();
    }
    waitpid(child, &status, 0);
    return WEXITSTATUS(status);
}

static int shares(void *at) {
    *(volatile int *)at = 42;
    return 6;
}

static void processes(void) {
    printf("the first thread's status %d\n", status_of(exits_last, 3));
    printf("another thread executes %d\n", status_of(executes, -1));
    char *stack = malloc(65536);
    int status, value = 0;
    pid_t child = clone(shares, stack + 65536, CLONE_VM | CLONE_VFORK | SIGCHLD, &value);
    waitpid(child, &status, 0);
    printf("vfork: %d %d\n", value, WEXITSTATUS(status));
    child = clone(shares, stack + 65536, CLONE_VM | SIGCHLD, &value);
    waitpid(child, &status, 0);
    printf("shared memory: %d\n", WEXITSTATUS(status));
    result("a thread without handlers", syscall(SYS_clone, CLONE_THREAD | CLONE_VM, NULL, 0, 0, 0));
    result("handlers without memory", syscall(SYS_clone, CLONE_SIGHAND, NULL, 0, 0, 0));
    uint64_t arguments[11] = {0};
    result("clone3, short", syscall(SYS_clone3, arguments, 8L));
    result("clone3, long", syscall(SYS_clone3, arguments, 5000L));
    arguments[4] = 100;
    result("clone3, signal", syscall(SYS_clone3, arguments, 88L));
    arguments[4] = 17;
    arguments[5] = 4096;
    result("clone3, stack", syscall(SYS_clone3, arguments, 88L));
    arguments[5] = 0;
    child = syscall(SYS_clone3, arguments, 88L);
    if (child == 0)
        _exit(9);
    waitpid(child, &status, 0);
    printf("clone3: %d\n", WEXITSTATUS(status));
}

/* Locks that name their owner. */

static pthread_mutex_t inheriting;
static long guarded;

static void *adds(void *argument) {
    for (int i = 0; i < 500; i++) {
        pthread_mutex_lock(&inheriting);
        long before = guarded;
        if (i % 50 == 0)
            sched_yield();
        guarded = before + 1;
        pthread_mutex_unlock(&inheriting);
    }
    return argument;
}

static void *tries(void *argument) {
    (void)argument;
    result("try what another has", pthread_mutex_trylock(&inheriting));
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += 20000000;
    if (until.tv_nsec >= 1000000000)
        until.tv_sec++, until.tv_nsec -= 1000000000;
    result("wait for what another keeps", pthread_mutex_timedlock(&inheriting, &until));
    word = gettid();
    result("lock what one has", futex(&word, FUTEX_LOCK_PI, 0, NULL, NULL, 0));
    result("unlock it", futex(&word, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0));
    result("what it says", word);
    result("unlock what nobody has", futex(&word, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0));
    word = 0x3ffffff0;
    result("lock what nobody can unlock", futex(&word, FUTEX_LOCK_PI, 0, NULL, NULL, 0));
    return NULL;
}

static void inherit(void) {
    pthread_t threads[4];
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setprotocol(&attributes, PTHREAD_PRIO_INHERIT);
    pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_ERRORCHECK);
    pthread_mutex_init(&inheriting, &attributes);
    for (int at = 0; at < 4; at++)
        pthread_create(&threads[at], NULL, adds, NULL);
    join(threads, 4);
    result("counted under a lock that inherits", guarded);
    pthread_mutex_lock(&inheriting);
    result("lock it twice", pthread_mutex_lock(&inheriting));
    pthread_create(&threads[0], NULL, tries, NULL);
    join(threads, 1);
    result("unlock it", pthread_mutex_unlock(&inheriting));
    result("unlock it twice", pthread_mutex_unlock(&inheriting));
}

/* Barriers that one thread makes for all. */

#define ROUNDS 500
static volatile int stored[2];
static int loaded[2];
static pthread_barrier_t begin, end;

static long membarrier(int command, unsigned flags) {
    return syscall(SYS_membarrier, command, flags, 0);
}

/* Stores and loads; only the compiler keeps them in this order. */
static void *stores(void *argument) {
    for (int round = 0; round < ROUNDS; round++) {
        pthread_barrier_wait(&begin);
        stored[1] = 1;
        __asm__ volatile("" ::: "memory");
        loaded[1] = stored[0];
        pthread_barrier_wait(&end);
    }
    return argument;
}

static void *sleeps(void *argument) {
    *(volatile int *)argument = gettid();
    usleep(100000);
    return NULL;
}

static void barriers(void) {
    int asked = MEMBARRIER_CMD_GLOBAL | MEMBARRIER_CMD_PRIVATE_EXPEDITED
                | MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED;
    result("barriers", membarrier(MEMBARRIER_CMD_QUERY, 0) & asked);
    result("not registered", membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0));
    result("register", membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0));
    result("global", membarrier(MEMBARRIER_CMD_GLOBAL, 0));
    result("with flags", membarrier(MEMBARRIER_CMD_GLOBAL, 1));
    result("unknown", membarrier(1 << 20, 0));
    pthread_t thread;
    pthread_barrier_init(&begin, NULL, 2);
    pthread_barrier_init(&end, NULL, 2);
    pthread_create(&thread, NULL, stores, NULL);
    int missed = 0;
    long worst = 0;
    for (int round = 0; round < ROUNDS; round++) {
        stored[0] = stored[1] = 0;
        pthread_barrier_wait(&begin);
        stored[0] = 1;
        long made = membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0);
        loaded[0] = stored[1];
        pthread_barrier_wait(&end);
        missed += !loaded[0] && !loaded[1];
        worst = made < worst ? made : worst;
    }
    join(&thread, 1);
    printf("neither saw the other: %d, %ld\n", missed, worst);
    volatile int tid = 0;
    pthread_create(&thread, NULL, sleeps, (void *)&tid);
    while (!tid)
        sched_yield();
    result("a thread's number names its process", kill(tid, 0));
    join(&thread, 1);
}

int main(int count, char **arguments) {
    if (count > 1)
        return getpid() == gettid() ? 11 : 12;
    setvbuf(stdout, NULL, _IOLBF, 0);
    futexes();
    inherit();
    barriers();
    shared();
    signals();
    libraries();
    processes();
    return 0;
}
