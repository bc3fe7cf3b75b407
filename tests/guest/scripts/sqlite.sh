# SQLite with databases in files; run here and on the host by the same program (src/languages.rs).
fill="WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)
INSERT INTO items SELECT i, 'item ' || i, i * 7919 % 10007 FROM n;"

echo "== a rollback journal"
sqlite plain.db <<END
SELECT sqlite_version();
CREATE TABLE items(id INTEGER PRIMARY KEY, name TEXT, price INT);
$fill
CREATE INDEX by_price ON items(price);
BEGIN; DELETE FROM items WHERE id % 2; SELECT count(*) FROM items; ROLLBACK;
SELECT count(*), sum(price), max(name) FROM items;
SELECT id, name FROM items WHERE price BETWEEN 100 AND 120 ORDER BY price;
UPDATE items SET price = price + 1 WHERE id > 2990;
SELECT upper(name), length(name), printf('%.2f', price / 3.0) FROM items ORDER BY id DESC LIMIT 2;
INSERT INTO items VALUES(1, 'again', 0);
PRAGMA journal_mode;
PRAGMA integrity_check;
END
echo "status $?"; ls plain.db*; busybox stat -c %s plain.db

echo "== a crash within a transaction"
sqlite plain.db <<END
PRAGMA cache_size = 5;
BEGIN;
UPDATE items SET name = 'lost ' || name, price = -1;
SELECT count(*) FROM items WHERE price = -1;
.crash
END
echo "status $?"; ls plain.db*
sqlite plain.db <<END
SELECT count(*) FROM items WHERE price = -1;
SELECT count(*), sum(price) FROM items;
PRAGMA integrity_check;
END
ls plain.db*
sqlite plain.db <<END
DROP TABLE items; VACUUM; PRAGMA page_count;
END
