/* Copies a file by descriptors, its second half first; then says its sum. */
#include <stdio.h>
#include <fcntl.h>
#ifndef __MSDOS__
#include <unistd.h>
#endif

#ifndef O_BINARY
#define O_BINARY 0
#endif

#ifdef __MSDOS__
typedef unsigned long bits;
#else
typedef unsigned bits;
#endif

static unsigned char buffer[700];

static int move(from, to, start, end) int from; int to; long start; long end;
{
    if (lseek(from, start, 0) != start || lseek(to, start, 0) != start) return 0;
    while (start < end) {
        int count = end - start < sizeof buffer ? (int)(end - start) : sizeof buffer;
        if (read(from, buffer, count) != count) return 0;
        if (write(to, buffer, count) != count) return 0;
        start += count;
    }
    return 1;
}

int main(argc, argv) int argc; char **argv;
{
    int from, to, count, i;
    long size;
    bits sum = 0;
    if (argc != 3) {
        fprintf(stderr, "usage: copy FROM TO\n");
        return 2;
    }
    from = open(argv[1], O_RDONLY | O_BINARY);
    if (from < 0) return 3;
    to = open(argv[2], O_RDWR | O_CREAT | O_TRUNC | O_BINARY, 0666);
    if (to < 0) return 4;
    size = lseek(from, 0L, 2);
    if (!move(from, to, size / 2, size) || !move(from, to, 0L, size / 2)) return 5;
    lseek(to, 0L, 0);
    while ((count = read(to, buffer, sizeof buffer)) > 0)
        for (i = 0; i < count; i++) sum = sum * 33 + buffer[i];
    close(from);
    close(to);
    printf("%ld bytes, sum %lx\n", size, (unsigned long)sum);
    return 0;
}
