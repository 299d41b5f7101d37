--- * traces=one
--- name-none
SELECT 1, 'x', count(*) FROM thread
--- name-twice
SELECT 1 AS a, 2 AS a, 3 AS A
--- name-twice-and-numbered
SELECT 1 AS a, 2 AS a, 3 AS a_1, 4 AS a
--- name-empty
SELECT 1 AS "", 2 AS "", 3 AS x
--- name-of-ours
SELECT 1 AS _trace_address, 2 AS _hb, 3 AS _trace_address_1
--- name-with-blanks
SELECT 1 AS "a b", 2 AS " a", 3 AS "a ", 4 AS "a  b"
--- name-with-quotes
SELECT 1 AS "a""b", 2 AS "a'b", 3 AS "a`b", 4 AS "a\b"
--- name-with-controls escapes=yes
SELECT 1 AS "tab\x09x", 2 AS "line\x0ax", 3 AS "return\x0dx", 4 AS "escape\x1bx"
--- name-of-odd-bytes escapes=yes
SELECT 1 AS "\xff", 2 AS "a\xc3", 3 AS "\xed\xa0\x80"
--- name-unicode
SELECT 1 AS "größe", 2 AS "日本語", 3 AS "🚀", 4 AS "é", 5 AS "é"
--- name-keywords
SELECT 1 AS "select", 2 AS "from", 3 AS "NULL", 4 AS "table", 5 AS "where"
--- name-punctuation
SELECT 1 AS "a,b", 2 AS "a.b", 3 AS "a(b)", 4 AS "a{b}", 5 AS "*", 6 AS "a;b", 7 AS "--", 8 AS "a:b", 9 AS "$1", 10 AS "?"
--- name-long
SELECT 1 AS aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
--- name-like-types
SELECT 1 AS "Int64", 2 AS "Nullable(String)", 3 AS "a Int64, b"
--- name-digits
SELECT 1 AS "1", 2 AS "1.5", 3 AS "0x1"
--- name-case
SELECT 1 AS abc, 2 AS ABC, 3 AS Abc
--- name-of-an-expression
SELECT 1 + 1, max(1, 2), 'text', NULL, -5
--- names-of-traces traces=names
SELECT count(*) AS n, sum(dur) AS busy FROM sched
--- names-of-traces-and-values traces=names
SELECT id, tid, name FROM thread ORDER BY id LIMIT 20
