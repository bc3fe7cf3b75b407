/* A small shell for SQLite: runs the SQL of its standard input on a file, row by row as it comes.
 * Lines that begin with a dot are for itself: ".crash" ends it as a lost machine would. */

#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

static int row(void *unused, int columns, char **values, char **names) {
    (void)unused, (void)names;
    for (int column = 0; column < columns; column++)
        printf("%s%s", column ? "|" : "", values[column] ? values[column] : "NULL");
    putchar('\n');
    return 0;
}

int main(int argc, char **argv) {
    static char statement[1 << 16], line[1 << 12];
    sqlite3 *database;
    if (argc != 2 || sqlite3_open(argv[1], &database) != SQLITE_OK)
        return 2;
    sqlite3_busy_timeout(database, 5000);
    int failed = 0;
    while (fgets(line, sizeof line, stdin)) {
        if (!strcmp(line, ".crash\n")) {
            fflush(stdout);
            raise(SIGKILL);
        }
        if (strlen(statement) + strlen(line) >= sizeof statement)
            return 2;
        strcat(statement, line);
        if (!sqlite3_complete(statement))
            continue;
        char *message = NULL;
        if (sqlite3_exec(database, statement, row, NULL, &message) != SQLITE_OK) {
            printf("error: %s\n", message);
            sqlite3_free(message);
            failed = 1;
        }
        fflush(stdout);
        statement[0] = 0;
    }
    sqlite3_close(database);
    return failed;
}
