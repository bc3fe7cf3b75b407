/* Reckons with 32 bits: one expression a line, variables of one letter. */
#include <stdio.h>
#include <ctype.h>

#ifdef __MSDOS__
typedef long number;
typedef unsigned long bits;
#else
typedef int number;
typedef unsigned bits;
#endif

static char *at;
static int faults;
static number variables[26];
static number sum();

static void blanks()
{
    while (*at == ' ' || *at == '\t') at++;
}

static number atom()
{
    number value = 0;
    blanks();
    if (*at == '-') {
        at++;
        return -atom();
    }
    if (*at == '~') {
        at++;
        return ~atom();
    }
    if (*at == '(') {
        at++;
        value = sum();
        blanks();
        if (*at == ')') at++;
        else faults++;
        return value;
    }
    if (islower(*at)) return variables[*at++ - 'a'];
    if (!isdigit(*at)) faults++;
    while (isdigit(*at)) value = value * 10 + (*at++ - '0');
    return value;
}

static number product()
{
    number value = atom(), other;
    for (;;) {
        char sign;
        blanks();
        sign = *at;
        if (sign != '*' && sign != '/' && sign != '%' && sign != '<' && sign != '>') return value;
        at++;
        other = atom();
        if (sign == '*') value = (number)((bits)value * (bits)other);
        else if (sign == '<') value = (number)((bits)value << (int)(other & 31));
        else if (sign == '>') value = (number)((bits)value >> (int)(other & 31));
        else if (other == 0) faults++;
        else if (sign == '/') value = value / other;
        else value = value % other;
    }
}

static number sum()
{
    number value = product();
    for (;;) {
        blanks();
        if (*at == '+') at++, value = (number)((bits)value + (bits)product());
        else if (*at == '-') at++, value = (number)((bits)value - (bits)product());
        else if (*at == '&') at++, value = value & product();
        else if (*at == '|') at++, value = value | product();
        else return value;
    }
}

int main()
{
    static char line[200];
    int all = 0;
    while (fgets(line, sizeof line, stdin)) {
        int variable = -1;
        number value;
        at = line;
        faults = 0;
        if (islower(line[0]) && line[1] == '=') variable = line[0] - 'a', at += 2;
        value = sum();
        if (*at != '\n' && *at != '\r') faults++;
        if (faults) printf("?\n"), all++;
        else printf("%ld %lx\n", (long)value, (unsigned long)(bits)value);
        if (variable >= 0) variables[variable] = value;
    }
    return all;
}
