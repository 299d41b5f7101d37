--- * traces=few
--- row-number
SELECT utid, row_number() OVER (ORDER BY utid DESC) AS n FROM thread ORDER BY utid LIMIT 50
--- rank
SELECT upid, count(*) AS threads, rank() OVER (ORDER BY count(*) DESC) AS r, dense_rank() OVER (ORDER BY count(*) DESC) AS d FROM thread GROUP BY upid ORDER BY r, upid LIMIT 50
--- lag-and-lead
SELECT ts, ts - lag(ts) OVER (ORDER BY ts, id) AS since, lead(ts) OVER (ORDER BY ts, id) - ts AS until FROM sched ORDER BY ts, id LIMIT 60
--- lag-with-default
SELECT utid, lag(tid, 2, -1) OVER (ORDER BY utid) AS v FROM thread ORDER BY utid LIMIT 20
--- first-and-last
SELECT DISTINCT upid, first_value(tid) OVER w AS f, last_value(tid) OVER w AS l FROM thread WINDOW w AS (PARTITION BY upid ORDER BY utid ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) ORDER BY upid LIMIT 40
--- nth-value
SELECT utid, nth_value(tid, 2) OVER (ORDER BY utid) AS v FROM thread ORDER BY utid LIMIT 10
--- ntile
SELECT utid, ntile(4) OVER (ORDER BY utid) AS q FROM thread ORDER BY utid LIMIT 40
--- running-sum
SELECT id, dur, sum(dur) OVER (ORDER BY id) AS total FROM sched ORDER BY id LIMIT 80
--- moving-average
SELECT id, avg(value) OVER (ORDER BY id ROWS BETWEEN 3 PRECEDING AND CURRENT ROW) AS v FROM counter ORDER BY id LIMIT 80
--- range-frame
SELECT id, count(*) OVER (ORDER BY ts RANGE BETWEEN 1000000 PRECEDING AND CURRENT ROW) AS n FROM sched ORDER BY id LIMIT 60
--- groups-frame
SELECT utid, sum(tid) OVER (ORDER BY upid GROUPS BETWEEN 1 PRECEDING AND 1 FOLLOWING) AS v FROM thread ORDER BY utid LIMIT 40
--- exclude-frame
SELECT utid, sum(utid) OVER (ORDER BY utid ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING EXCLUDE CURRENT ROW) AS v FROM thread ORDER BY utid LIMIT 20
--- percent-rank
SELECT utid, percent_rank() OVER (ORDER BY utid) AS p, cume_dist() OVER (ORDER BY utid) AS c FROM thread ORDER BY utid LIMIT 20
--- partition-by traces=recorded
SELECT ucpu, max(n) AS switches FROM (SELECT ucpu, row_number() OVER (PARTITION BY ucpu ORDER BY ts) AS n FROM sched_slice) GROUP BY ucpu ORDER BY ucpu
--- window-of-aggregates traces=recorded
SELECT name, sum(dur) AS total, 100.0 * sum(dur) / sum(sum(dur)) OVER () AS share FROM slice WHERE dur > 0 GROUP BY name ORDER BY total DESC, name LIMIT 15
--- gaps traces=recorded
SELECT count(*) AS gaps, max(gap) AS longest FROM (SELECT ts - lag(ts + dur) OVER (PARTITION BY ucpu ORDER BY ts) AS gap FROM sched_slice) WHERE gap > 0
--- window-filter
SELECT utid, count(*) FILTER (WHERE tid > 100) OVER (ORDER BY utid) AS n FROM thread ORDER BY utid LIMIT 30
--- window-over-nothing
SELECT id, row_number() OVER (ORDER BY id) AS n FROM slice WHERE id < 0
