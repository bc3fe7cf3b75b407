/* Counts what is in its standard input, and shows it in octal, hexadecimal and as text. */
#include <stdio.h>
#include <ctype.h>

int main(argc, argv) int argc; char **argv;
{
    static int row[16];
    int c, n = 0, i, inside = 0;
    long lines = 0, words = 0, bytes = 0;
    for (i = 1; i < argc; i++) printf("%d=<%s>\n", i, argv[i]);
    do {
        c = getchar();
        if (c != EOF) {
            bytes++;
            lines += c == '\n';
            if (isspace(c)) inside = 0;
            else if (!inside) inside = 1, words++;
            row[n++] = c;
        }
        if (n == 16 || (c == EOF && n > 0)) {
            printf("%07lo", bytes - n);
            for (i = 0; i < n; i++) printf(" %02x", row[i]);
            for (; i < 16; i++) printf("   ");
            printf("  ");
            for (i = 0; i < n; i++) putchar(row[i] >= 32 && row[i] < 127 ? row[i] : '.');
            putchar('\n');
            n = 0;
        }
    } while (c != EOF);
    printf("%6ld%6ld%6ld\n", lines, words, bytes);
    return (int)(bytes % 256);
}
