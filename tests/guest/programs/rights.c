/* What an ordinary user may do with files, and what moving bytes and executing by descriptors
 * leave behind. A line for each fact, the same on Linux as on Kamen. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static void result(const char *what, long value) {
    if (value == -1)
        printf("%s: %s\n", what, strerror(errno));
    else
        printf("%s: %ld\n", what, value);
    fflush(stdout);
}

static void mode(const char *what, const char *path) {
    struct stat facts;
    if (lstat(path, &facts) == -1)
        printf("%s: %s\n", what, strerror(errno));
    else
        printf("%s: %o\n", what, facts.st_mode & 07777);
}

/* Makes a file with a mode, opens it for writing. */
static int program(int bits) {
    unlink("su");
    int fd = open("su", O_RDWR | O_CREAT, 0755);
    write(fd, "program", 7);
    chmod("su", bits);
    return fd;
}

static void set_id(void) {
    int fd = program(06755);
    write(fd, "", 0);
    mode("nothing written", "su");
    write(fd, "x", 1);
    mode("written", "su");
    chmod("su", 04755);
    write(fd, "x", 1);
    mode("written again", "su");
    program(02745);
    mode("no program of a group's", "su");
    fd = program(02745);
    write(fd, "x", 1);
    mode("no program of a group's, written", "su");
    program(06777);
    truncate("su", 3);
    mode("truncated", "su");
    fd = program(06777);
    ftruncate(fd, 7);
    mode("truncated to its length", "su");
    program(04755);
    close(open("su", O_WRONLY | O_TRUNC));
    mode("opened and truncated", "su");
    program(04755);
    close(open("su", O_WRONLY));
    mode("opened", "su");
    int from = open("words", O_RDONLY);
    fd = program(04755);
    result("copied", copy_file_range(from, NULL, fd, NULL, 3, 0));
    mode("copied into", "su");
}

static void directories(void) {
    umask(022);
    mkdir("d", 07777);
    mode("mkdir", "d");
    chmod("d", 02777);
    mkdir("d/e", 0755);
    mode("mkdir below", "d/e");
    close(open("d/f", O_CREAT | O_WRONLY, 02755));
    mode("a member's program", "d/f");
    mkdir("from", 0755);
    mkdir("from/fixed", 0555);
    mkdir("to", 0755);
    result("rename beside", rename("from/fixed", "from/closed"));
    result("rename elsewhere", rename("from/closed", "to/closed"));
    chmod("from/closed", 0755);
    result("rename what may be written", rename("from/closed", "to/closed"));
    mkdir("to/closed/in", 0755);
    chdir("to/closed/in");
    chmod("..", 0600);
    struct stat facts;
    result("the directory above", stat("..", &facts));
    result("what it has", stat("../.", &facts));
    chmod("..", 0755);
    rename("../../../to", "../../../moved");
    char path[4096], *cwd = getcwd(path, sizeof path);
    printf("working directory: %s\n", cwd ? strstr(cwd, "/moved") : "none");
    chdir("../../..");
}

static void nothing(int signal) { (void)signal; }

static void moving(void) {
    int ends[2], full = open("/dev/full", O_WRONLY), from = open("words", O_RDONLY);
    char bytes[16] = "";
    pipe(ends);
    write(ends[1], "abcde", 5);
    result("splice without space", splice(ends[0], NULL, full, NULL, 5, 0));
    struct rlimit limit = {3, RLIM_INFINITY}, none = {RLIM_INFINITY, RLIM_INFINITY};
    signal(SIGXFSZ, SIG_IGN);
    int to = open("short", O_CREAT | O_RDWR | O_TRUNC, 0644);
    /* Nothing is printed meanwhile: that may go to a file, too. */
    setrlimit(RLIMIT_FSIZE, &limit);
    long first = write(to, "1234", 4), second = write(to, "1234", 4);
    ftruncate(to, 0);
    lseek(to, 0, SEEK_SET);
    long third = splice(ends[0], NULL, to, NULL, 5, 0);
    long fourth = splice(ends[0], NULL, to, NULL, 5, 0);
    lseek(to, 1, SEEK_SET);
    long fifth = copy_file_range(from, NULL, to, NULL, 9, 0);
    long sixth = copy_file_range(from, NULL, to, NULL, 9, 0);
    setrlimit(RLIMIT_FSIZE, &none);
    printf("write: %ld, at the limit %ld\n", first, second);
    printf("splice: %ld, at the limit %ld\n", third, fourth);
    printf("copy: %ld, at the limit %ld\n", fifth, sixth);
    result("left in the pipe", read(ends[0], bytes, sizeof bytes));
    printf("%s\n", bytes);
    close(ends[0]);
    signal(SIGPIPE, SIG_IGN);
    lseek(from, 1, SEEK_SET);
    result("splice to nobody", splice(from, NULL, ends[1], NULL, 3, 0));
    result("its offset", lseek(from, 0, SEEK_CUR));
    pipe(ends);
    ftruncate(full = open("large", O_CREAT | O_RDWR, 0644), 1 << 20);
    struct sigaction action = {0};
    action.sa_handler = nothing;
    sigaction(SIGALRM, &action, NULL);
    struct itimerval soon = {{0, 0}, {0, 200000}};
    setitimer(ITIMER_REAL, &soon, NULL);
    long sent = sendfile(ends[1], full, NULL, 1 << 20);
    printf("sendfile and its offset: %d\n", sent > 0 && sent == lseek(full, 0, SEEK_CUR));
}

static void looking(void) {
    char path[64];
    int ready[2];
    char byte;
    pipe(ready);
    int child = fork();
    if (child == 0) {
        read(ready[0], &byte, 1);
        _exit(0);
    }
    sprintf(path, "/proc/%d/environ", child);
    int environment = open(path, O_RDONLY);
    sprintf(path, "/proc/%d/status", child);
    int status = open(path, O_RDONLY);
    sprintf(path, "/proc/%d/cwd", child);
    result("a child's directory", readlink(path, path, sizeof path) > 0);
    sprintf(path, "/proc/%d/maps", child);
    result("a child's memory", open(path, O_RDONLY) >= 0);
    write(ready[1], "", 1);
    waitpid(child, NULL, 0);
    result("the dead one's environment", read(environment, path, sizeof path));
    result("the dead one's status", read(status, path, sizeof path));
}

static void execute(const char *what, int fd, const char *path, int flags) {
    char *arguments[] = {"rights", "again", NULL};
    printf("%s\n", what);
    fflush(stdout);
    if (fork() == 0) {
        result("execveat", execveat(fd, path, arguments, environ, flags));
        _exit(0);
    }
    wait(NULL);
}

static void executing(void) {
    int own = open("/proc/self/exe", O_RDONLY), copy = open("copy", O_CREAT | O_WRONLY, 0755);
    struct stat facts;
    fstat(own, &facts);
    off_t at = 0;
    while (at < facts.st_size && sendfile(copy, own, &at, facts.st_size - at) > 0)
        ;
    close(copy);
    copy = open("copy", O_RDONLY | O_CLOEXEC);
    unlink("copy");
    close(open("copy", O_CREAT | O_WRONLY, 0755));
    execute("a file without its name", dup2(copy, 100), "", AT_EMPTY_PATH);
    int script = open("script", O_CREAT | O_WRONLY, 0755);
    dprintf(script, "#!/proc/%d/exe again\n", getpid());
    close(script);
    script = open("script", O_RDONLY | O_CLOEXEC);
    execute("a script that closes", script, "", AT_EMPTY_PATH);
    execute("a directory", open(".", O_RDONLY), "", AT_EMPTY_PATH);
    execute("an empty file", open(".", O_RDONLY), "copy", 0);
    execute("no path", copy, "", 0);
    execute("no program", open("words", O_RDONLY), "", AT_EMPTY_PATH);
}

int main(int count, char **arguments) {
    if (count > 1) {
        printf("again, as %s\n", (char *)getauxval(AT_EXECFN));
        return 0;
    }
    /* The same on a host where one has been nobody special before. */
    if (getuid() == 0) {
        setgroups(0, NULL);
        setresgid(1000, 1000, 1000);
        setresuid(1000, 1000, 1000);
    }
    prctl(PR_SET_DUMPABLE, 1);
    char place[] = "/tmp/rights-XXXXXX";
    if (!mkdtemp(place) || chdir(place) == -1)
        return 1;
    int words = open("words", O_CREAT | O_WRONLY, 0644);
    write(words, "one two three", 13);
    close(words);
    set_id();
    directories();
    moving();
    looking();
    executing();
    execlp("rm", "rm", "-r", place, NULL);
    return 1;
}
