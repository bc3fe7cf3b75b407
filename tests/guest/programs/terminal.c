/* Pseudo-terminals, sessions and hang-ups; each line tells what came of one thing. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

static volatile sig_atomic_t seen;

static void note(int signal) { seen = signal; }

static void show(const char *what, long result) {
    printf("%s: %ld %s\n", what, result, result < 0 ? strerrorname_np(errno) : "");
}

/* Reads once, and on until `least` bytes came (when they do depends on a worker of Linux); shows
   them, control characters as \xNN. */
static void reads_least(const char *what, int fd, ssize_t least) {
    char bytes[256];
    ssize_t count = read(fd, bytes, sizeof bytes), more = count;
    while (more > 0 && count < least) {
        more = read(fd, bytes + count, sizeof bytes - count);
        count += more > 0 ? more : 0;
    }
    printf("%s: %zd %s ", what, count, count < 0 ? strerrorname_np(errno) : "");
    for (ssize_t i = 0; i < count; i++)
        if (bytes[i] < 32 || bytes[i] == 127)
            printf("\\x%02x", (unsigned char)bytes[i]);
        else
            putchar(bytes[i]);
    putchar('\n');
}

static void reads(const char *what, int fd) { reads_least(what, fd, 0); }

/* Reads until a text has come, and shows all that came. */
static void until(int fd, const char *text) {
    char all[512] = "";
    size_t len = 0;
    ssize_t count = 1;
    while (!strstr(all, text) && count > 0) {
        count = read(fd, all + len, sizeof all - 1 - len);
        len += count > 0 ? count : 0;
    }
    printf("until %s: %s\n", text, all);
}

/* Waits until something can be read: what is typed takes its time on Linux. */
static void arrives(int fd) {
    struct pollfd p = {fd, POLLIN, 0};
    poll(&p, 1, -1);
}

static void types(int fd, const char *text) { show("type", write(fd, text, strlen(text))); }

static void modes(int fd, tcflag_t off, tcflag_t out_off, int min, int time) {
    struct termios t;
    tcgetattr(fd, &t);
    t.c_lflag &= ~off;
    t.c_oflag &= ~out_off;
    t.c_cc[VMIN] = min;
    t.c_cc[VTIME] = time;
    show("tcsetattr", tcsetattr(fd, TCSADRAIN, &t));
}

static void lines(int master, int slave) {
    struct termios t;
    tcgetattr(slave, &t);
    printf("flags %o %o %o %o\n", t.c_iflag, t.c_oflag, t.c_cflag, t.c_lflag);
    types(master, "he\x7fllo\r");
    reads("line", slave);
    reads_least("echo", master, 10);
    types(master, "one two\x17three\x15" "four\n");
    reads("edited", slave);
    reads_least("echo", master, 54);
    types(master, "lit\x16\x03" "eral\n");
    reads("literal", slave);
    reads_least("echo", master, 13);
    types(master, "end\x04");
    reads("end of file", slave);
    reads_least("echo", master, 3);
    types(slave, "tab\there\nnext\n");
    reads_least("output", master, 16);
    int count = -1;
    // The echo may come out later.
    modes(slave, ECHO, 0, 1, 0);
    types(master, "12\n");
    arrives(slave);
    show("FIONREAD", ioctl(slave, FIONREAD, &count));
    printf("%d\n", count);
    show("flush", tcflush(slave, TCIOFLUSH));
    show("FIONREAD", ioctl(slave, FIONREAD, &count));
    printf("%d\n", count);
}

static void raw(int master, int slave) {
    modes(slave, ICANON | ECHO | ISIG | IEXTEN, OPOST, 0, 1);
    reads("time", slave);
    modes(slave, 0, 0, 0, 0);
    reads("poll", slave);
    modes(slave, 0, 0, 3, 0);
    types(master, "a\x03");
    struct pollfd p = {slave, POLLIN, 0};
    show("poll too few", poll(&p, 1, 0));
    types(master, "\x7f");
    show("poll", poll(&p, 1, -1));
    reads("raw", slave);
    types(slave, "plain\n");
    reads_least("output", master, 6);
    fcntl(slave, F_SETFL, O_RDWR | O_NONBLOCK);
    reads("no wait", slave);
    fcntl(slave, F_SETFL, O_RDWR);
}

static void sizes(int master, int slave) {
    struct winsize size = {40, 100, 1, 2}, now = {0};
    show("TIOCSWINSZ", ioctl(master, TIOCSWINSZ, &size));
    show("TIOCGWINSZ", ioctl(slave, TIOCGWINSZ, &now));
    printf("%d %d %d %d\n", now.ws_row, now.ws_col, now.ws_xpixel, now.ws_ypixel);
    int number = -1;
    show("TIOCGETD", ioctl(slave, TIOCGETD, &number));
    printf("%d\n", number);
    show("TIOCGPTN on slave", ioctl(slave, TIOCGPTN, &number));
    show("TIOCGPGRP of others", ioctl(slave, TIOCGPGRP, &number));
    show("TIOCSCTTY", ioctl(slave, TIOCSCTTY, 0));
    show("nonsense", ioctl(slave, 0x1234, 0));
    show("a file's", ioctl(open("/etc/passwd", O_RDONLY), TCGETS, &number));
}

static void packets(int master, int slave) {
    int on = 1;
    show("TIOCPKT", ioctl(master, TIOCPKT, &on));
    types(slave, "data");
    reads_least("packet", master, 5);
    show("flush", tcflush(slave, TCIFLUSH));
    reads("packet", master);
    on = 0;
    show("TIOCPKT", ioctl(master, TIOCPKT, &on));
}

/* A child in a session of its own, which the terminal controls. */
static void session(void) {
    int master, status;
    pid_t child = forkpty(&master, NULL, NULL, NULL);
    if (child == 0) {
        signal(SIGWINCH, note);
        printf("%d %d %d\n", tcgetpgrp(0) == getpid(), tcgetsid(0) == getpid(), isatty(2));
        fflush(stdout);
        while (!seen)
            usleep(1000); // pause() could come after the signal
        printf("signal %d\n", (int)seen);
        fflush(stdout);
        int tty = open("/dev/tty", O_RDWR);
        char line[64];
        ssize_t count = read(tty, line, sizeof line);
        printf("read %zd\n", count);
        fflush(stdout);
        pause();
        _exit(1);
    }
    until(master, "1 1 1\r\n");
    struct winsize size = {10, 20, 0, 0};
    show("TIOCSWINSZ", ioctl(master, TIOCSWINSZ, &size));
    until(master, "signal 28\r\n");
    types(master, "abc\r");
    until(master, "read 4\r\n");
    types(master, "\x03");
    show("wait", waitpid(child, &status, 0) == child);
    printf("by signal %d\n", WTERMSIG(status));
    until(master, "^C");
    reads("after", master);
    close(master);
}

/* A master that goes away hangs its session up. */
static void hang_up(void) {
    int master, status;
    pid_t child = forkpty(&master, NULL, NULL, NULL);
    if (child == 0) {
        write(1, "up", 2);
        pause();
        _exit(1);
    }
    until(master, "up");
    close(master);
    waitpid(child, &status, 0);
    printf("hung up by signal %d\n", WTERMSIG(status));
}

/* Who is in the background is stopped, or refused. */
static void background(void) {
    int master, status;
    pid_t leader = forkpty(&master, NULL, NULL, NULL);
    if (leader == 0) {
        pid_t job = fork();
        if (job == 0) {
            setpgid(0, 0);
            char byte;
            ssize_t count = read(0, &byte, 1);
            _exit(count == 1 ? byte : 99);
        }
        setpgid(job, job);
        waitpid(job, &status, WUNTRACED);
        printf("stopped %d by %d\n", WIFSTOPPED(status), WSTOPSIG(status) == SIGTTIN);
        signal(SIGTTOU, SIG_IGN);
        tcsetpgrp(0, job);
        printf("foreground %d\n", tcgetpgrp(0) == job);
        fflush(stdout);
        kill(-job, SIGCONT);
        waitpid(job, &status, 0);
        printf("exit %d\n", WEXITSTATUS(status));
        fflush(stdout);
        _exit(0);
    }
    char text[256] = "";
    size_t len = 0;
    ssize_t count;
    int typed = 0;
    while ((count = read(master, text + len, sizeof text - 1 - len)) > 0) {
        len += count;
        if (!typed && strstr(text, "foreground"))
            typed = write(master, "A\n", 2);
    }
    printf("%s", text);
    waitpid(leader, &status, 0);
}

int main(void) {
    int master, slave, status;
    /* Not as a session's leader, which could get a terminal of its own. */
    pid_t child = fork();
    if (child != 0)
        return waitpid(child, &status, 0) == child ? WEXITSTATUS(status) : 1;
    show("openpty", openpty(&master, &slave, NULL, NULL, NULL));
    struct statfs about;
    show("statfs", statfs(ptsname(master), &about));
    printf("%lx\n", (long)about.f_type);
    printf("%d\n", strcmp(ptsname(master), ttyname(slave)));
    lines(master, slave);
    raw(master, slave);
    sizes(master, slave);
    packets(master, slave);
    close(slave);
    reads("left", master);
    close(master);
    fflush(stdout);
    session();
    hang_up();
    fflush(stdout);
    background();
    return 0;
}
