/* Sorts the lines of files: -r backwards, -n by number, -u without repetitions, -o FILE. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST 600

static char *lines[MOST];
static int count, backwards, numeric, once;

static int compare(a, b) char *a; char *b;
{
    int order = 0;
    if (numeric) {
        long x = atol(a), y = atol(b);
        order = x < y ? -1 : x > y;
    }
    if (order == 0) order = strcmp(a, b);
    return backwards ? -order : order;
}

static void sort(low, high) int low; int high;
{
    int i = low, j = high;
    char *middle, *other;
    if (low >= high) return;
    middle = lines[low + (high - low) / 2];
    while (i <= j) {
        while (compare(lines[i], middle) < 0) i++;
        while (compare(lines[j], middle) > 0) j--;
        if (i <= j) {
            other = lines[i];
            lines[i++] = lines[j];
            lines[j--] = other;
        }
    }
    sort(low, j);
    sort(i, high);
}

static void take(file) FILE *file;
{
    static char line[256];
    while (fgets(line, sizeof line, file)) {
        char *copy = malloc(strlen(line) + 1);
        if (copy == 0 || count == MOST) {
            fprintf(stderr, "sort: too many lines\n");
            exit(3);
        }
        strcpy(copy, line);
        lines[count++] = copy;
    }
}

int main(argc, argv) int argc; char **argv;
{
    FILE *file, *output = stdout;
    int i, given = 0;
    for (i = 1; i < argc; i++) {
        if (strcmp(argv[i], "-r") == 0) backwards = 1;
        else if (strcmp(argv[i], "-n") == 0) numeric = 1;
        else if (strcmp(argv[i], "-u") == 0) once = 1;
        else if (strcmp(argv[i], "-o") == 0) output = fopen(argv[++i], "w");
        else {
            file = fopen(argv[i], "r");
            if (file == 0) {
                fprintf(stderr, "sort: no such file\n");
                return 2;
            }
            take(file);
            fclose(file);
            given = 1;
        }
    }
    if (!given) take(stdin);
    sort(0, count - 1);
    for (i = 0; i < count; i++)
        if (!once || i == 0 || strcmp(lines[i], lines[i - 1]) != 0) fputs(lines[i], output);
    if (fclose(output) != 0) return 4;
    return 0;
}
