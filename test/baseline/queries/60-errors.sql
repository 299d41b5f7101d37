--- * traces=few
--- syntax-error
SELEC 1
--- syntax-error-in-the-second
SELECT 1 AS a; SELECT FROM
--- unclosed-text
SELECT 'abc
--- unclosed-parenthesis
SELECT (1
--- no-such-table
SELECT * FROM nothing_of_that_name
--- no-such-column
SELECT nothing_of_that_name FROM slice
--- no-such-function
SELECT nothing_of_that_name(1)
--- no-such-module
INCLUDE PERFETTO MODULE no_such.module_here; SELECT 1 AS a
--- no-such-macro
SELECT * FROM nothing_of_that_name!(slice)
--- wrong-argument-count
SELECT substr('a')
--- ambiguous-column
SELECT name FROM thread JOIN process USING (upid)
--- division-is-null
SELECT 1 / 0 AS a, 1 % 0 AS b
--- integer-overflow
SELECT abs(-9223372036854775807 - 1) AS v
--- error-behind-rows
SELECT iif(utid < 3, utid, abs(-9223372036854775807 - 1)) AS v FROM thread ORDER BY utid
--- error-on-some-traces
SELECT iif((SELECT count(*) FROM sched) > 0, 1, abs(-9223372036854775807 - 1)) AS v
--- text-error
SELECT json_extract('{', '$.a') AS v
--- error-with-odd-bytes escapes=yes
SELECT "\xff\xfe" FROM nothing_\xff
--- error-with-tabs-and-lines escapes=yes
SELECT 1\x0a\x09FROM\x09nothing_of_that_name
--- empty-script
 
--- only-comment
-- nothing to ask
--- only-semicolons
;;;
--- raise
SELECT RAISE(ABORT, 'no') AS v
--- write-to-a-table-of-the-engine
INSERT INTO slice(name) VALUES ('x'); SELECT 1 AS a
--- drop-a-table-of-the-engine
DROP TABLE slice; SELECT 1 AS a
--- attach
ATTACH 'file.db' AS other; SELECT 1 AS a
--- pragma-writes
PRAGMA user_version = 5; SELECT 1 AS a
--- bad-glob-of-regexp
SELECT 'a' REGEXP '(' AS v
--- type-of-argument
SELECT time_from_ms('x') AS v
--- table-with-two-columns-of-a-name
CREATE PERFETTO TABLE doubled AS SELECT 1 AS a, 2 AS a; SELECT * FROM doubled
--- blob-in-a-perfetto-table
CREATE PERFETTO TABLE blobs AS SELECT x'00ff' AS b; SELECT * FROM blobs
--- columns-differ-between-traces
CREATE PERFETTO TABLE t AS SELECT 1 AS a; SELECT * FROM t UNION ALL SELECT * FROM (SELECT 2 LIMIT (SELECT count(*) FROM sched))
--- types-differ-between-traces
SELECT iif((SELECT count(*) FROM sched) > 0, 1, 'none') AS v
--- nulls-on-some-traces
SELECT iif((SELECT count(*) FROM sched) > 0, 1, NULL) AS v
--- no-rows-on-some-traces
SELECT utid, dur FROM sched ORDER BY id LIMIT 1
--- rare-text traces=recorded
SELECT iif((SELECT count(*) FROM cpu_profile_stack_sample) > 0, 'rare', 5) AS v
--- failing-traces traces=failing
SELECT count(*) AS n FROM slice
--- failing-traces-and-a-failing-script traces=failing
SELECT nothing_of_that_name
--- endless-trace traces=endless
SELECT count(*) AS n FROM slice
--- missing-trace traces=missing
SELECT count(*) AS n FROM slice
