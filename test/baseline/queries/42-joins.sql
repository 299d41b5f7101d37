--- * traces=recorded
--- join-using
SELECT p.name AS process, t.name AS thread, t.tid FROM thread t JOIN process p USING (upid) ORDER BY p.upid, t.utid LIMIT 60
--- left-join-without-match
SELECT t.utid, p.pid FROM thread t LEFT JOIN process p ON p.upid = -t.upid ORDER BY t.utid LIMIT 10
--- right-and-full-join
SELECT a.x AS a, b.x AS b FROM (SELECT 1 AS x UNION ALL SELECT 2) a FULL JOIN (SELECT 2 AS x UNION ALL SELECT 3) b ON a.x = b.x ORDER BY a, b
--- self-join
SELECT count(*) AS pairs FROM process a JOIN process b ON a.upid < b.upid WHERE a.pid = b.pid
--- slices-of-threads
SELECT t.name AS thread, count(*) AS n, sum(s.dur) AS total FROM slice s JOIN thread_track tt ON s.track_id = tt.id JOIN thread t USING (utid) GROUP BY t.utid ORDER BY n DESC, t.utid LIMIT 30
--- slices-of-processes
SELECT p.name, count(*) AS n FROM slice s JOIN process_track pt ON s.track_id = pt.id JOIN process p USING (upid) GROUP BY p.upid ORDER BY n DESC, p.upid LIMIT 30
--- parents-of-slices
SELECT c.name AS child, p.name AS parent, count(*) AS n FROM slice c JOIN slice p ON c.parent_id = p.id GROUP BY 1, 2 ORDER BY n DESC, 1, 2 LIMIT 30
--- correlated-subquery
SELECT upid, (SELECT count(*) FROM thread t WHERE t.upid = p.upid) AS n FROM process p ORDER BY upid LIMIT 40
--- exists
SELECT count(*) AS n FROM process p WHERE EXISTS (SELECT 1 FROM thread t WHERE t.upid = p.upid AND t.is_main_thread = 1)
--- not-in-subquery
SELECT count(*) AS n FROM thread WHERE utid NOT IN (SELECT utid FROM sched)
--- union-intersect-except
SELECT tid FROM thread INTERSECT SELECT pid FROM process ORDER BY 1 LIMIT 60
--- except
SELECT tid FROM thread EXCEPT SELECT pid FROM process ORDER BY 1 LIMIT 60
--- cross-join
SELECT count(*) AS n FROM (SELECT 1 FROM process LIMIT 20) CROSS JOIN (SELECT 1 FROM thread LIMIT 20)
--- ancestor-slices
SELECT count(*) AS n, max(depth) AS deepest FROM (SELECT a.depth FROM slice s JOIN ancestor_slice(s.id) a WHERE s.id IN (SELECT id FROM slice ORDER BY depth DESC, id LIMIT 5))
--- descendant-slices
SELECT d.name, count(*) AS n FROM (SELECT id FROM slice ORDER BY dur DESC, id LIMIT 3) s JOIN descendant_slice(s.id) d GROUP BY d.name ORDER BY n DESC, d.name LIMIT 20
--- following-flows
SELECT count(*) AS n FROM (SELECT id FROM slice ORDER BY id LIMIT 50) s JOIN following_flow(s.id) f
--- experimental-flat-slices
SELECT count(*) AS n FROM experimental_slice_layout WHERE filter_track_ids = (SELECT group_concat(id) FROM (SELECT id FROM thread_track ORDER BY id LIMIT 2))
--- sched-upid
SELECT upid, count(*) AS n, sum(dur) AS busy FROM sched_slice JOIN thread USING (utid) GROUP BY upid ORDER BY busy DESC, upid LIMIT 25
--- wakeups
SELECT w.name AS waker, t.name AS woken, count(*) AS n FROM thread_state s JOIN thread t USING (utid) JOIN thread w ON w.utid = s.waker_utid GROUP BY 1, 2 ORDER BY n DESC, 1, 2 LIMIT 30
--- blocked-functions
SELECT blocked_function, count(*) AS n, sum(dur) AS total FROM thread_state WHERE blocked_function IS NOT NULL GROUP BY 1 ORDER BY total DESC, 1 LIMIT 30
--- counters-by-track-name
SELECT t.name, count(*) AS n, min(c.value) AS least, max(c.value) AS most FROM counter c JOIN counter_track t ON t.id = c.track_id GROUP BY t.name ORDER BY t.name LIMIT 60
--- args-of-slices
SELECT a.key, count(*) AS n, count(DISTINCT a.display_value) AS d FROM slice s JOIN args a USING (arg_set_id) GROUP BY a.key ORDER BY n DESC, a.key LIMIT 40
