/* Finds lines: ^ $ . * and sets in brackets; -v other lines, -n with numbers, -c their count. */
#include <stdio.h>
#include <string.h>

static char *past(p) char *p;
{
    if (*p != '[') return p + 1;
    for (p++; *p && *p != ']'; p++) ;
    return *p ? p + 1 : p;
}

static int fits(p, c) char *p; int c;
{
    int not = 0, found = 0;
    if (c == 0) return 0;
    if (*p == '.') return 1;
    if (*p != '[') return *p == c;
    p++;
    if (*p == '^') not = 1, p++;
    for (; *p && *p != ']'; p++) {
        if (p[1] == '-' && p[2] != ']') {
            if (c >= p[0] && c <= p[2]) found = 1;
            p += 2;
        } else if (*p == c) found = 1;
    }
    return found != not;
}

static int here(p, s) char *p; char *s;
{
    char *next, *t;
    if (*p == 0) return 1;
    if (*p == '$' && p[1] == 0) return *s == 0;
    next = past(p);
    if (*next == '*') {
        for (t = s; fits(p, *t); t++) ;
        for (; t >= s; t--)
            if (here(next + 1, t)) return 1;
        return 0;
    }
    return fits(p, *s) && here(next, s + 1);
}

static int matches(p, s) char *p; char *s;
{
    if (*p == '^') return here(p + 1, s);
    do
        if (here(p, s)) return 1;
    while (*s++);
    return 0;
}

int main(argc, argv) int argc; char **argv;
{
    static char line[256];
    int other = 0, numbers = 0, only = 0, found = 0, number = 0, i;
    for (i = 1; i < argc && argv[i][0] == '-'; i++) {
        other |= argv[i][1] == 'v';
        numbers |= argv[i][1] == 'n';
        only |= argv[i][1] == 'c';
    }
    if (i >= argc) {
        fprintf(stderr, "usage: grep [-v] [-n] [-c] PATTERN\n");
        return 2;
    }
    while (fgets(line, sizeof line, stdin)) {
        char *end = strchr(line, '\n');
        if (end) *end = 0;
        number++;
        if (matches(argv[i], line) == other) continue;
        found++;
        if (only) continue;
        if (numbers) printf("%d:", number);
        puts(line);
    }
    if (only) printf("%d\n", found);
    return found == 0;
}
