# Several processes write to one database of SQLite (src/languages.rs).
sqlite one.db <<END
CREATE TABLE counter(value INT); INSERT INTO counter VALUES(0);
END
for writer in 1 2 3; do
    (for turn in 1 2 3 4 5; do
        echo "BEGIN IMMEDIATE; UPDATE counter SET value = value + 1; COMMIT;"
    done | sqlite one.db) &
done
wait
echo "SELECT value FROM counter; PRAGMA integrity_check;" | sqlite one.db
