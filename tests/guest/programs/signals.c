/* Signals, timers and waiting; each line tells what came of one thing. */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

static volatile siginfo_t last;
static volatile int count, on_stack;
static int order[16];
static char stack[65536];

static void show(const char *what, long result) {
    printf("%s: %ld %s\n", what, result, result < 0 ? strerrorname_np(errno) : "");
}

static void handler(int signal, siginfo_t *info, void *context) {
    char here;
    (void)context;
    last = *info;
    order[count++ & 15] = signal == SIGRTMIN + 1 ? info->si_value.sival_int : signal;
    on_stack = &here >= stack && &here < stack + sizeof stack;
    /* Registers of the function below are not to be hurt. */
    __asm__ volatile("pxor %%xmm0, %%xmm0; pxor %%xmm7, %%xmm7; fninit" ::: "xmm0", "xmm7");
}

static void handle(int signal, int flags) {
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = flags | SA_SIGINFO};
    sigaction(signal, &action, NULL);
}

static sigset_t set(int signal) {
    sigset_t all;
    sigemptyset(&all);
    sigaddset(&all, signal);
    return all;
}

static void queues(void) {
    handle(SIGRTMIN + 1, 0);
    handle(SIGUSR1, 0);
    sigset_t both = set(SIGRTMIN + 1);
    sigaddset(&both, SIGUSR1);
    sigprocmask(SIG_BLOCK, &both, NULL);
    for (int i = 1; i <= 3; i++)
        show("sigqueue", sigqueue(getpid(), SIGRTMIN + 1, (union sigval){i * 11}));
    kill(getpid(), SIGUSR1);
    kill(getpid(), SIGUSR1);
    count = 0;
    sigprocmask(SIG_UNBLOCK, &both, NULL);
    printf("%d: %d %d %d %d\n", count, order[0], order[1], order[2], order[3]);
    printf("code %d from %d\n", last.si_code, last.si_pid == getpid());
    siginfo_t forged = {.si_code = SI_USER};
    show("forged", syscall(SYS_rt_sigqueueinfo, getppid(), SIGUSR1, &forged));
    show("number", kill(getpid(), 65));
    show("nobody", kill(0x3fffffff, 0));
    show("tgkill", syscall(SYS_tgkill, getpid(), 0x3fffffff, 0));
    show("tgkill 0", syscall(SYS_tgkill, 0, 1, 0));
}

static void flags(void) {
    stack_t alt = {.ss_sp = stack, .ss_size = sizeof stack}, old;
    show("sigaltstack", sigaltstack(&alt, NULL));
    handle(SIGUSR1, SA_ONSTACK);
    raise(SIGUSR1);
    printf("on stack %d, code %d\n", on_stack, last.si_code);
    sigaltstack(NULL, &old);
    printf("flags %d size %zu\n", old.ss_flags, old.ss_size);
    alt.ss_size = 100;
    show("small", sigaltstack(&alt, NULL));
    alt.ss_flags = 77;
    show("flags", sigaltstack(&alt, NULL));
    handle(SIGUSR1, SA_RESETHAND);
    raise(SIGUSR1);
    struct sigaction now;
    sigaction(SIGUSR1, NULL, &now);
    printf("reset %d\n", now.sa_handler == SIG_DFL);
    show("SIGKILL", sigaction(SIGKILL, &now, NULL));
    double x = 1.5;
    __asm__ volatile("" : "+x"(x));
    handle(SIGUSR2, 0);
    for (int i = 0; i < 3; i++) {
        raise(SIGUSR2);
        x *= 2;
    }
    printf("x %g\n", x);
}

static void faults(void) {
    int status;
    for (int which = 0; which < 3; which++) {
        fflush(stdout);
        pid_t child = fork();
        if (child == 0) {
            struct rlimit none = {0, 0};
            setrlimit(RLIMIT_CORE, &none);
            freopen("/dev/null", "w", stderr);
            if (which == 0)
                *(volatile int *)16 = 1;
            if (which == 1)
                __asm__ volatile("ud2");
            if (which == 2)
                abort();
        }
        waitpid(child, &status, 0);
        printf("ended by %d\n", WTERMSIG(status));
    }
}

static void *kicks(void *thread) {
    usleep(20000);
    pthread_kill(*(pthread_t *)thread, SIGUSR1);
    return NULL;
}

static void interruptions(void) {
    pthread_t self = pthread_self(), other;
    struct timespec time = {5, 0}, rest = {0, 0};
    handle(SIGUSR1, SA_RESTART);
    pthread_create(&other, NULL, kicks, &self);
    show("nanosleep", nanosleep(&time, &rest));
    printf("rest %d\n", rest.tv_sec == 4 && rest.tv_nsec > 0);
    pthread_join(other, NULL);
    pthread_create(&other, NULL, kicks, &self);
    show("poll", poll(NULL, 0, 5000));
    pthread_join(other, NULL);
    int ends[2];
    char byte;
    pipe(ends);
    handle(SIGUSR1, 0);
    pthread_create(&other, NULL, kicks, &self);
    show("read", read(ends[0], &byte, 1));
    pthread_join(other, NULL);
    clock_gettime(CLOCK_MONOTONIC, &time);
    time.tv_nsec += 1000000;
    if (time.tv_nsec >= 1000000000)
        time.tv_sec++, time.tv_nsec -= 1000000000;
    show("absolute", clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL));
    time.tv_nsec = 1000000000;
    show("nanosleep", nanosleep(&time, NULL));
}

static void waits(void) {
    sigset_t one = set(SIGUSR2);
    siginfo_t info;
    struct timespec short_time = {0, 1000000};
    sigprocmask(SIG_BLOCK, &one, NULL);
    show("sigtimedwait", sigtimedwait(&one, &info, &short_time));
    pid_t parent = getpid(), child = fork();
    if (child == 0) {
        usleep(20000);
        kill(parent, SIGUSR2);
        _exit(7);
    }
    show("sigwaitinfo", sigwaitinfo(&one, &info) == SIGUSR2);
    printf("from child %d\n", info.si_pid == child);
    show("WNOWAIT", waitid(P_PID, child, &info, WEXITED | WNOWAIT));
    printf("%d %d %d\n", info.si_signo, info.si_code, info.si_status);
    show("waitid", waitid(P_ALL, 0, &info, WEXITED));
    show("no child", waitid(P_ALL, 0, &info, WEXITED));
    show("no state", waitid(P_ALL, 0, &info, WNOHANG));
    show("wait4", wait4(-1, NULL, 0x40, NULL));
    fflush(stdout);
    child = fork();
    if (child == 0) {
        raise(SIGSTOP);
        // A child that has ended tells no more that it went on.
        usleep(100000);
        _exit(3);
    }
    waitid(P_PID, child, &info, WSTOPPED);
    printf("%d %d\n", info.si_code, info.si_status);
    kill(child, SIGCONT);
    waitid(P_PID, child, &info, WCONTINUED);
    printf("%d %d\n", info.si_code, info.si_status);
    waitid(P_PID, child, &info, WEXITED);
    printf("%d %d\n", info.si_code, info.si_status);
    struct rusage usage;
    show("getrusage", getrusage(RUSAGE_THREAD, &usage));
    show("getrusage 9", getrusage(9, &usage));
}

/* A parent whose memory is lent runs no handler on it. */
static void lending(void) {
    handle(SIGALRM, 0);
    count = 0;
    struct itimerval soon = {{0, 0}, {0, 10000}};
    setitimer(ITIMER_REAL, &soon, NULL);
    pid_t child = vfork();
    if (child == 0) {
        struct timespec time = {0, 100000000};
        nanosleep(&time, NULL);
        _exit(count);
    }
    int status;
    waitpid(child, &status, 0);
    printf("handled before the child ended: %d, and after: %d\n", WEXITSTATUS(status), count);
}

static void timers(void) {
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN + 2};
    event.sigev_value.sival_int = 42;
    sigset_t one = set(SIGRTMIN + 2);
    sigprocmask(SIG_BLOCK, &one, NULL);
    timer_t timer;
    show("timer_create", timer_create(CLOCK_MONOTONIC, &event, &timer));
    struct itimerspec time = {{0, 0}, {0, 5000000}}, left;
    show("timer_settime", timer_settime(timer, 0, &time, NULL));
    siginfo_t info;
    show("sigwaitinfo", sigwaitinfo(&one, &info) == SIGRTMIN + 2);
    printf("code %d value %d overrun %d\n", info.si_code, info.si_value.sival_int, info.si_overrun);
    time.it_value.tv_sec = 100;
    timer_settime(timer, 0, &time, NULL);
    timer_gettime(timer, &left);
    printf("left %d\n", left.it_value.tv_sec >= 99);
    show("timer_delete", timer_delete(timer));
    event.sigev_signo = 99;
    show("signal 99", timer_create(CLOCK_MONOTONIC, &event, &timer));
    handle(SIGALRM, 0);
    struct itimerval soon = {{0, 0}, {0, 10000}}, before;
    show("setitimer", setitimer(ITIMER_REAL, &soon, NULL));
    show("pause", pause());
    printf("signal %d\n", last.si_signo);
    alarm(100);
    getitimer(ITIMER_REAL, &before);
    printf("left %d\n", before.it_value.tv_sec >= 99);
    show("alarm", alarm(0) >= 99);
}

int main(void) {
    queues();
    flags();
    faults();
    interruptions();
    lending();
    waits();
    timers();
    return 0;
}
