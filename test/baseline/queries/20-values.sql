--- * traces=one
--- int-one
SELECT 1 AS v
--- int-extremes
SELECT 9223372036854775807 AS a, -9223372036854775807 - 1 AS b, 0 AS c, -1 AS d
--- int-beyond-doubles
SELECT 9007199254740993 AS a, -9007199254740993 AS b, 4294967296 AS c, 2147483648 AS d, -2147483649 AS e
--- int-rows
SELECT value FROM (SELECT 9223372036854775807 AS value UNION ALL SELECT 9223372036854775806 UNION ALL SELECT -9223372036854775807 - 1 UNION ALL SELECT 127 UNION ALL SELECT 128 UNION ALL SELECT 16384)
--- int-powers
WITH RECURSIVE p(n, v) AS (SELECT 0, 1 UNION ALL SELECT n + 1, v * 2 FROM p WHERE n < 62) SELECT n, v, -v AS negative, v - 1 AS less FROM p
--- int-literal-too-large
SELECT 9223372036854775808 AS v, 18446744073709551615 AS w
--- int-sum-overflows
SELECT sum(v) AS total FROM (SELECT 9223372036854775807 AS v UNION ALL SELECT 1)
--- int-hex-literals
SELECT 0x7fffffffffffffff AS a, 0xffffffffffffffff AS b, 0x10 AS c
--- double-extremes
SELECT 1.7976931348623157e308 AS a, -1.7976931348623157e308 AS b, 2.2250738585072014e-308 AS c, 4.9406564584124654e-324 AS d
--- double-infinities
SELECT 9e999 AS a, -9e999 AS b
--- double-negative-zero
SELECT -0.0 AS a, 0.0 AS b, 0.0 * -1.0 AS c
--- double-nan-is-null
SELECT 9e999 - 9e999 AS v, typeof(9e999 - 9e999) AS t
--- double-fractions
SELECT 0.1 AS a, 0.1 + 0.2 AS b, 1.0 / 3 AS c, 1e21 AS d, 1e-7 AS e, 123456789012345678.0 AS f, 1e15 AS g, 100.0 AS h
--- double-whole-beyond-int
SELECT 9223372036854775807.0 AS a, 9223372036854775808.0 AS b, 1e19 AS c, -9223372036854775808.0 AS d
--- double-rows
WITH RECURSIVE p(n, v) AS (SELECT 0, 1.0 UNION ALL SELECT n + 1, v / 7 FROM p WHERE n < 300) SELECT n, v FROM p
--- double-large-rows
WITH RECURSIVE p(n, v) AS (SELECT 0, 3.0 UNION ALL SELECT n + 1, v * 10.7 FROM p WHERE n < 280) SELECT n, v, -v AS w FROM p
--- double-and-int
SELECT 1 AS v UNION ALL SELECT 0.5 UNION ALL SELECT NULL UNION ALL SELECT 3
--- double-and-large-int
SELECT 9007199254740993 AS v UNION ALL SELECT 0.5
--- null-one
SELECT NULL AS v
--- null-rows
SELECT NULL AS a, 1 AS b UNION ALL SELECT NULL, NULL UNION ALL SELECT NULL, 2
--- null-in-each-type
SELECT 1 AS i, 1.5 AS d, 'x' AS s, x'00' AS b UNION ALL SELECT NULL, NULL, NULL, NULL UNION ALL SELECT 2, 2.5, 'y', x'ff'
--- null-first
SELECT NULL AS i, NULL AS d, NULL AS s, NULL AS b UNION ALL SELECT 1, 1.5, 'x', x'00'
--- null-and-empty
SELECT '' AS a, NULL AS b, x'' AS c, ' ' AS d
--- null-arithmetic
SELECT NULL + 1 AS a, NULL || 'x' AS b, NULL = NULL AS c, NULL IS NULL AS d, coalesce(NULL, 7) AS e, NULL AND 0 AS f, NULL OR 1 AS g, nullif(1, 1) AS h
--- text-plain
SELECT 'text' AS v
--- text-escapes
SELECT char(9) AS tab, char(10) AS newline, char(13) AS carriage_return, char(92) AS backslash, char(39) AS quote, char(34) AS double_quote, char(8) AS backspace, char(12) AS feed, char(27) AS esc, char(127) AS del
--- text-null-lookalikes
SELECT '\N' AS a, 'NULL' AS b, 'null' AS c, '\\N' AS d, 'ᴺᵁᴸᴸ' AS e
--- text-number-lookalikes
SELECT '1' AS a, '1.5' AS b, 'inf' AS c, 'nan' AS d, '-0' AS e, '0x10' AS f, '1e5' AS g, '' AS h
--- text-control-letters
WITH RECURSIVE p(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM p WHERE n < 255) SELECT n, char(n) AS letter, 'a' || char(n) || 'b' AS within FROM p
--- text-bytes
SELECT CAST(x'ff' AS TEXT) AS a, CAST(x'c3' AS TEXT) AS b, CAST(x'fffe80' AS TEXT) AS c, CAST(x'eda080' AS TEXT) AS d, CAST(x'f4908080' AS TEXT) AS e
--- text-unicode
SELECT 'é' AS a, 'é' AS b, '日本語' AS c, '🚀' AS d, '‮rtl' AS e, char(0x10ffff) AS f, char(0xfeff) AS bom
--- text-ends-with-nul
SELECT CAST(x'610062' AS TEXT) AS v, length(CAST(x'610062' AS TEXT)) AS n
--- text-all-lengths
WITH RECURSIVE p(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM p WHERE n < 260) SELECT n, substr(replace(hex(zeroblob(200)), '0', 'x'), 1, n) AS v FROM p
--- text-long
SELECT replace(hex(zeroblob(100000)), '00', 'ab') AS v
--- text-long-with-escapes
SELECT replace(hex(zeroblob(50000)), '00', 'a' || char(9) || char(10) || '\') AS v
--- text-many-tabs
SELECT replace(hex(zeroblob(3000)), '0', char(9)) AS tabs, replace(hex(zeroblob(3000)), '0', '\') AS slashes
--- blob-one
SELECT x'00' AS a, x'00ff' AS b, x'' AS c, x'0a090d5c' AS d
--- blob-every-byte
SELECT x'000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff' AS v
--- blob-long
SELECT zeroblob(200000) AS v
--- blob-and-text
SELECT 'text' AS v UNION ALL SELECT x'74657874' UNION ALL SELECT NULL UNION ALL SELECT x'ff00'
--- blob-rows
WITH RECURSIVE p(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM p WHERE n < 100) SELECT n, zeroblob(n) AS v FROM p
--- mixed-int-and-text
SELECT 1 AS v UNION ALL SELECT 'two' UNION ALL SELECT 3.5 UNION ALL SELECT x'04' UNION ALL SELECT NULL
--- mixed-double-and-text
SELECT 1.5 AS v UNION ALL SELECT 'x' UNION ALL SELECT 9e999 UNION ALL SELECT -9e999 UNION ALL SELECT -0.0 UNION ALL SELECT 1e300
--- mixed-int-and-blob
SELECT 9223372036854775807 AS v UNION ALL SELECT x'09' UNION ALL SELECT -9223372036854775807 - 1
--- mixed-in-each-column
SELECT 1 AS a, 'x' AS b, 1.5 AS c UNION ALL SELECT 1.5, 1, 'x' UNION ALL SELECT 'x', 1.5, 1
--- boolean-values
SELECT 1 = 1 AS t, 1 = 2 AS f, NOT 1 AS n, TRUE AS tt, FALSE AS ff
--- empty-result
SELECT 1 AS a, 'x' AS b WHERE 0
--- empty-result-of-a-table
SELECT id, name, dur FROM slice WHERE id < 0
--- many-columns
SELECT 1 AS c01, 2 AS c02, 3 AS c03, 4 AS c04, 5 AS c05, 6 AS c06, 7 AS c07, 8 AS c08, 9 AS c09, 10 AS c10, 'x' AS c11, 1.5 AS c12, NULL AS c13, x'00' AS c14, 15 AS c15, 16 AS c16, 17 AS c17, 18 AS c18, 19 AS c19, 20 AS c20, 21 AS c21, 22 AS c22, 23 AS c23, 24 AS c24, 25 AS c25, 26 AS c26, 27 AS c27, 28 AS c28, 29 AS c29, 30 AS c30
--- many-rows
WITH RECURSIVE p(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM p WHERE n < 99999) SELECT n, n * 3 AS triple, n / 7.0 AS part, 'row ' || n AS name, iif(n % 3 = 0, NULL, n) AS third FROM p
--- many-rows-of-nulls
WITH RECURSIVE p(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM p WHERE n < 50000) SELECT NULL AS a, iif(n % 2, NULL, 'x') AS b, iif(n % 5, NULL, 0.5) AS c, iif(n % 7, NULL, -n) AS d FROM p
--- wide-and-long
WITH RECURSIVE p(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM p WHERE n < 2000) SELECT n, hex(zeroblob(n % 50)) AS a, n * 1.1 AS b, char(65 + n % 26) AS c, n - 1000 AS d, NULL AS e, iif(n % 2, 'odd', NULL) AS f FROM p
