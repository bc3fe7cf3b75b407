/* Calls that newer programs make by their numbers: descriptors of processes, openat2, memory
 * files, ranges of descriptors. A line for each fact, the same on Linux as on Kamen. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define PIDFD 3

static void result(const char *what, long value) {
    if (value == -1)
        printf("%s: %s\n", what, strerror(errno));
    else
        printf("%s: %ld\n", what, value);
}

static void tell(const char *what, long value) { printf("%s: %ld\n", what, value); }

static int pidfd_open(int pid, int flags) { return syscall(434, pid, flags); }
static int send(int fd, int signal, siginfo_t *info) { return syscall(424, fd, signal, info, 0); }

static void processes(void) {
    int gate[2], status;
    char byte;
    pipe(gate);
    int child = fork();
    if (child == 0) {
        close(gate[1]);
        read(gate[0], &byte, 1);
        _exit(9);
    }
    int fd = pidfd_open(child, 0);
    tell("close on exec", fcntl(fd, F_GETFD));
    tell("read and write", (fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDWR);
    result("read", read(fd, &byte, 1));
    result("write", write(fd, &byte, 1));
    struct pollfd entry = {fd, POLLIN, 0};
    tell("a process that runs", poll(&entry, 1, 0));
    result("signal 0", send(fd, 0, NULL));
    result("bad signal", send(fd, 99, NULL));
    result("not a pidfd", send(gate[0], 0, NULL));
    siginfo_t info = {0};
    info.si_signo = SIGTERM;
    info.si_code = SI_QUEUE;
    result("another signal's information", send(fd, SIGUSR1, &info));
    info.si_code = SI_USER;
    result("false information", send(fd, SIGTERM, &info));
    int quick = pidfd_open(child, O_NONBLOCK);
    memset(&info, 0, sizeof info);
    result("waiting without waiting", waitid(PIDFD, quick, &info, WEXITED));
    result("nothing yet", waitid(PIDFD, fd, &info, WEXITED | WNOHANG));
    tell("nobody", info.si_pid);
    close(gate[0]);
    write(gate[1], "", 1);
    close(gate[1]);
    tell("its end", poll(&entry, 1, 10000));
    tell("can be read", entry.revents & POLLIN);
    result("wait and leave", waitid(PIDFD, fd, &info, WEXITED | WNOWAIT));
    result("wait", waitid(PIDFD, fd, &info, WEXITED));
    tell("the child", info.si_pid == child);
    tell("its status", info.si_status);
    result("wait again", waitid(PIDFD, fd, &info, WEXITED));
    result("signal the dead", send(fd, 0, NULL));
    result("open the dead", pidfd_open(child, 0));
    result("open nobody", pidfd_open(-1, 0));
    result("no flag", pidfd_open(getpid(), 1));
    result("not open", waitid(PIDFD, 999, &info, WEXITED));
    result("negative", waitid(PIDFD, -1, &info, WEXITED));
    close(fd);
    close(quick);
    fd = -1;
    child = syscall(SYS_clone, CLONE_PIDFD | SIGCHLD, 0, &fd, 0, 0);
    if (child == 0)
        for (;;)
            pause();
    tell("clone's", fd >= 0);
    result("end it", send(fd, SIGKILL, NULL));
    tell("the same child", waitpid(child, &status, 0) == child);
    tell("by a signal", WIFSIGNALED(status) ? WTERMSIG(status) : -1);
    close(fd);
    result("two at one place",
           syscall(SYS_clone, CLONE_PIDFD | CLONE_PARENT_SETTID | SIGCHLD, 0, &fd, 0, 0));
}

static void borrowed(void) {
    int ends[2], ready[2];
    char text[8] = "";
    pipe(ready);
    int child = fork();
    if (child == 0) {
        pipe(ends);
        dup2(ends[0], 50);
        write(ends[1], "lent", 4);
        write(ready[1], "", 1);
        pause();
    }
    read(ready[0], text, 1);
    int fd = pidfd_open(child, 0);
    result("none of that number", syscall(438, fd, 77, 0));
    result("flags of getfd", syscall(438, fd, 50, 1));
    int end = syscall(438, fd, 50, 0);
    tell("close on exec", fcntl(end, F_GETFD));
    result("read", read(end, text, sizeof text));
    puts(text);
    kill(child, SIGKILL);
    wait(NULL);
    close(end);
    close(fd);
    close(ready[0]);
    close(ready[1]);
}

struct how {
    unsigned long long flags, mode, resolve, later;
};

static void opened(const char *what, int at, const char *path, unsigned long flags,
                   unsigned long mode, unsigned long resolve) {
    struct how how = {flags, mode, resolve, 0};
    int fd = syscall(437, at, path, &how, 24);
    if (fd < 0) {
        printf("%s: %s\n", what, strerror(errno));
        return;
    }
    printf("%s: opened\n", what);
    close(fd);
}

static void bounds(void) {
    mkdir("bounds", 0755);
    mkdir("bounds/in", 0755);
    close(open("bounds/in/file", O_CREAT | O_RDWR, 0644));
    close(open("outside", O_CREAT | O_RDWR, 0644));
    symlink("in/file", "bounds/near");
    symlink("../outside", "bounds/out");
    symlink("/in/file", "bounds/absolute");
    int at = open("bounds", O_RDONLY | O_DIRECTORY);
    opened("plain", at, "in/file", O_RDWR, 0, 0);
    opened("unknown flag", at, "in/file", 1ul << 30, 0, 0);
    opened("high flag", at, "in/file", 1ul << 40, 0, 0);
    opened("mode without create", at, "in/file", O_RDONLY, 0600, 0);
    opened("mode too large", at, "in/new", O_CREAT | O_RDWR, 010000, 0);
    opened("create", at, "in/new", O_CREAT | O_EXCL | O_RDWR, 0600, 0);
    opened("create again", at, "in/new", O_CREAT | O_EXCL | O_RDWR, 0600, 0);
    opened("a path that is written", at, "in", O_PATH | O_RDWR, 0, 0);
    opened("a path", at, "in", O_PATH | O_DIRECTORY, 0, 0);
    opened("unknown bound", at, "in/file", O_RDONLY, 0, 0x40);
    opened("both bounds", at, "in/file", O_RDONLY, 0, 0x18);
    opened("beneath", at, "in/../in/file", O_RDONLY, 0, 8);
    opened("beneath, a link", at, "near", O_RDONLY, 0, 8);
    opened("beneath, above", at, "../outside", O_RDONLY, 0, 8);
    opened("beneath, a link out", at, "out", O_RDONLY, 0, 8);
    opened("beneath, the root", at, "/", O_RDONLY, 0, 8);
    opened("beneath, an absolute link", at, "absolute", O_RDONLY, 0, 8);
    opened("root", at, "/in/file", O_RDONLY, 0, 0x10);
    opened("root, above", at, "../../in/file", O_RDONLY, 0, 0x10);
    opened("root, an absolute link", at, "absolute", O_RDONLY, 0, 0x10);
    opened("root, a link out", at, "out", O_RDONLY, 0, 0x10);
    opened("no links", at, "near", O_RDONLY, 0, 4);
    opened("no links, none there", at, "in/file", O_RDONLY, 0, 4);
    opened("no links, one kept", at, "near", O_PATH | O_NOFOLLOW, 0, 4);
    opened("no magic", AT_FDCWD, "/proc/self/exe", O_RDONLY, 0, 2);
    opened("no magic, a plain link", at, "near", O_RDONLY, 0, 2);
    opened("no magic, in /proc", AT_FDCWD, "/proc/self/stat", O_RDONLY, 0, 2);
    opened("other system", AT_FDCWD, "/proc/self/stat", O_RDONLY, 0, 1);
    opened("not found", at, "none", O_RDONLY, 0, 8);
    struct how how = {O_RDONLY, 0, 0, 1};
    result("too short", syscall(437, at, "near", &how, 16));
    result("too new", syscall(437, at, "near", &how, 32));
    how.later = 0;
    tell("later and empty", syscall(437, at, "near", &how, 32) >= 0);
    result("too long", syscall(437, at, "near", &how, 5000));
    close(at);
}

static void memory(void) {
    char path[64] = "", name[64], text[8] = "";
    int fd = syscall(319, "some name", 1);
    tell("close on exec", fcntl(fd, F_GETFD));
    snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    readlink(name, path, sizeof path - 1);
    puts(path);
    result("length", ftruncate(fd, 8192));
    char *map = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    memcpy(map + 4096, "mapped", 6);
    result("read", pread(fd, text, 6, 4096));
    puts(text);
    struct stat of;
    fstat(fd, &of);
    printf("mode %o, links %ld, size %ld\n", of.st_mode, (long)of.st_nlink, (long)of.st_size);
    munmap(map, 8192);
    close(fd);
    result("no such flag", syscall(319, "x", 0x4000));
    result("no name", syscall(319, NULL, 0));
}

static void ranges(void) {
    dup2(1, 60);
    dup2(1, 61);
    dup2(1, 70);
    result("mark", syscall(436, 60, 61, 4));
    tell("marked", fcntl(61, F_GETFD));
    tell("not marked", fcntl(70, F_GETFD));
    result("unshare and close", syscall(436, 60, ~0u, 2));
    result("closed", fcntl(70, F_GETFD));
    result("the wrong way", syscall(436, 9, 8, 0));
    result("no such flag", syscall(436, 60, 61, 8));
}

int main(void) {
    setvbuf(stdout, NULL, _IONBF, 0);
    processes();
    borrowed();
    bounds();
    memory();
    ranges();
    return 0;
}
