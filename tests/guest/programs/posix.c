/* What C programs ask of their library, and it of the system; linked with glibc and with musl.
 * Its output is the same wherever it is right: no ids, times or addresses. */

#define _GNU_SOURCE
#include <errno.h>
#include <fnmatch.h>
#include <ftw.h>
#include <glob.h>
#include <limits.h>
#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <regex.h>
#include <sched.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <wchar.h>

#define THREADS 8
#define ITEMS 1000

extern char **environ;

/* One line per fact, so that a difference tells which. */
static void tell(const char *fact, long value) { printf("%s: %ld\n", fact, value); }

/* Threads. */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t not_empty = PTHREAD_COND_INITIALIZER, not_full = PTHREAD_COND_INITIALIZER;
static int queue[4], queued;
static __thread long own;

static void *produce(void *argument) {
    for (long i = 0; i < ITEMS; i++) {
        pthread_mutex_lock(&lock);
        while (queued == 4)
            pthread_cond_wait(&not_full, &lock);
        queue[queued++] = (long)argument + i;
        pthread_cond_signal(&not_empty);
        pthread_mutex_unlock(&lock);
        own++;
    }
    return (void *)own;
}

static void *consume(void *argument) {
    long sum = 0;
    for (int i = 0; i < ITEMS; i++) {
        pthread_mutex_lock(&lock);
        while (queued == 0)
            pthread_cond_wait(&not_empty, &lock);
        sum += queue[--queued];
        pthread_cond_signal(&not_full);
        pthread_mutex_unlock(&lock);
    }
    *(long *)argument = sum;
    return NULL;
}

static void producers_and_consumers(void) {
    pthread_t producers[THREADS], consumers[THREADS];
    long sums[THREADS], sum = 0, own_sum = 0;
    for (long i = 0; i < THREADS; i++) {
        pthread_create(&producers[i], NULL, produce, (void *)(i * ITEMS));
        pthread_create(&consumers[i], NULL, consume, &sums[i]);
    }
    for (int i = 0; i < THREADS; i++) {
        void *produced;
        pthread_join(producers[i], &produced);
        pthread_join(consumers[i], NULL);
        own_sum += (long)produced, sum += sums[i];
    }
    tell("sum of what came through the queue", sum);
    tell("counted in thread-local variables", own_sum);
}

static pthread_barrier_t barrier;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static int shared, initialised, destroyed;
static sem_t semaphore;
static pthread_key_t key;

static void initialise(void) { initialised++; }
static void destroy(void *value) { __atomic_add_fetch(&destroyed, *(int *)value, __ATOMIC_SEQ_CST); }

static void *meet(void *argument) {
    static int one = 1;
    pthread_once(&once, initialise);
    pthread_setspecific(key, &one);
    long serial = pthread_barrier_wait(&barrier) == PTHREAD_BARRIER_SERIAL_THREAD;
    for (int i = 0; i < 200; i++) {
        pthread_rwlock_wrlock(&rwlock);
        shared++;
        pthread_rwlock_unlock(&rwlock);
        pthread_rwlock_rdlock(&rwlock);
        if (shared < 0)
            abort();
        pthread_rwlock_unlock(&rwlock);
    }
    sem_post(&semaphore);
    (void)argument;
    return (void *)serial;
}

static void *wait_forever(void *argument) {
    sem_post(&semaphore);
    for (;;)
        pause();
    return argument;
}

static void other_locks(void) {
    pthread_t threads[THREADS];
    long serial = 0;
    pthread_barrier_init(&barrier, NULL, THREADS);
    pthread_key_create(&key, destroy);
    sem_init(&semaphore, 0, 0);
    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, meet, NULL);
    for (int i = 0; i < THREADS; i++)
        sem_wait(&semaphore);
    for (int i = 0; i < THREADS; i++) {
        void *result;
        pthread_join(threads[i], &result);
        serial += (long)result;
    }
    tell("threads that the barrier chose", serial);
    tell("changes under the write lock", shared);
    tell("initialised once", initialised);
    tell("destructors of thread-specific data", destroyed);
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += 20000000;
    if (until.tv_nsec >= 1000000000)
        until.tv_sec++, until.tv_nsec -= 1000000000;
    tell("a semaphore's time limit", sem_timedwait(&semaphore, &until) == -1 && errno == ETIMEDOUT);
    pthread_mutex_lock(&lock);
    tell("a condition's time limit", pthread_cond_timedwait(&not_full, &lock, &until) == ETIMEDOUT);
    pthread_mutex_unlock(&lock);
    pthread_create(&threads[0], NULL, wait_forever, NULL);
    sem_wait(&semaphore);
    pthread_cancel(threads[0]);
    void *result;
    pthread_join(threads[0], &result);
    tell("cancelled", result == PTHREAD_CANCELED);
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_ERRORCHECK);
    pthread_mutex_t checked;
    pthread_mutex_init(&checked, &attributes);
    pthread_mutex_lock(&checked);
    tell("a second lock is refused", pthread_mutex_lock(&checked) == EDEADLK);
}

/* Streams. */

static void streams(void) {
    FILE *file = fopen("numbers", "w+");
    for (int i = 0; i < 5000; i++)
        fprintf(file, "%d %.3f\n", i, i / 7.0);
    rewind(file);
    int n, count = 0;
    double value, sum = 0;
    while (fscanf(file, "%d %lf", &n, &value) == 2)
        count++, sum += value;
    printf("read back: %d numbers, sum %.3f\n", count, sum);
    fseek(file, -5, SEEK_END);
    char line[64];
    printf("the end: %s", fgets(line, sizeof line, file));
    fclose(file);
    file = fopen("numbers", "a");
    fputs("appended\n", file);
    tell("length", ftell(file));
    fclose(file);
    file = tmpfile();
    setvbuf(file, NULL, _IOFBF, 1 << 16);
    for (int i = 0; i < 100000; i++)
        putc('a' + i % 26, file);
    fflush(file);
    struct stat status;
    fstat(fileno(file), &status);
    tell("size of a temporary file", status.st_size);
    fclose(file);
    FILE *pipe = popen("tr a-z A-Z | sort", "w");
    fputs("second\nfirst\n", pipe);
    fflush(stdout);
    tell("status of the pipe", pclose(pipe));
    pipe = popen("seq 3; exit 3", "r");
    while (fgets(line, sizeof line, pipe))
        printf("from the pipe: %s", line);
    tell("exit status of the pipe", WEXITSTATUS(pclose(pipe)));
    char *memory;
    size_t size;
    file = open_memstream(&memory, &size);
    fprintf(file, "%-5s|%+d|%#x|%e|%g|%5.1f|%s", "ab", 5, 255, 12345.678, 1e-7, 2.25, "end");
    fclose(file);
    printf("%s (%zu)\n", memory, size);
    free(memory);
}

/* Sorting and searching, numbers. */

static int by_value(const void *one, const void *other) {
    return (*(const int *)one > *(const int *)other) - (*(const int *)one < *(const int *)other);
}

static void numbers(void) {
    enum { COUNT = 20000 };
    int *values = malloc(COUNT * sizeof *values), sorted = 1;
    unsigned state = 1;
    for (int i = 0; i < COUNT; i++)
        values[i] = (state = state * 1103515245 + 12345) >> 8;
    qsort(values, COUNT, sizeof *values, by_value);
    for (int i = 1; i < COUNT; i++)
        sorted &= values[i - 1] <= values[i];
    tell("sorted", sorted);
    int *found = bsearch(&values[777], values, COUNT, sizeof *values, by_value);
    tell("found", found && *found == values[777]);
    values = realloc(values, 100 * COUNT * sizeof *values);
    tell("moved with its contents", values[COUNT - 1] >= values[0]);
    free(values);
    printf("%.12f %.12f %.12f %.12f\n", sin(1), exp(2), pow(2, 0.5), strtod("0x1.8p1", NULL));
    char *end;
    errno = 0;
    long most = strtol("99999999999999999999", &end, 10);
    tell("too large a number", errno == ERANGE && most == LONG_MAX && *end == 0);
}

/* Time and locale. */

static void times(void) {
    time_t moment = 1000000000;
    char text[64];
    strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S %a %j", gmtime(&moment));
    puts(text);
    setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
    tzset();
    strftime(text, sizeof text, "%H:%M %Z", localtime(&moment));
    puts(text);
    struct tm broken = {.tm_year = 124, .tm_mon = 1, .tm_mday = 30, .tm_isdst = -1};
    tell("30 February 2024", mktime(&broken));
    struct timespec before, after, span = {0, 30000000};
    clock_gettime(CLOCK_MONOTONIC, &before);
    nanosleep(&span, NULL);
    clock_gettime(CLOCK_MONOTONIC, &after);
    long slept = (after.tv_sec - before.tv_sec) * 1000000000 + after.tv_nsec - before.tv_nsec;
    tell("slept long enough", slept >= span.tv_nsec);
    tell("processor time is told", clock() >= 0);
    tell("C.UTF-8", setlocale(LC_CTYPE, "C.UTF-8") != NULL);
    wchar_t wide[16];
    tell("wide characters", mbstowcs(wide, "仮面 é", 16));
    printf("%ls %lc\n", wide, 0x2713);
    printf("%s\n", localeconv()->decimal_point);
}

/* Signals, jumps, memory. */

static sigjmp_buf back;
static volatile sig_atomic_t on_stack, handled;
static char alternate[1 << 16];

static void jump(int signal, siginfo_t *info, void *context) {
    char here;
    on_stack = &here >= alternate && &here < alternate + sizeof alternate;
    (void)context;
    siglongjmp(back, signal * 1000 + info->si_code);
}

static void count(int signal) { handled += signal == SIGUSR1; }

static void signals(void) {
    stack_t stack = {.ss_sp = alternate, .ss_size = sizeof alternate};
    sigaltstack(&stack, NULL);
    struct sigaction action = {.sa_sigaction = jump, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    sigaction(SIGSEGV, &action, NULL);
    sigaction(SIGFPE, &action, NULL);
    char *page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int caught = sigsetjmp(back, 1);
    if (!caught)
        *(volatile char *)page = 1;
    tell("a write to a page that can be read", caught == SIGSEGV * 1000 + SEGV_ACCERR);
    munmap(page, 4096);
    caught = sigsetjmp(back, 1);
    if (!caught)
        *(volatile char *)page = 1;
    tell("a write to no page", caught == SIGSEGV * 1000 + SEGV_MAPERR);
    tell("handled on the other stack", on_stack);
    signal(SIGUSR1, count);
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    raise(SIGUSR1), raise(SIGUSR1);
    tell("while blocked", handled);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
    tell("once unblocked", handled);
    raise(SIGUSR1);
    tell("at once", handled);
}

/* Processes. */

static void processes(void) {
    int ends[2], status;
    if (pipe(ends))
        perror("pipe");
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], 1);
        close(ends[0]), close(ends[1]);
        execlp("echo", "echo", "from", "exec", (char *)NULL);
        _exit(127);
    }
    close(ends[1]);
    char text[64];
    ssize_t length = read(ends[0], text, sizeof text);
    waitpid(child, &status, 0);
    printf("%.*s", (int)length, text);
    tell("status", status);
    char *words[] = {"sh", "-c", "kill -9 $$", NULL};
    tell("spawned", posix_spawnp(&child, "sh", NULL, NULL, words, environ));
    waitpid(child, &status, 0);
    tell("ended by signal", WTERMSIG(status));
    tell("system()", WEXITSTATUS(system("exit 5")));
    tell("nobody left", waitpid(-1, &status, 0) == -1 && errno == ECHILD);
}

/* Files and names. */

static int entries;
static int visit(const char *path, const struct stat *status, int type, struct FTW *place) {
    (void)path, (void)status, (void)place;
    entries += type == FTW_F || type == FTW_D || type == FTW_SL || type == FTW_DP;
    return 0;
}

static void names(void) {
    mkdir("tree", 0755), mkdir("tree/a", 0700);
    fclose(fopen("tree/one.c", "w")), fclose(fopen("tree/a/two.c", "w"));
    tell("link", symlink("a", "tree/link"));
    nftw("tree", visit, 8, FTW_PHYS | FTW_DEPTH);
    tell("entries of the tree", entries);
    glob_t found;
    glob("tree/*", 0, NULL, &found);
    for (size_t i = 0; i < found.gl_pathc; i++)
        puts(found.gl_pathv[i]);
    tell("pattern", fnmatch("t*.[ch]", "two.c", 0));
    regex_t expression;
    regmatch_t match[2];
    regcomp(&expression, "([0-9]+)-", REG_EXTENDED);
    tell("expression", regexec(&expression, "a 123-4", 2, match, 0) + match[1].rm_so);
    FILE *file = fopen("numbers", "r+");
    char *bytes = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, fileno(file), 0);
    bytes[0] = 'X';
    printf("a private mapping: %.7s, the file: %c\n", bytes, getc(file));
    char resolved[4096];
    tell("real path", realpath("tree/link/two.c", resolved) && strstr(resolved, "tree/a/two.c"));
    tell("no such file", fopen("none", "r") == NULL && errno == ENOENT);
    puts(strerror(ENOTDIR));
}

/* Children that tell their end by no signal of theirs, found by wait() all the same: a child's
 * sibling ends as the child does, and who adopts an orphan waits for it as for its own. */
static void siblings_and_orphans(void) {
    int status, waited = 0;
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    if (fork() == 0) {
        if (syscall(SYS_clone, CLONE_PARENT, 0, 0, 0, 0) == 0)
            _exit(3);
        _exit(0);
    }
    while (wait(&status) > 0)
        waited += 1 + WEXITSTATUS(status);
    tell("a sibling", waited);
    if (fork() == 0) {
        if (syscall(SYS_clone, 0, 0, 0, 0, 0) == 0) {
            usleep(1000);
            _exit(5);
        }
        _exit(0);
    }
    for (waited = 0; wait(&status) > 0;)
        waited += 1 + WEXITSTATUS(status);
    tell("an orphan", waited);
    prctl(PR_SET_CHILD_SUBREAPER, 0);
}

static void leave(void) { puts("at exit"); }

int main(int argc, char **argv) {
    setvbuf(stdout, NULL, _IOLBF, 0);
    atexit(leave);
    producers_and_consumers();
    other_locks();
    streams();
    numbers();
    times();
    signals();
    processes();
    siblings_and_orphans();
    names();
    return argc > 1 ? atoi(argv[1]) : 0;
}
