/* Takes and returns memory by dice, and looks whether each block keeps what was put into it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCKS 100

#ifdef __MSDOS__
typedef unsigned long bits;
#else
typedef unsigned bits;
#endif

static unsigned char *blocks[BLOCKS];
static unsigned sizes[BLOCKS];
static bits dice = 1;

static unsigned roll(below) unsigned below;
{
    dice = dice * 1103515245 + 12345;
    return (unsigned)((dice >> 16) & 0x7fff) % below;
}

int main(argc, argv) int argc; char **argv;
{
    unsigned turn, turns = argc > 1 ? atoi(argv[1]) : 1000, i, n;
    bits total = 0, sum = 0;
    for (turn = 0; turn < turns; turn++) {
        n = roll(BLOCKS);
        if (blocks[n]) {
            for (i = 0; i < sizes[n]; i++) {
                if (blocks[n][i] != (unsigned char)(n + i)) {
                    printf("block %u was changed at %u\n", n, i);
                    return 1;
                }
                sum = sum * 31 + blocks[n][i];
            }
            total -= sizes[n];
            free((char *)blocks[n]);
            blocks[n] = 0;
        } else {
            sizes[n] = roll(300) + 1;
            blocks[n] = (unsigned char *)malloc(sizes[n]);
            if (blocks[n] == 0) {
                printf("no memory\n");
                return 2;
            }
            for (i = 0; i < sizes[n]; i++) blocks[n][i] = (unsigned char)(n + i);
            total += sizes[n];
        }
    }
    printf("%lu bytes left, sum %lu\n", (unsigned long)total, (unsigned long)sum);
    return 0;
}
