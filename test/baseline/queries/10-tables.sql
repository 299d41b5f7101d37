--- * traces=loading
--- counts-of-tables traces=allLoading
SELECT (SELECT count(*) FROM slice) AS slices, (SELECT count(*) FROM sched) AS sched, (SELECT count(*) FROM thread) AS threads, (SELECT count(*) FROM process) AS processes, (SELECT count(*) FROM counter) AS counters, (SELECT end_ts - start_ts FROM trace_bounds) AS duration_ns
--- trace-bounds
SELECT * FROM trace_bounds
--- threads
SELECT utid, tid, name, start_ts, end_ts, upid, is_main_thread, is_idle FROM thread ORDER BY utid LIMIT 400
--- processes
SELECT upid, pid, name, start_ts, end_ts, parent_upid, uid, cmdline, arg_set_id FROM process ORDER BY upid LIMIT 400
--- threads-of-processes
SELECT p.upid, p.name, count(*) AS threads, group_concat(t.tid, ',') AS tids FROM process p JOIN thread t USING (upid) GROUP BY p.upid ORDER BY p.upid
--- slices-first
SELECT id, ts, dur, track_id, category, name, depth, parent_id, arg_set_id, thread_ts, thread_dur FROM slice ORDER BY id LIMIT 300
--- slices-last
SELECT id, ts, dur, name, depth FROM slice ORDER BY id DESC LIMIT 100
--- slices-by-depth
SELECT depth, count(*) AS n, sum(dur) AS total, min(ts) AS first, max(ts + dur) AS last FROM slice GROUP BY depth ORDER BY depth
--- slices-unfinished
SELECT count(*) AS unfinished, min(id) AS first FROM slice WHERE dur = -1
--- slices-by-category
SELECT category, count(*) AS n FROM slice GROUP BY category ORDER BY n DESC, category
--- slice-stars
SELECT * FROM slice ORDER BY id LIMIT 5
--- tracks
SELECT id, name, type, dimension_arg_set_id IS NULL AS plain, parent_id, source_arg_set_id IS NULL AS no_source FROM track ORDER BY id LIMIT 300
--- tracks-by-type
SELECT type, count(*) AS n FROM track GROUP BY type ORDER BY n DESC, type
--- thread-tracks
SELECT id, utid, name FROM thread_track ORDER BY id LIMIT 200
--- process-tracks
SELECT id, upid, name FROM process_track ORDER BY id LIMIT 200
--- counters-first
SELECT id, ts, track_id, value, arg_set_id FROM counter ORDER BY id LIMIT 300
--- counters-extremes
SELECT count(*) AS n, min(value) AS least, max(value) AS most, sum(value) AS total, avg(value) AS mean FROM counter
--- counter-tracks
SELECT id, name, type, unit, description FROM counter_track ORDER BY id LIMIT 300
--- process-counters
SELECT upid, name, count(*) AS n, max(value) AS most FROM process_counter_track t JOIN counter c ON c.track_id = t.id GROUP BY t.id ORDER BY t.id
--- sched-first
SELECT id, ts, dur, ucpu, utid, end_state, priority FROM sched_slice ORDER BY id LIMIT 300
--- sched-by-cpu
SELECT cpu, count(*) AS n, sum(dur) AS busy FROM sched GROUP BY cpu ORDER BY cpu
--- sched-by-end-state
SELECT end_state, count(*) AS n FROM sched GROUP BY end_state ORDER BY n DESC, end_state
--- thread-states-first
SELECT id, ts, dur, cpu, utid, state, io_wait, blocked_function, waker_utid, waker_id, irq_context FROM thread_state ORDER BY id LIMIT 300
--- cpus
SELECT * FROM cpu ORDER BY id
--- machines
SELECT * FROM machine ORDER BY id
--- args-first
SELECT id, arg_set_id, flat_key, key, int_value, string_value, real_value, value_type FROM args ORDER BY id LIMIT 500
--- args-by-type
SELECT value_type, count(*) AS n, count(DISTINCT key) AS keys FROM args GROUP BY value_type ORDER BY value_type
--- args-with-display
SELECT flat_key, display_value FROM args ORDER BY id DESC LIMIT 200
--- metadata
SELECT name, key_type, int_value, str_value FROM metadata WHERE name NOT IN ('trace_uuid', 'ui_state') ORDER BY id
--- clock-snapshots
SELECT snapshot_id, clock_id, clock_name, clock_value, ts FROM clock_snapshot ORDER BY id LIMIT 200
--- stats-not-zero
SELECT name, idx, severity, source, value FROM stats WHERE value != 0 AND name NOT LIKE '%duration%' AND name NOT LIKE '%\_ns' ESCAPE '\' ORDER BY name, idx
--- stats-names
SELECT count(DISTINCT name) AS names, count(*) AS n FROM stats
--- instants
SELECT ts, track_id, name FROM slice WHERE dur = 0 ORDER BY id LIMIT 200
--- flows
SELECT id, slice_out, slice_in FROM flow ORDER BY id LIMIT 300
--- logs
SELECT ts, utid, prio, tag, msg FROM android_logs ORDER BY id LIMIT 50
--- perf-samples
SELECT id, ts, utid, cpu, cpu_mode, callsite_id, unwind_error FROM perf_sample ORDER BY id LIMIT 200
--- cpu-profile-samples
SELECT id, ts, callsite_id, utid, process_priority FROM cpu_profile_stack_sample ORDER BY id LIMIT 200
--- frames
SELECT id, name, mapping, rel_pc, symbol_set_id, deobfuscated_name FROM stack_profile_frame ORDER BY id LIMIT 200
--- mappings
SELECT id, build_id, exact_offset, start_offset, start, end, load_bias, name FROM stack_profile_mapping ORDER BY id LIMIT 200
--- callsites
SELECT id, depth, parent_id, frame_id FROM stack_profile_callsite ORDER BY id LIMIT 300
--- heap-profile
SELECT count(*) AS n, sum(size) AS bytes FROM heap_profile_allocation
--- ftrace-events
SELECT id, ts, name, ucpu, utid, arg_set_id FROM ftrace_event ORDER BY id LIMIT 300
--- ftrace-by-name
SELECT name, count(*) AS n FROM ftrace_event GROUP BY name ORDER BY n DESC, name
--- process-memory-snapshots
SELECT count(*) AS n FROM memory_snapshot
--- trace-files
SELECT id, parent_id, size, trace_type, processing_order FROM __intrinsic_trace_file ORDER BY id
--- tables-of-the-engine
SELECT name, type FROM sqlite_master WHERE name NOT LIKE 'sqlite%' ORDER BY type, name
--- spans
SELECT name, count(*) AS n FROM (SELECT DISTINCT name, track_id FROM slice) GROUP BY name ORDER BY n DESC, name LIMIT 50
--- names-of-every-byte
SELECT DISTINCT name, length(name) AS letters, hex(substr(CAST(name AS BLOB), 1, 40)) AS bytes FROM slice WHERE name IS NOT NULL ORDER BY name LIMIT 120
