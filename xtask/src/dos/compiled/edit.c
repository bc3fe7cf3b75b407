/* A line editor: nA text, nD, nP, P, S old/new, W file, Q; the file's name is its argument. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct line {
    struct line *next;
    char text[1];
};

static struct line *first;

static struct line **place(number) int number;
{
    struct line **at = &first;
    while (number-- > 1 && *at) at = &(*at)->next;
    return at;
}

static void add(at, text) struct line **at; char *text;
{
    struct line *line = (struct line *)malloc(sizeof(struct line) + strlen(text) + 1);
    if (line == 0) exit(9);
    strcpy(line->text, text);
    line->next = *at;
    *at = line;
}

static void cut(at) struct line **at;
{
    struct line *line = *at;
    if (line == 0) {
        printf("no such line\n");
        return;
    }
    *at = line->next;
    free((char *)line);
}

static void replace(old) char *old;
{
    static char text[400];
    char *new = strchr(old, '/'), *found;
    struct line **at;
    int count = 0;
    if (new == 0) return;
    *new++ = 0;
    for (at = &first; *at; at = &(*at)->next) {
        found = strstr((*at)->text, old);
        if (found == 0) continue;
        memcpy(text, (*at)->text, found - (*at)->text);
        strcpy(text + (found - (*at)->text), new);
        strcat(text, found + strlen(old));
        cut(at);
        add(at, text);
        count++;
    }
    printf("%d replaced\n", count);
}

static void load(name) char *name;
{
    static char text[256];
    FILE *file = fopen(name, "r");
    struct line **at = &first;
    if (file == 0) {
        printf("new file\n");
        return;
    }
    while (fgets(text, sizeof text, file)) {
        text[strcspn(text, "\n")] = 0;
        add(at, text);
        at = &(*at)->next;
    }
    fclose(file);
}

static void save(name) char *name;
{
    FILE *file = fopen(name, "w");
    struct line *line;
    if (file == 0) exit(8);
    for (line = first; line; line = line->next) fprintf(file, "%s\n", line->text);
    if (fclose(file) != 0) exit(7);
}

int main(argc, argv) int argc; char **argv;
{
    static char command[256];
    struct line *line;
    int number;
    if (argc > 1) load(argv[1]);
    while (fgets(command, sizeof command, stdin)) {
        char *at = command;
        command[strcspn(command, "\n")] = 0;
        number = atoi(at);
        while (*at >= '0' && *at <= '9') at++;
        switch (*at++) {
        case 'A': add(place(number), at + 1); break;
        case 'D': cut(place(number)); break;
        case 'S': replace(at + 1); break;
        case 'W': save(at + 1); break;
        case 'Q': return number;
        case 'P':
            for (line = *place(number ? number : 1); line; line = number ? 0 : line->next)
                printf("%s\n", line->text);
            break;
        default: printf("?\n");
        }
    }
    return 1;
}
