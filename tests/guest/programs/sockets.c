/* Sockets, event descriptors and waiting for them, as programs use them. What it prints on Linux is
 * what it must print here: no line depends on time, numbers of processes or sizes of buffers. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/sendfile.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char buf[300000];

static void say(const char *what, long result) {
    printf("%-34s %ld", what, result);
    if (result < 0) printf(" %s", strerrorname_np(errno));
    printf("\n");
}

static void text(const char *what, const char *bytes, long len) {
    printf("%-34s %ld '%.*s'\n", what, len, len > 0 ? (int)len : 0, bytes);
}

/* A name outside the file tree, of this process alone. */
static char *own(const char *name) {
    static char full[40];
    full[0] = 0;
    snprintf(full + 1, sizeof full - 1, "%s-%08d", name, getpid());
    return full;
}

static struct sockaddr_un named(const char *name, socklen_t *len) {
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    size_t n = strlen(name + 1) + 1;
    memcpy(a.sun_path, name, n);
    *len = offsetof(struct sockaddr_un, sun_path) + n + (name[0] ? 1 : 0);
    return a;
}

static int events(int fd, int wanted) {
    struct pollfd p = {fd, wanted, 0};
    poll(&p, 1, 0);
    return p.revents;
}

static void streams(void) {
    int s[2], value;
    socklen_t len = sizeof value;
    puts("-- streams");
    say("socketpair", socketpair(AF_UNIX, SOCK_STREAM, 0, s));
    say("write", write(s[0], "hello ", 6));
    say("send", send(s[0], "world", 5, 0));
    say("FIONREAD", (ioctl(s[1], FIONREAD, &value), value));
    text("peek", buf, recv(s[1], buf, 8, MSG_PEEK));
    text("read", buf, read(s[1], buf, 100));
    say("recv dontwait", recv(s[1], buf, 9, MSG_DONTWAIT));
    say("poll idle", events(s[1], POLLIN | POLLOUT | POLLRDHUP));
    struct iovec iov[2] = {{"ab", 2}, {"cdef", 4}};
    say("writev", writev(s[1], iov, 2));
    char x[3], y[10];
    struct iovec in[2] = {{x, 3}, {y, 10}};
    say("readv", readv(s[0], in, 2));
    printf("%.3s|%.3s\n", x, y);
    getsockopt(s[0], SOL_SOCKET, SO_TYPE, &value, &len);
    say("SO_TYPE", value);
    getsockopt(s[0], SOL_SOCKET, SO_DOMAIN, &value, &len);
    say("SO_DOMAIN", value);
    getsockopt(s[0], SOL_SOCKET, SO_ACCEPTCONN, &value, &len);
    say("SO_ACCEPTCONN", value);
    getsockopt(s[0], SOL_SOCKET, SO_SNDBUF, &value, &len);
    say("SO_SNDBUF", value);
    value = 1000;
    say("set SO_SNDBUF", setsockopt(s[0], SOL_SOCKET, SO_SNDBUF, &value, sizeof value));
    getsockopt(s[0], SOL_SOCKET, SO_SNDBUF, &value, &len);
    say("SO_SNDBUF", value);
    say("unknown option", setsockopt(s[0], SOL_SOCKET, 1234, &value, sizeof value));
    say("other level", setsockopt(s[0], 6, 1, &value, sizeof value));
    say("sendto connected", sendto(s[1], "x", 1, 0, (void *)"\1\0/x", 5));
    say("lseek", lseek(s[0], 0, SEEK_SET));
    say("pread", pread(s[0], buf, 1, 0));
    say("shutdown", shutdown(s[0], SHUT_WR));
    say("poll after shutdown", events(s[1], POLLIN | POLLOUT | POLLRDHUP));
    say("poll other side", events(s[0], POLLIN | POLLOUT | POLLRDHUP));
    say("end", read(s[1], buf, 10));
    say("send after shutdown", send(s[0], "x", 1, MSG_NOSIGNAL));
    say("other direction", write(s[1], "back", 4));
    close(s[1]);
    say("poll after close", events(s[0], POLLIN | POLLOUT | POLLRDHUP));
    text("rest", buf, read(s[0], buf, 10));
    say("end", read(s[0], buf, 10));
    close(s[0]);

    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, s);
    long total = 0, n;
    while ((n = write(s[0], buf, 100000)) > 0) total += n;
    say("full", n);
    say("took more than 64 KiB", total > 65536);
    say("poll full", events(s[0], POLLOUT));
    while ((n = read(s[1], buf, sizeof buf)) > 0) total -= n;
    say("left", total);
    say("poll drained", events(s[0], POLLOUT));
    write(s[1], "unread", 6);
    close(s[0]);
    say("reset", read(s[1], buf, 1));
    say("then end", read(s[1], buf, 1));
    signal(SIGPIPE, SIG_IGN);
    say("EPIPE", write(s[1], "x", 1));
    signal(SIGPIPE, SIG_DFL);
    close(s[1]);

    say("family", socket(99, SOCK_STREAM, 0));
    say("bad type", socket(AF_UNIX, 9, 0));
    say("bad flags", socket(AF_UNIX, SOCK_STREAM | 0x100, 0));
    say("bad protocol", socket(AF_UNIX, SOCK_STREAM, 7));
    say("not a socket", send(1, "x", 1, 0));
    int u = socket(AF_UNIX, SOCK_STREAM, 0);
    say("read unconnected", read(u, buf, 1));
    say("write unconnected", send(u, "x", 1, MSG_NOSIGNAL));
    say("poll unconnected", events(u, POLLIN | POLLOUT));
    say("listen unbound", listen(u, 1));
    say("accept not listening", accept(u, 0, 0));
    say("peer of nobody", getpeername(u, (void *)buf, &len));
    close(u);
}

static void *late(void *fd) {
    usleep(30000);
    write(*(int *)fd, "de", 2);
    return 0;
}

static void waits(void) {
    int s[2];
    puts("-- waits");
    socketpair(AF_UNIX, SOCK_STREAM, 0, s);
    pthread_t t;
    write(s[0], "abc", 3);
    pthread_create(&t, 0, late, &s[0]);
    text("MSG_WAITALL", buf, recv(s[1], buf, 5, MSG_WAITALL));
    pthread_join(t, 0);
    struct timeval tv = {0, 20000};
    setsockopt(s[1], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv);
    say("SO_RCVTIMEO", recv(s[1], buf, 1, 0));
    say("SO_RCVTIMEO by read", read(s[1], buf, 1));
    pid_t pid = fork();
    if (pid == 0) {
        close(s[1]);
        for (int i = 0; i < 8; i++) write(s[0], buf, 100000);
        _exit(0);
    }
    close(s[0]);
    tv.tv_usec = 0;
    setsockopt(s[1], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv);
    long total = 0, n;
    while ((n = read(s[1], buf, 50000)) > 0) total += n;
    say("through a full buffer", total);
    waitpid(pid, 0, 0);
    close(s[1]);
}

static void connections(void) {
    socklen_t len, got;
    struct sockaddr_un a, b;
    puts("-- connections");
    unlink("sock");
    int l = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    a = named("sock", &len);
    int c = socket(AF_UNIX, SOCK_STREAM, 0);
    say("connect ENOENT", connect(c, (void *)&a, len));
    say("bind", bind(l, (void *)&a, len));
    struct stat st;
    stat("sock", &st);
    say("is a socket", S_ISSOCK(st.st_mode));
    say("open it", open("sock", O_RDWR));
    say("connect before listen", connect(c, (void *)&a, len));
    say("bind again", bind(l, (void *)&a, len));
    say("bind EADDRINUSE", bind(c, (void *)&a, len));
    say("listen", listen(l, 0));
    int d = socket(AF_UNIX, SOCK_DGRAM, 0);
    say("EPROTOTYPE", connect(d, (void *)&a, len));
    close(d);
    say("poll listener", events(l, POLLIN | POLLOUT));
    say("connect", connect(c, (void *)&a, len));
    say("poll listener", events(l, POLLIN | POLLOUT));
    int c2 = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    say("backlog full", connect(c2, (void *)&a, len));
    say("write early", write(c, "early", 5));
    got = sizeof b;
    memset(&b, 0, sizeof b);
    int s = accept4(l, (void *)&b, &got, SOCK_CLOEXEC);
    say("accepted name", got);
    say("cloexec", fcntl(s, F_GETFD));
    text("read early", buf, read(s, buf, 10));
    say("connect twice", connect(c, (void *)&a, len));
    say("connect after accept", connect(c2, (void *)&a, len));
    got = sizeof b;
    getpeername(c, (void *)&b, &got);
    text("getpeername", b.sun_path, got);
    got = sizeof b;
    getsockname(s, (void *)&b, &got);
    text("getsockname", b.sun_path, got);
    got = 4;
    getsockname(l, (void *)&b, &got);
    say("cut name", got);
    struct ucred u;
    got = sizeof u;
    getsockopt(s, SOL_SOCKET, SO_PEERCRED, &u, &got);
    say("SO_PEERCRED", u.pid == getpid() && u.uid == geteuid() && u.gid == getegid());
    fcntl(l, F_SETFL, O_NONBLOCK);
    close(accept(l, 0, 0));
    say("accept EAGAIN", accept(l, 0, 0));
    say("poll of client left", events(c2, POLLIN | POLLOUT | POLLRDHUP));
    close(c2);
    close(c);
    close(s);
    unlink("sock");
    c = socket(AF_UNIX, SOCK_STREAM, 0);
    say("unlinked", connect(c, (void *)&a, len));
    close(l);

    a = named(own("abstract"), &len);
    l = socket(AF_UNIX, SOCK_SEQPACKET, 0);
    say("bind abstract", bind(l, (void *)&a, len));
    listen(l, 5);
    say("abstract, other type", connect(c, (void *)&a, len));
    close(c);
    pid_t pid = fork();
    if (pid == 0) {
        c = socket(AF_UNIX, SOCK_SEQPACKET, 0);
        connect(c, (void *)&a, len);
        write(c, "one", 3);
        write(c, "two, longer", 11);
        _exit(read(c, buf, 10));
    }
    s = accept(l, 0, 0);
    text("packet", buf, read(s, buf, 100));
    text("cut packet", buf, recv(s, buf, 5, MSG_TRUNC));
    say("answer", write(s, "1234", 4));
    int status;
    waitpid(pid, &status, 0);
    say("child read", WEXITSTATUS(status));
    say("end of packets", read(s, buf, 10));
    close(s);
    close(l);
    l = socket(AF_UNIX, SOCK_SEQPACKET, 0);
    say("abstract name is free again", bind(l, (void *)&a, len));
    close(l);
    a.sun_family = AF_UNIX;
    l = socket(AF_UNIX, SOCK_STREAM, 0);
    say("autobind", bind(l, (void *)&a, sizeof(sa_family_t)));
    got = sizeof b;
    getsockname(l, (void *)&b, &got);
    say("autobound", got);
    say("bad family", bind(l, (void *)"\2\0xx", 5));
    say("short address", bind(l, (void *)&a, 1));
    close(l);
}

static void datagrams(void) {
    socklen_t len, len2, got;
    struct sockaddr_un a, b, c;
    puts("-- datagrams");
    a = named(own("one"), &len);
    b = named(own("two"), &len2);
    int one = socket(AF_UNIX, SOCK_DGRAM, 0), two = socket(AF_UNIX, SOCK_DGRAM, 0);
    bind(one, (void *)&a, len);
    say("send to nobody", send(two, "x", 1, 0));
    say("sendto", sendto(two, "anon", 4, 0, (void *)&a, len));
    got = sizeof c;
    text("recvfrom", buf, recvfrom(one, buf, 100, 0, (void *)&c, &got));
    say("no name", got);
    bind(two, (void *)&b, len2);
    say("sendto", sendto(two, "named", 5, 0, (void *)&a, len));
    got = sizeof c;
    text("recvfrom", buf, recvfrom(one, buf, 100, 0, (void *)&c, &got));
    text("name", c.sun_path + 1, 3);
    say("connect", connect(two, (void *)&a, len));
    say("zero bytes", write(two, "", 0));
    say("read zero bytes", recv(one, buf, 10, 0));
    int i = 0;
    fcntl(two, F_SETFL, O_NONBLOCK);
    while (write(two, "x", 1) == 1) i++;
    say("queued", i);
    say("full", write(two, "x", 1));
    say("poll full", events(two, POLLOUT));
    read(one, buf, 1);
    say("poll room", events(two, POLLOUT));
    say("too long", send(two, buf, 250000, 0));
    close(one);
    say("refused", write(two, "x", 1));
    say("not connected any more", write(two, "x", 1));
    close(two);
    int s[2];
    socketpair(AF_UNIX, SOCK_DGRAM, 0, s);
    struct mmsghdr m[3];
    struct iovec iov[3] = {{"a", 1}, {"bb", 2}, {"ccc", 3}};
    memset(m, 0, sizeof m);
    for (i = 0; i < 3; i++) m[i].msg_hdr.msg_iov = &iov[i], m[i].msg_hdr.msg_iovlen = 1;
    say("sendmmsg", sendmmsg(s[0], m, 3, 0));
    char in[4][4];
    struct mmsghdr r[4];
    struct iovec riov[4];
    memset(r, 0, sizeof r);
    for (i = 0; i < 4; i++) {
        riov[i] = (struct iovec){in[i], 2};
        r[i].msg_hdr.msg_iov = &riov[i], r[i].msg_hdr.msg_iovlen = 1;
    }
    say("recvmmsg", recvmmsg(s[1], r, 4, MSG_WAITFORONE, 0));
    for (i = 0; i < 3; i++) printf("%u %#x ", r[i].msg_len, r[i].msg_hdr.msg_flags);
    puts("");
    close(s[0]);
    close(s[1]);
}

static long pass(int fd, const char *bytes, int *fds, int count, int flags) {
    struct iovec iov = {(void *)bytes, strlen(bytes)};
    char control[CMSG_SPACE(sizeof(int) * 300)] = {0};
    struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control};
    m.msg_controllen = CMSG_SPACE(sizeof(int) * count);
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    c->cmsg_level = SOL_SOCKET, c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(sizeof(int) * count);
    memcpy(CMSG_DATA(c), fds, sizeof(int) * count);
    return sendmsg(fd, &m, flags);
}

static int take(int fd, int *fds, size_t room, int flags) {
    struct iovec iov = {buf, 100};
    char control[512];
    struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control};
    m.msg_controllen = room;
    long n = recvmsg(fd, &m, flags);
    int count = 0;
    printf("recvmsg %ld flags %#x", n, n < 0 ? 0 : m.msg_flags);
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); n >= 0 && c; c = CMSG_NXTHDR(&m, c)) {
        if (c->cmsg_type == SCM_RIGHTS) {
            count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
            memcpy(fds, CMSG_DATA(c), count * sizeof(int));
            printf(" rights %d", count);
        } else if (c->cmsg_type == SCM_CREDENTIALS) {
            struct ucred u;
            memcpy(&u, CMSG_DATA(c), sizeof u);
            printf(" credentials %s", u.pid == getpid() && u.uid == getuid() ? "own" : "other");
        }
    }
    puts("");
    return count;
}

static void rights(void) {
    int s[2], p[2], fds[10], one = 1;
    puts("-- rights");
    socketpair(AF_UNIX, SOCK_STREAM, 0, s);
    pipe(p);
    say("pass", pass(s[0], "fd", &p[1], 1, 0));
    close(p[1]);
    take(s[1], fds, 512, MSG_CMSG_CLOEXEC);
    say("cloexec", fcntl(fds[0], F_GETFD));
    write(fds[0], "through", 7);
    close(fds[0]);
    text("read", buf, read(p[0], buf, 100));
    say("end", read(p[0], buf, 100));
    int two[2] = {p[0], s[0]};
    write(s[0], "plain", 5);
    pass(s[0], "with", two, 2, 0);
    write(s[0], "after", 5);
    take(s[1], fds, 512, 0);
    close(fds[0]), close(fds[1]);
    take(s[1], fds, 512, 0);
    pass(s[0], "short", two, 2, 0);
    take(s[1], fds, CMSG_SPACE(sizeof(int)), 0);
    close(fds[0]);
    pass(s[0], "none", two, 2, 0);
    take(s[1], fds, 0, 0);
    int bad = 99;
    say("bad descriptor", pass(s[0], "x", &bad, 1, 0));
    int many[254];
    for (int i = 0; i < 254; i++) many[i] = p[0];
    say("too many", pass(s[0], "x", many, 254, 0));
    say("SO_PASSCRED", setsockopt(s[1], SOL_SOCKET, SO_PASSCRED, &one, sizeof one));
    write(s[0], "who", 3);
    take(s[1], fds, 512, 0);
    close(s[0]), close(s[1]), close(p[0]);
    /* Sockets that keep each other in flight: closed, they are gone. */
    for (int i = 0; i < 200; i++) {
        socketpair(AF_UNIX, SOCK_STREAM, 0, s);
        pass(s[0], "x", s, 2, 0);
        pass(s[1], "x", s, 2, 0);
        close(s[0]), close(s[1]);
    }
    socketpair(AF_UNIX, SOCK_STREAM, 0, s);
    say("still passes", pass(s[0], "x", s, 2, 0));
    close(s[0]), close(s[1]);
}

static void reports(int ep, const char *what, int timeout) {
    struct epoll_event e[10];
    int n = epoll_wait(ep, e, 10, timeout);
    printf("%-34s %d", what, n);
    for (int i = 0; i < n; i++) printf(" %#x:%d", e[i].events, e[i].data.fd);
    puts("");
}

static int control(int ep, int op, int fd, unsigned events, int data) {
    struct epoll_event e = {.events = events, .data.fd = data};
    return epoll_ctl(ep, op, fd, &e);
}

static void epolls(void) {
    int s[2], p[2], ep = epoll_create1(EPOLL_CLOEXEC);
    puts("-- epoll");
    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, s);
    pipe2(p, O_NONBLOCK);
    say("add", control(ep, EPOLL_CTL_ADD, s[0], EPOLLIN, 1));
    say("add again", control(ep, EPOLL_CTL_ADD, s[0], EPOLLIN, 1));
    say("mod missing", control(ep, EPOLL_CTL_MOD, p[0], EPOLLIN, 1));
    say("del missing", control(ep, EPOLL_CTL_DEL, p[0], EPOLLIN, 1));
    say("add itself", control(ep, EPOLL_CTL_ADD, ep, EPOLLIN, 1));
    say("add closed", control(ep, EPOLL_CTL_ADD, 99, EPOLLIN, 1));
    int file = open("/", O_RDONLY);
    say("add directory", control(ep, EPOLL_CTL_ADD, file, EPOLLIN, 1));
    close(file);
    say("not epoll", control(s[0], EPOLL_CTL_ADD, s[1], EPOLLIN, 1));
    reports(ep, "nothing", 0);
    reports(ep, "nothing for a while", 20);
    write(s[1], "xx", 2);
    reports(ep, "level", -1);
    reports(ep, "level again", -1);
    read(s[0], buf, 10);
    reports(ep, "drained", 0);
    control(ep, EPOLL_CTL_MOD, s[0], EPOLLIN | EPOLLOUT | EPOLLET | EPOLLRDHUP, 2);
    reports(ep, "edge: room", 0);
    reports(ep, "edge: told", 0);
    write(s[1], "xx", 2);
    reports(ep, "edge: came", 0);
    read(s[0], buf, 1);
    reports(ep, "edge: one left", 0);
    write(s[1], "y", 1);
    reports(ep, "edge: more", 0);
    shutdown(s[1], SHUT_WR);
    reports(ep, "edge: shutdown", 0);
    reports(ep, "edge: told", 0);
    close(s[1]);
    reports(ep, "edge: closed", 0);
    control(ep, EPOLL_CTL_MOD, s[0], EPOLLIN | EPOLLONESHOT, 3);
    reports(ep, "once", 0);
    reports(ep, "once: told", 0);
    control(ep, EPOLL_CTL_MOD, s[0], EPOLLIN | EPOLLONESHOT, 4);
    reports(ep, "once: armed", 0);
    int copy = dup(s[0]);
    control(ep, EPOLL_CTL_MOD, s[0], EPOLLIN, 5);
    close(s[0]);
    reports(ep, "a copy is open", 0);
    close(copy);
    reports(ep, "none is open", 0);
    control(ep, EPOLL_CTL_ADD, p[0], EPOLLIN | EPOLLET, 6);
    control(ep, EPOLL_CTL_ADD, p[1], EPOLLOUT | EPOLLET, 7);
    reports(ep, "pipe", 0);
    write(p[1], "abc", 3);
    reports(ep, "pipe written", 0);
    reports(ep, "pipe told", 0);
    close(p[1]);
    reports(ep, "pipe hung up", 0);
    close(p[0]);
    int e = eventfd(0, EFD_NONBLOCK);
    control(ep, EPOLL_CTL_ADD, e, EPOLLIN | EPOLLET, 8);
    eventfd_write(e, 1);
    reports(ep, "counter", 0);
    eventfd_write(e, 1);
    reports(ep, "counter: edge", 0);
    reports(ep, "counter: told", 0);
    say("exclusive mod", control(ep, EPOLL_CTL_MOD, e, EPOLLIN | EPOLLEXCLUSIVE, 8));
    say("exclusive add", control(ep, EPOLL_CTL_ADD, dup(e), EPOLLIN | EPOLLEXCLUSIVE, 9));
    int outer = epoll_create1(0), loop;
    say("nest", control(outer, EPOLL_CTL_ADD, ep, EPOLLIN, 10));
    say("circle", control(ep, EPOLL_CTL_ADD, outer, EPOLLIN, 11));
    eventfd_write(e, 1);
    reports(outer, "nested", 0);
    reports(ep, "inner", 0);
    eventfd_t value;
    eventfd_read(e, &value);
    reports(outer, "nested: read", 0);
    say("poll of epoll", events(ep, POLLIN));
    loop = outer;
    for (int i = 0; i < 6; i++) {
        int next = epoll_create1(0);
        if (control(next, EPOLL_CTL_ADD, loop, EPOLLIN, 0) < 0) {
            say("too deep", -1);
            break;
        }
        loop = next;
    }
    say("maxevents", epoll_wait(ep, (void *)buf, 0, 0));
    say("bad address", (eventfd_write(e, 1), epoll_wait(ep, (void *)1, 1, 0)));
    reports(ep, "not lost", 0);
    say("epoll_create", epoll_create(0));
    struct timespec ts = {0, 10000000};
    say("epoll_pwait2", epoll_pwait2(ep, (void *)buf, 1, &ts, 0));
}

static void counters(void) {
    uint64_t v = 5;
    puts("-- counters");
    int e = eventfd(3, EFD_NONBLOCK | EFD_CLOEXEC);
    say("write", write(e, &v, 8));
    say("read", read(e, &v, 8));
    say("value", v);
    say("empty", read(e, &v, 8));
    say("poll", events(e, POLLIN | POLLOUT));
    v = UINT64_MAX - 1;
    say("most", write(e, &v, 8));
    v = 1;
    say("too much", write(e, &v, 8));
    say("poll full", events(e, POLLIN | POLLOUT));
    v = UINT64_MAX;
    say("invalid", write(e, &v, 8));
    say("short", read(e, &v, 4));
    close(e);
    e = eventfd(2, EFD_SEMAPHORE | EFD_NONBLOCK);
    for (int i = 0; i < 3; i++) say("semaphore", read(e, &v, 8));
    say("bad flags", eventfd(0, 8));
    say("lseek", lseek(e, 0, SEEK_SET));
    close(e);
}

static void timers(void) {
    uint64_t v = 0;
    puts("-- timers");
    int t = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
    say("bad clock", timerfd_create(2, 0));
    say("not set", read(t, &v, 8));
    struct itimerspec i = {{0, 0}, {0, 20000000}}, old;
    say("settime", timerfd_settime(t, 0, &i, 0));
    timerfd_gettime(t, &old);
    say("left", old.it_value.tv_sec == 0 && old.it_value.tv_nsec > 0);
    struct pollfd p = {t, POLLIN, 0};
    say("poll", poll(&p, 1, 1000));
    say("read", read(t, &v, 8));
    say("times", v);
    say("again", read(t, &v, 8));
    i = (struct itimerspec){{0, 5000000}, {0, 5000000}};
    timerfd_settime(t, 0, &i, 0);
    usleep(30000);
    read(t, &v, 8);
    say("periods", v >= 5);
    fcntl(t, F_SETFL, 0);
    say("waits", read(t, &v, 8));
    clock_gettime(CLOCK_MONOTONIC, &i.it_value);
    i.it_interval.tv_nsec = 0;
    // A second ago may have been before the clock began.
    i.it_value = (struct timespec){0, 1};
    say("absolute, past", timerfd_settime(t, TFD_TIMER_ABSTIME, &i, &old));
    say("old interval", old.it_interval.tv_nsec);
    say("at once", read(t, &v, 8));
    i.it_value.tv_nsec = 1000000000;
    say("bad time", timerfd_settime(t, 0, &i, 0));
    say("bad flags", timerfd_settime(t, 8, &i, 0));
    say("not a timer", timerfd_settime(1, 0, &old, 0));
    close(t);
}

static void signals(void) {
    sigset_t set;
    struct signalfd_siginfo info[3];
    puts("-- signals");
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_BLOCK, &set, 0);
    int fd = signalfd(-1, &set, SFD_NONBLOCK);
    int ep = epoll_create1(0);
    control(ep, EPOLL_CTL_ADD, fd, EPOLLIN, 1);
    say("none", read(fd, info, sizeof info));
    kill(getpid(), SIGUSR1);
    reports(ep, "epoll", 0);
    say("read", read(fd, info, sizeof info) / sizeof info[0]);
    say("signo", info[0].ssi_signo == SIGUSR1 && info[0].ssi_pid == (unsigned)getpid());
    pid_t pid = fork();
    if (pid == 0) _exit(7);
    reports(ep, "child", 5000);
    say("read", read(fd, info, sizeof info) / sizeof info[0]);
    say("SIGCHLD", info[0].ssi_signo == SIGCHLD && info[0].ssi_status == 7 && info[0].ssi_pid == (unsigned)pid);
    waitpid(pid, 0, 0);
    say("short", read(fd, info, 100));
    sigdelset(&set, SIGUSR1);
    say("change", signalfd(fd, &set, 0) == fd);
    kill(getpid(), SIGUSR1);
    say("not in the set", read(fd, info, sizeof info));
    close(fd);
    close(ep);
}

static void pipes(void) {
    int p[2], value;
    puts("-- pipes and select");
    pipe2(p, O_NONBLOCK);
    say("poll read end", events(p[0], POLLIN | POLLOUT));
    say("poll write end", events(p[1], POLLIN | POLLOUT));
    write(p[1], "abc", 3);
    say("FIONREAD", (ioctl(p[0], FIONREAD, &value), value));
    say("F_GETPIPE_SZ", fcntl(p[0], F_GETPIPE_SZ));
    say("F_SETPIPE_SZ", fcntl(p[0], F_SETPIPE_SZ, 5000));
    long total = 0, n;
    while ((n = write(p[1], buf, 1000)) > 0) total += n;
    say("holds", total);
    say("smaller than it holds", fcntl(p[0], F_SETPIPE_SZ, 4096));
    int q[2];
    pipe2(q, O_NONBLOCK);
    say("tee", tee(p[0], q[1], 100, 0));
    say("splice", splice(p[0], 0, q[1], 0, 300, SPLICE_F_NONBLOCK));
    say("copied and moved", (ioctl(q[0], FIONREAD, &value), value));
    int null = open("/dev/null", O_RDWR);
    say("splice to no pipe", splice(null, 0, null, 0, 1, 0));
    close(null);
    loff_t at = 0;
    say("offset of a pipe", splice(p[0], &at, q[1], 0, 1, 0));
    struct iovec iov = {"vm", 2};
    say("vmsplice", vmsplice(q[1], &iov, 1, 0));
    int s[2];
    socketpair(AF_UNIX, SOCK_STREAM, 0, s);
    say("splice to a socket", splice(q[0], 0, s[0], 0, 402, 0));
    say("came", read(s[1], buf, 1000));
    say("splice from a socket", (write(s[1], "back", 4), splice(s[0], 0, q[1], 0, 100, 0)));
    text("through the pipe", buf, read(q[0], buf, 100));
    say("empty pipe", tee(q[0], p[1], 1, SPLICE_F_NONBLOCK));
    close(s[0]), close(s[1]), close(q[0]), close(q[1]);
    fd_set r, w;
    FD_ZERO(&r);
    FD_ZERO(&w);
    FD_SET(p[0], &r);
    FD_SET(p[1], &w);
    struct timeval tv = {5, 0};
    say("select", select(p[1] + 1, &r, &w, 0, &tv));
    say("readable", FD_ISSET(p[0], &r) != 0);
    say("writable", FD_ISSET(p[1], &w) != 0);
    say("time is left", tv.tv_sec == 4 || tv.tv_sec == 5);
    while (read(p[0], buf, 60000) > 0);
    FD_SET(p[0], &r);
    tv = (struct timeval){0, 20000};
    say("select times out", select(p[0] + 1, &r, 0, 0, &tv));
    say("no time is left", tv.tv_sec == 0 && tv.tv_usec == 0);
    close(p[1]);
    say("poll hung up", events(p[0], POLLIN));
    say("end", read(p[0], buf, 1));
    close(p[0]);
    pipe(p);
    close(p[0]);
    say("poll broken", events(p[1], POLLOUT));
    close(p[1]);
    // Whoever started the program may have left it open. Linux looks at no descriptor beyond its
    // table (fs/select.c), which has 64 places at first.
    close(40);
    FD_SET(40, &r);
    say("select EBADF", select(41, &r, 0, 0, &tv));
    say("poll closed", events(40, POLLIN));
    say("negative", select(-1, 0, 0, 0, &tv));
    unlink("fifo-s");
    mkfifo("fifo-s", 0600);
    say("fifo write alone", open("fifo-s", O_WRONLY | O_NONBLOCK));
    int f = open("fifo-s", O_RDONLY | O_NONBLOCK);
    say("fifo read alone", f >= 0);
    say("fifo nobody writes", read(f, buf, 1));
    say("fifo poll", events(f, POLLIN));
    int g = open("fifo-s", O_WRONLY | O_NONBLOCK);
    say("fifo empty", read(f, buf, 1));
    write(g, "x", 1);
    say("fifo poll", events(f, POLLIN));
    say("fifo read", read(f, buf, 9));
    close(g);
    say("fifo hung up", events(f, POLLIN));
    close(f);
    f = open("fifo-s", O_RDWR);
    say("fifo both ways", write(f, "self", 4));
    text("fifo read", buf, read(f, buf, 9));
    close(f);
    unlink("fifo-s");
}

int main(void) {
    setvbuf(stdout, 0, _IOFBF, 1 << 16);
    streams(), fflush(stdout);
    waits(), fflush(stdout);
    connections(), fflush(stdout);
    datagrams(), fflush(stdout);
    rights(), fflush(stdout);
    epolls(), fflush(stdout);
    counters(), fflush(stdout);
    timers(), fflush(stdout);
    signals(), fflush(stdout);
    pipes();
    return 0;
}
