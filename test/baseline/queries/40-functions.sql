--- * traces=one
--- text-functions
SELECT upper('aé') AS a, lower('AÉ') AS b, length('日本') AS c, substr('abcdef', 2, 3) AS d, trim('  x ') AS e, ltrim('xxa', 'x') AS f, rtrim('axx', 'x') AS g, replace('aaa', 'a', 'bc') AS h, instr('hello', 'l') AS i
--- text-functions-more
SELECT printf('%05d|%-5s|%.3f|%x', 42, 'ab', 1.5, 255) AS a, quote('it''s') AS b, quote(NULL) AS c, hex('abc') AS d, unicode('é') AS e, char(65, 66) AS f, 'a' || 1 || 2.5 AS g
--- text-like-and-glob
SELECT 'abc' LIKE 'A%' AS a, 'abc' GLOB 'A*' AS b, 'abc' GLOB 'a*' AS c, 'a_c' LIKE 'a\_c' ESCAPE '\' AS d, 'abc' REGEXP '^a.c$' AS e
--- text-order
SELECT v FROM (SELECT 'b' AS v UNION ALL SELECT 'B' UNION ALL SELECT 'a' UNION ALL SELECT 'é' UNION ALL SELECT '' UNION ALL SELECT '10' UNION ALL SELECT '9') ORDER BY v
--- mixed-order
SELECT v FROM (SELECT 2 AS v UNION ALL SELECT 'x' UNION ALL SELECT 1.5 UNION ALL SELECT NULL UNION ALL SELECT x'01' UNION ALL SELECT -1) ORDER BY v
--- numbers
SELECT abs(-5) AS a, round(2.5) AS b, round(1.005, 2) AS c, max(1, 2, 3) AS d, min(1, 2, 3) AS e, 7 / 2 AS f, -7 / 2 AS g, 7 % 3 AS h, -7 % 3 AS i, 7.0 / 2 AS j, 1 / 0 AS k, 5 & 3 AS l, 5 | 3 AS m, ~5 AS n, 1 << 62 AS o, -1 >> 1 AS p
--- numbers-perfetto
SELECT ln(2.718281828459045) AS a, exp(1) AS b, sqrt(2) AS c
--- casts
SELECT CAST('12abc' AS INT) AS a, CAST('1e3' AS REAL) AS b, CAST(3.9 AS INT) AS c, CAST(-3.9 AS INT) AS d, CAST(1e300 AS INT) AS e, CAST(5 AS TEXT) AS f, CAST(0.1 AS TEXT) AS g, CAST(x'6162' AS TEXT) AS h, CAST('ab' AS BLOB) AS i, CAST(NULL AS INT) AS j
--- casts-perfetto
SELECT cast_int!('5') AS a, cast_double!(5) AS b, cast_string!(5) AS c
--- typeof
SELECT typeof(1) AS a, typeof(1.0) AS b, typeof('x') AS c, typeof(x'00') AS d, typeof(NULL) AS e, typeof(9223372036854775808) AS f
--- case-and-iif
SELECT CASE WHEN 1 > 2 THEN 'a' WHEN 2 > 1 THEN 'b' ELSE 'c' END AS a, CASE 5 WHEN 5 THEN 'five' END AS b, iif(0, 1, NULL) AS c, ifnull(NULL, 'd') AS d
--- between-and-in
SELECT 5 BETWEEN 1 AND 5 AS a, 5 IN (1, 5) AS b, 5 NOT IN (1, NULL) AS c, 'a' IN ('A') AS d
--- json
SELECT json_extract('{"a":[1,2,{"b":null}]}', '$.a[1]') AS a, json_extract('{"a":1.5}', '$.a') AS b, json_array_length('[1,2,3]') AS c, json('{"x" : 1}') AS d
--- json-each
SELECT key, value, type FROM json_each('{"i":1,"d":1.5,"s":"x","n":null,"t":true,"o":{"p":1}}')
--- dates
SELECT date(0, 'unixepoch') AS a, strftime('%Y-%m-%dT%H:%M:%S', 1700000000, 'unixepoch') AS b, julianday('2000-01-01') AS c, unixepoch('2020-01-01') AS d
--- hash
SELECT HASH('a', 1, 2.5) AS a, HASH('a') = HASH('a') AS b
--- base64
SELECT base64_encode(x'68656c6c6f') AS a, base64_encode(x'00ff') AS b
--- string-split
SELECT str_split('a,b,c', ',', 0) AS a, str_split('a,b,c', ',', 2) AS b, str_split('a,b,c', ',', 5) AS c
--- regexp-extract
SELECT regexp_extract('thread 42 of 7', '(\d+)') AS a, regexp_extract('none', '(\d+)') AS b
--- demangle
SELECT demangle('_ZN3foo3barEv') AS a, demangle('plain') AS b
--- strip-hex
SELECT STRIP_HEX('deadbeef1234abcd', 2) AS v
--- to-ftrace traces=few
SELECT to_ftrace(id) AS line FROM ftrace_event ORDER BY id LIMIT 20
--- extract-arg traces=few
SELECT extract_arg(arg_set_id, 'debug.data') AS a, extract_arg(arg_set_id, 'task.posted_from.file_name') AS b FROM slice ORDER BY id LIMIT 40
--- extract-metadata traces=few
SELECT extract_metadata('system_name') AS a, extract_metadata('tracing_started_ns') IS NULL AS b, extract_metadata('nothing') AS c
--- create-profile-is-bytes traces=few
SELECT length(EXPERIMENTAL_PROFILE(cat_stacks('a', 'b'), 'samples', 'count', 1)) > 0 AS v
--- cat-stacks
SELECT length(cat_stacks('a', 'b', 'c')) AS v
--- stack-from-callsite traces=recorded
SELECT count(stack_from_stack_profile_callsite(id)) AS n FROM stack_profile_callsite
--- slice-functions traces=few
SELECT count(*) AS n, trace_start() <= trace_end() AS sane, trace_dur() >= 0 AS positive FROM slice
--- trace-start-and-end traces=loading
SELECT trace_start() AS s, trace_end() AS e, trace_dur() AS d
--- is-spans-overlapping
SELECT spans_overlapping_dur(0, 10, 5, 10) AS a, spans_overlapping_dur(0, 5, 5, 10) AS b
--- aggregates
SELECT count(*) AS a, count(v) AS b, sum(v) AS c, total(v) AS d, avg(v) AS e, min(v) AS f, max(v) AS g, group_concat(v) AS h, group_concat(v, ' ') AS i FROM (SELECT 1 AS v UNION ALL SELECT NULL UNION ALL SELECT 3 UNION ALL SELECT 3)
--- aggregates-of-nothing
SELECT count(*) AS a, sum(id) AS b, total(id) AS c, avg(id) AS d, min(id) AS e, group_concat(id) AS f FROM slice WHERE id < 0
--- aggregates-of-doubles
SELECT sum(v) AS a, avg(v) AS b, total(v) AS c FROM (SELECT 0.1 AS v UNION ALL SELECT 0.2 UNION ALL SELECT 0.3 UNION ALL SELECT 1e16)
--- aggregates-distinct traces=recorded
SELECT count(DISTINCT name) AS a, sum(DISTINCT depth) AS b FROM slice
--- aggregates-filter traces=recorded
SELECT count(*) FILTER (WHERE dur > 1000000) AS a, count(*) FILTER (WHERE dur < 0) AS b, max(dur) FILTER (WHERE depth = 0) AS c FROM slice
--- percentile traces=recorded
SELECT PERCENTILE(dur, 50) AS p50, PERCENTILE(dur, 99) AS p99 FROM slice WHERE dur >= 0
--- having traces=recorded
SELECT name, count(*) AS n FROM slice GROUP BY name HAVING n > 100 ORDER BY n DESC, name LIMIT 20
--- group-by-expression traces=recorded
SELECT dur / 1000000 AS ms, count(*) AS n FROM slice WHERE dur >= 0 GROUP BY 1 ORDER BY 1 LIMIT 100
--- string-agg traces=recorded
SELECT group_concat(name, '|') AS names FROM (SELECT DISTINCT name FROM thread WHERE name IS NOT NULL ORDER BY name LIMIT 60)
