# SQLite's write-ahead log, whose index is shared memory in a mapped file (src/languages.rs).
sqlite log.db <<END
PRAGMA journal_mode = WAL;
CREATE TABLE items(id INTEGER PRIMARY KEY, name TEXT);
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)
INSERT INTO items SELECT i, 'item ' || i FROM n;
SELECT count(*) FROM items;
END
ls log.db*
sqlite log.db <<END
INSERT INTO items VALUES(5000, 'committed');
BEGIN;
UPDATE items SET name = 'lost';
.crash
END
echo "status $?"; ls log.db*
sqlite log.db <<END
SELECT count(*), min(name), max(id) FROM items;
PRAGMA integrity_check;
PRAGMA wal_checkpoint(TRUNCATE);
PRAGMA mmap_size = 1048576;
SELECT count(*) FROM items WHERE name LIKE 'item 1%';
END
for writer in 1 2 3; do
    (for turn in 1 2 3 4 5; do echo "INSERT INTO items(name) VALUES('new');"; done | sqlite log.db) &
done
wait
echo "SELECT count(*) FROM items WHERE name = 'new'; PRAGMA integrity_check;" | sqlite log.db
ls log.db*
