/* What programs may expect of processor time, its clocks, timers and limit: a line for each fact,
 * the same on Linux as on Kamen. */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/times.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MS 1000000L

static void tell(const char *fact, long value) { printf("%s: %ld\n", fact, value); }

static void result(const char *what, long value) {
    if (value == -1)
        printf("%s: errno %d\n", what, errno);
    else
        printf("%s: %ld\n", what, value);
}

static long read_clock(clockid_t clock) {
    struct timespec time;
    if (syscall(SYS_clock_gettime, clock, &time) == -1)
        return -1;
    return time.tv_sec * 1000 * MS + time.tv_nsec;
}

static long own(void) { return read_clock(CLOCK_PROCESS_CPUTIME_ID); }

static long us(struct timeval time) { return time.tv_sec * 1000000 + time.tv_usec; }

/* Uses the processor for so long, in the program alone or mostly by calls. */
static void work(long ns) {
    for (long until = own() + ns; own() < until;)
        for (volatile int i = 0; i < 100000; i++)
            ;
}

static void calls(long ns) {
    for (long until = own() + ns; own() < until;)
        for (int i = 0; i < 200; i++)
            syscall(SYS_getpid);
}

static void usages(void) {
    struct rusage usage, children;
    struct tms times_used;
    work(60 * MS);
    getrusage(RUSAGE_SELF, &usage);
    tell("user time is most of what a loop takes", us(usage.ru_utime) > 2 * us(usage.ru_stime));
    calls(100 * MS);
    long before = us(usage.ru_stime);
    getrusage(RUSAGE_SELF, &usage);
    tell("calls take system time", us(usage.ru_stime) - before > 20000);
    long sum = (us(usage.ru_utime) + us(usage.ru_stime)) * 1000, clock_now = own();
    tell("usage and clock agree", clock_now >= sum - 20 * MS && clock_now - sum < 40 * MS);
    tell("clock() is that clock", labs(clock() * 1000L - own()) < 40 * MS);
    times(&times_used);
    long ticks = times_used.tms_utime + times_used.tms_stime;
    tell("times() is in ticks", labs(ticks * 10 * MS - own()) < 60 * MS);
    tell("nothing of children yet", times_used.tms_cutime + times_used.tms_cstime);
    pid_t child = fork();
    if (child == 0) {
        tell("a child begins with nothing", own() < 20 * MS);
        fflush(stdout);
        work(80 * MS);
        _exit(0);
    }
    memset(&usage, 0, sizeof usage);
    wait4(child, NULL, 0, &usage);
    sum = us(usage.ru_utime) + us(usage.ru_stime);
    tell("wait4 tells what the child used", sum >= 75000 && sum < 400000);
    getrusage(RUSAGE_CHILDREN, &children);
    tell("and that is the children's", us(children.ru_utime) == us(usage.ru_utime));
    long asleep = own();
    usleep(100000);
    tell("sleep takes no time", own() - asleep < 20 * MS);
}

static void *thread(void *argument) {
    clockid_t clock;
    long before = read_clock(CLOCK_THREAD_CPUTIME_ID);
    work(50 * MS);
    struct rusage usage;
    getrusage(RUSAGE_THREAD, &usage);
    tell("a thread has its own time", before < 20 * MS && us(usage.ru_utime) >= 20000);
    pthread_getcpuclockid(pthread_self(), &clock);
    long one = read_clock(clock), two = read_clock(CLOCK_THREAD_CPUTIME_ID);
    tell("its clock has a name", one > 0 && two - one < 20 * MS);
    return argument;
}

static void clocks(void) {
    pthread_t other;
    clockid_t clock;
    struct timespec step, some = {0, 1000};
    long before = own(), mine = read_clock(CLOCK_THREAD_CPUTIME_ID);
    pthread_create(&other, NULL, thread, NULL);
    pthread_join(other, NULL);
    tell("a thread's time is its process's", own() - before >= 50 * MS);
    tell("and not another thread's", read_clock(CLOCK_THREAD_CPUTIME_ID) - mine < 30 * MS);
    result("clock of the process", clock_getcpuclockid(getpid(), &clock));
    tell("reads as the other", labs(read_clock(clock) - own()) < 20 * MS);
    result("resolution", clock_getres(CLOCK_PROCESS_CPUTIME_ID, &step));
    tell("in ns", step.tv_nsec);
    result("it cannot be set", clock_settime(CLOCK_PROCESS_CPUTIME_ID, &some));
    result("the clock of nobody", syscall(SYS_clock_gettime, -240006, &some));
    result("a clock that counts nothing", syscall(SYS_clock_gettime, -5, &some));
    result("sleep by a thread's time",
           syscall(SYS_clock_nanosleep, CLOCK_THREAD_CPUTIME_ID, 0, &some, NULL));
    result("time of nobody in particular", getrusage(7, &(struct rusage){0}));
}

static volatile sig_atomic_t heard;
static void hear(int signal) { heard = signal; }

static void timers(void) {
    struct itimerval once = {{0, 0}, {0, 50000}}, left;
    signal(SIGPROF, hear), signal(SIGVTALRM, hear);
    setitimer(ITIMER_PROF, &once, NULL);
    getitimer(ITIMER_PROF, &left);
    tell("something is left", us(left.it_value) > 0 && us(left.it_value) <= 54000);
    long before = own();
    while (heard == 0 && own() - before < 2000 * MS)
        for (int i = 0; i < 200; i++)
            syscall(SYS_getpid);
    tell("ITIMER_PROF", heard == SIGPROF && own() - before >= 20 * MS);
    heard = 0;
    setitimer(ITIMER_VIRTUAL, &once, NULL);
    before = own();
    while (heard == 0 && own() - before < 2000 * MS)
        for (volatile int i = 0; i < 100000; i++)
            ;
    tell("ITIMER_VIRTUAL", heard == SIGVTALRM && own() - before >= 20 * MS);
    heard = 0;
    setitimer(ITIMER_PROF, &once, NULL);
    usleep(150000);
    tell("no signal while it sleeps", heard);
    setitimer(ITIMER_PROF, &(struct itimerval){0}, NULL);
    timer_t timer;
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
    signal(SIGUSR1, hear);
    result("a timer of a thread's time", timer_create(CLOCK_THREAD_CPUTIME_ID, &event, &timer));
    timer_settime(timer, 0, &(struct itimerspec){{0, 0}, {0, 30 * MS}}, NULL);
    before = own();
    while (heard == 0 && own() - before < 2000 * MS)
        for (volatile int i = 0; i < 100000; i++)
            ;
    tell("its signal", heard == SIGUSR1 && own() - before >= 25 * MS);
    timer_delete(timer);
}

static void limit(void) {
    pid_t child = fork();
    if (child == 0) {
        struct rlimit most = {1, 2};
        heard = 0;
        signal(SIGXCPU, hear);
        setrlimit(RLIMIT_CPU, &most);
        while (heard == 0)
            for (volatile int i = 0; i < 100000; i++)
                ;
        tell("a warning at the soft limit", heard == SIGXCPU);
        tell("about then", own() >= 800 * MS && own() < 2000 * MS);
        fflush(stdout);
        for (;;)
            ;
    }
    int status;
    struct rusage usage;
    wait4(child, &status, 0, &usage);
    long sum = us(usage.ru_utime) + us(usage.ru_stime);
    tell("the end at the hard one", WIFSIGNALED(status) ? WTERMSIG(status) : -1);
    tell("after that time", sum >= 1600000 && sum < 4000000);
}

static void files(void) {
    char text[1024], *at = text;
    FILE *file = fopen("/proc/self/stat", "r");
    text[fread(text, 1, sizeof text - 1, file)] = 0;
    fclose(file);
    unsigned long user, system;
    at = strrchr(text, ')') + 2;
    sscanf(at, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system);
    tell("/proc/self/stat tells the same", labs((long)(user + system) * 10 * MS - own()) < 60 * MS);
}

int main(void) {
    setvbuf(stdout, NULL, _IOLBF, 0);
    usages();
    clocks();
    timers();
    files();
    limit();
    return 0;
}
