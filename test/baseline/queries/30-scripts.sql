--- * traces=few
--- two-statements
SELECT 1 AS a; SELECT 2 AS b
--- last-statement-counts
SELECT name FROM thread ORDER BY utid LIMIT 3; SELECT count(*) AS n, 'x' AS x FROM process
--- semicolons
; ; SELECT 1 AS a ; ; -- the end
--- comments
/* first */ SELECT /* inside */ 1 AS a -- behind
--- last-has-no-columns
SELECT 1 AS a; CREATE PERFETTO TABLE last_one AS SELECT 1 AS x
--- only-create
CREATE PERFETTO TABLE alone AS SELECT 1 AS x
--- create-table-and-select
CREATE PERFETTO TABLE mine AS SELECT utid, tid FROM thread ORDER BY utid LIMIT 5; SELECT * FROM mine ORDER BY utid
--- create-table-again
CREATE PERFETTO TABLE mine AS SELECT upid AS x FROM process ORDER BY upid LIMIT 5; SELECT * FROM mine ORDER BY x
--- create-table-typed
CREATE PERFETTO TABLE typed(a INT, b STRING, c DOUBLE) AS SELECT 1 AS a, 'x' AS b, 1.5 AS c; SELECT * FROM typed
--- create-table-of-nulls
CREATE PERFETTO TABLE holes AS SELECT NULL AS a, 1 AS b UNION ALL SELECT 'x', NULL; SELECT * FROM holes
--- create-table-mixed
CREATE PERFETTO TABLE mix AS SELECT 1 AS a UNION ALL SELECT 1.5; SELECT * FROM mix
--- create-table-mixed-text
CREATE PERFETTO TABLE mix AS SELECT 1 AS a UNION ALL SELECT 'x'; SELECT * FROM mix
--- create-table-empty
CREATE PERFETTO TABLE hollow AS SELECT id, name FROM slice WHERE id < 0; SELECT * FROM hollow
--- create-table-twice-in-a-script
CREATE PERFETTO TABLE twice AS SELECT 1 AS a; CREATE PERFETTO TABLE twice AS SELECT 2 AS a; SELECT * FROM twice
--- create-or-replace-table
CREATE OR REPLACE PERFETTO TABLE again AS SELECT 1 AS a; CREATE OR REPLACE PERFETTO TABLE again AS SELECT 2 AS a; SELECT * FROM again
--- create-view
CREATE PERFETTO VIEW seen AS SELECT tid, name FROM thread; SELECT * FROM seen ORDER BY tid, name LIMIT 20
--- create-sqlite-table
CREATE TABLE plain (a INTEGER, b TEXT); INSERT INTO plain VALUES (1, 'x'), (2, NULL); SELECT * FROM plain
--- create-sqlite-view
CREATE VIEW plain_view AS SELECT count(*) AS n FROM thread; SELECT * FROM plain_view
--- create-temporary-table
CREATE TEMP TABLE passing AS SELECT 7 AS seven; SELECT * FROM passing
--- insert-update-delete
CREATE TABLE changing (k INTEGER PRIMARY KEY, v TEXT); INSERT INTO changing(v) VALUES ('a'), ('b'), ('c'); UPDATE changing SET v = v || v WHERE k > 1; DELETE FROM changing WHERE k = 1; SELECT * FROM changing ORDER BY k
--- insert-returning
CREATE TABLE returning_table (k INTEGER PRIMARY KEY, v TEXT); INSERT INTO returning_table(v) VALUES ('a'), ('b') RETURNING k, v
--- drop-table
CREATE PERFETTO TABLE gone AS SELECT 1 AS a; DROP TABLE gone; SELECT count(*) AS n FROM sqlite_master WHERE name = 'gone'
--- create-function
CREATE PERFETTO FUNCTION doubled(x LONG) RETURNS LONG AS SELECT $x * 2; SELECT doubled(21) AS v, doubled(NULL) AS n
--- create-function-of-text
CREATE PERFETTO FUNCTION greeting(who STRING) RETURNS STRING AS SELECT 'hello ' || $who; SELECT greeting('you') AS v
--- create-table-function
CREATE PERFETTO FUNCTION upto(n LONG) RETURNS TABLE(v LONG) AS WITH RECURSIVE p(v) AS (SELECT 1 UNION ALL SELECT v + 1 FROM p WHERE v < $n) SELECT v FROM p; SELECT * FROM upto(5)
--- create-function-recursive
CREATE PERFETTO FUNCTION fib(n LONG) RETURNS LONG AS SELECT iif($n < 2, $n, fib($n - 1) + fib($n - 2)); SELECT EXPERIMENTAL_MEMOIZE('fib') AS m; SELECT fib(20) AS v
--- create-macro
CREATE PERFETTO MACRO first_of(t TableOrSubquery) RETURNS TableOrSubquery AS (SELECT * FROM $t LIMIT 1); SELECT * FROM first_of!((SELECT utid, tid FROM thread ORDER BY utid))
--- create-index
CREATE PERFETTO TABLE indexed AS SELECT utid, tid FROM thread; CREATE PERFETTO INDEX of_tid ON indexed(tid); SELECT count(*) AS n FROM indexed WHERE tid = 0
--- span-join
CREATE PERFETTO TABLE left_spans AS SELECT 0 AS ts, 10 AS dur, 'l' AS l UNION ALL SELECT 20, 10, 'm'; CREATE PERFETTO TABLE right_spans AS SELECT 5 AS ts, 20 AS dur, 'r' AS r; CREATE VIRTUAL TABLE spans USING span_join(left_spans, right_spans); SELECT ts, dur, l, r FROM spans ORDER BY ts
--- span-left-join
CREATE PERFETTO TABLE ls AS SELECT 0 AS ts, 10 AS dur, 1 AS cpu UNION ALL SELECT 20, 10, 2; CREATE PERFETTO TABLE rs AS SELECT 5 AS ts, 20 AS dur, 1 AS cpu; CREATE VIRTUAL TABLE sl USING span_left_join(ls PARTITIONED cpu, rs PARTITIONED cpu); SELECT ts, dur, cpu FROM sl ORDER BY cpu, ts
--- pragma-table-info
SELECT cid, name, type, "notnull", pk FROM pragma_table_info('thread') ORDER BY cid
--- pragma-function-list
SELECT count(*) > 100 AS many FROM pragma_function_list
--- explain
EXPLAIN QUERY PLAN SELECT 1
--- values-alone
VALUES (1, 'a'), (2, NULL), (3, 'c')
--- with-recursive
WITH RECURSIVE f(a, b) AS (SELECT 0, 1 UNION ALL SELECT b, a + b FROM f LIMIT 90) SELECT a FROM f
--- with-several
WITH a AS (SELECT 1 AS x UNION ALL SELECT 2), b(y) AS (SELECT x * 10 FROM a) SELECT x, y FROM a CROSS JOIN b ORDER BY x, y
--- state-does-not-leak
SELECT name FROM sqlite_master WHERE name IN ('mine', 'typed', 'plain', 'again', 'seen') ORDER BY name
--- module-twice
INCLUDE PERFETTO MODULE time.conversion; INCLUDE PERFETTO MODULE time.conversion; SELECT time_from_ms(5) AS ns, time_to_us(5000) AS us
--- summary
SUMMARIZE TRACE
metric_spec { id: "threads" value: "n" query { sql { sql: "SELECT count(*) AS n FROM thread" column_names: "n" } } }
--- select-star-of-nothing
SELECT * FROM (SELECT 1 AS a, 2 AS b) WHERE a > b
--- union-of-kinds
SELECT 'thread' AS kind, count(*) AS n FROM thread UNION ALL SELECT 'process', count(*) FROM process UNION ALL SELECT 'slice', count(*) FROM slice
--- limit-and-offset
SELECT utid FROM thread ORDER BY utid LIMIT 3 OFFSET 2
--- deep-nesting
SELECT ((((((((((((((((((((1)))))))))))))))))))) AS v
