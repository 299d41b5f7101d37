--- * traces=few
--- thread-slices
INCLUDE PERFETTO MODULE slices.with_context; SELECT name, thread_name, process_name, ts, dur FROM thread_slice ORDER BY id LIMIT 60
--- process-slices
INCLUDE PERFETTO MODULE slices.with_context; SELECT name, process_name, ts, dur FROM process_slice ORDER BY id LIMIT 60
--- self-durations
INCLUDE PERFETTO MODULE slices.self_dur; SELECT id, self_dur FROM slice_self_dur ORDER BY id LIMIT 80
--- flat-slices
INCLUDE PERFETTO MODULE slices.flat_slices; SELECT slice_id, ts, dur, depth, name, root_id FROM _slice_flattened ORDER BY ts, slice_id LIMIT 80
--- slice-hierarchy
INCLUDE PERFETTO MODULE slices.hierarchy; SELECT count(*) AS n FROM _slice_ancestor_and_self!((SELECT id FROM slice ORDER BY id LIMIT 10))
--- slice-cpu-time
INCLUDE PERFETTO MODULE slices.cpu_time; SELECT id, cpu_time FROM thread_slice_cpu_time ORDER BY id LIMIT 60
--- slice-time-in-state
INCLUDE PERFETTO MODULE slices.time_in_state; SELECT id, name, state, dur FROM thread_slice_time_in_state ORDER BY id, state, dur LIMIT 60
--- slice-stack
INCLUDE PERFETTO MODULE slices.stack; SELECT count(*) AS n FROM slice
--- slice-flow
INCLUDE PERFETTO MODULE slices.flow; SELECT count(*) AS n FROM flow
--- sched-latency
INCLUDE PERFETTO MODULE sched.latency; SELECT sched_id, utid, latency_dur FROM sched_latency_for_running_interval ORDER BY sched_id LIMIT 80
--- sched-runnable
INCLUDE PERFETTO MODULE sched.runnable; SELECT id, prev_runnable_id FROM sched_previous_runnable_on_thread ORDER BY id LIMIT 60
--- sched-states
INCLUDE PERFETTO MODULE sched.states; SELECT sched_state_to_human_readable_string('R+') AS a, sched_state_to_human_readable_string('D') AS b, sched_state_io_to_human_readable_string('D', 1) AS c
--- sched-time-in-state
INCLUDE PERFETTO MODULE sched.time_in_state; SELECT utid, total_runtime, state, time_in_state, percentage_in_state FROM sched_time_in_state_for_thread ORDER BY utid, state LIMIT 60
--- sched-state-for-cpu
INCLUDE PERFETTO MODULE sched.time_in_state; SELECT * FROM sched_percentage_of_time_in_state ORDER BY utid LIMIT 40
--- sched-with-context
INCLUDE PERFETTO MODULE sched.with_context; SELECT id, ts, dur, thread_name, process_name FROM sched_with_thread_process ORDER BY id LIMIT 60
--- sched-parallelism
INCLUDE PERFETTO MODULE sched.thread_level_parallelism; SELECT ts, runnable_thread_count FROM sched_runnable_thread_count ORDER BY ts LIMIT 60
--- sched-active-cpus
INCLUDE PERFETTO MODULE sched.thread_level_parallelism; SELECT ts, active_cpu_count FROM sched_active_cpu_count ORDER BY ts LIMIT 60
--- sched-executing-spans traces=one
INCLUDE PERFETTO MODULE sched.thread_executing_span; SELECT count(*) AS n, sum(dur) AS total FROM thread_executing_span
--- cpu-utilization-system traces=linux
INCLUDE PERFETTO MODULE linux.cpu.utilization.system; SELECT ts, utilization, unnormalized_utilization FROM cpu_utilization_per_second ORDER BY ts
--- cpu-utilization-process
INCLUDE PERFETTO MODULE linux.cpu.utilization.process; SELECT * FROM cpu_cycles_per_process ORDER BY upid LIMIT 40
--- cpu-utilization-thread
INCLUDE PERFETTO MODULE linux.cpu.utilization.thread; SELECT * FROM cpu_cycles_per_thread ORDER BY utid LIMIT 40
--- cpu-utilization-slice
INCLUDE PERFETTO MODULE linux.cpu.utilization.slice; SELECT * FROM cpu_cycles_per_thread_slice ORDER BY id LIMIT 40
--- cpu-frequency traces=linux
INCLUDE PERFETTO MODULE linux.cpu.frequency; SELECT * FROM cpu_frequency_counters ORDER BY id LIMIT 60
--- cpu-idle traces=linux
INCLUDE PERFETTO MODULE linux.cpu.idle; SELECT ts, dur, cpu, idle FROM cpu_idle_counters ORDER BY id LIMIT 60
--- cpu-idle-stats traces=linux
INCLUDE PERFETTO MODULE linux.cpu.idle_stats; SELECT * FROM cpu_idle_stats ORDER BY 1, 2 LIMIT 60
--- irqs traces=linux
INCLUDE PERFETTO MODULE linux.irqs; SELECT id, ts, dur, name, is_soft_irq FROM linux_irqs ORDER BY id LIMIT 80
--- memory-general
INCLUDE PERFETTO MODULE linux.memory.general; SELECT count(*) AS n FROM counter
--- memory-process traces=linux
INCLUDE PERFETTO MODULE linux.memory.process; SELECT ts, dur, process_name, pid, anon_rss, file_rss, rss, swap FROM memory_rss_and_swap_per_process ORDER BY ts, upid LIMIT 60
--- memory-watermark
INCLUDE PERFETTO MODULE linux.memory.high_watermark; SELECT * FROM memory_rss_high_watermark_per_process ORDER BY ts, upid LIMIT 60
--- kernel-threads traces=linux
INCLUDE PERFETTO MODULE linux.threads; SELECT upid, utid, pid, tid, process_name, thread_name, machine_id FROM linux_kernel_threads ORDER BY utid LIMIT 60
--- block-io traces=linux
INCLUDE PERFETTO MODULE linux.block_io; SELECT * FROM linux_active_block_io_operations_by_device ORDER BY 1, 2 LIMIT 60
--- devfreq
INCLUDE PERFETTO MODULE linux.devfreq; SELECT * FROM linux_devfreq_dsu_counter ORDER BY 1 LIMIT 20
--- perf-counters traces=recorded
INCLUDE PERFETTO MODULE linux.perf.counters; SELECT * FROM linux_perf_sample_with_counters ORDER BY 1 LIMIT 20
--- perf-tree traces=recorded
INCLUDE PERFETTO MODULE linux.perf.samples; SELECT name, mapping_name, self_count, cumulative_count FROM linux_perf_samples_summary_tree ORDER BY id LIMIT 100
--- cpu-profile traces=recorded
INCLUDE PERFETTO MODULE stacks.cpu_profiling; SELECT ts, thread_name, callsite_id FROM cpu_profiling_samples ORDER BY id LIMIT 60
--- symbolization
INCLUDE PERFETTO MODULE stacks.symbolization_candidates; SELECT * FROM _stacks_symbolization_candidates ORDER BY 1, 2, 3 LIMIT 40
--- global-counters
INCLUDE PERFETTO MODULE counters.global_tracks; SELECT count(*) AS n FROM counter
--- counter-intervals traces=linux
INCLUDE PERFETTO MODULE counters.intervals; SELECT id, ts, dur, track_id, value, next_value, delta_value FROM counter_leading_intervals!((SELECT id, ts, track_id, value FROM counter WHERE track_id IN (SELECT id FROM counter_track ORDER BY id LIMIT 3))) ORDER BY id LIMIT 60
--- intervals-overlap
INCLUDE PERFETTO MODULE intervals.overlap; SELECT ts, value FROM intervals_overlap_count!((SELECT ts, dur FROM sched WHERE dur > 0 ORDER BY id LIMIT 200), ts, dur) ORDER BY ts LIMIT 60
--- intervals-intersect
INCLUDE PERFETTO MODULE intervals.intersect; SELECT ts, dur, id_0, id_1 FROM _interval_intersect!(((SELECT id, ts, dur FROM sched WHERE cpu = 0 AND dur > 0 ORDER BY id LIMIT 50), (SELECT id, ts, dur FROM sched WHERE cpu = 1 AND dur > 0 ORDER BY id LIMIT 50)), ()) ORDER BY ts, id_0, id_1
--- graph-search
INCLUDE PERFETTO MODULE graphs.search; SELECT * FROM graph_reachable_dfs!((SELECT 1 AS source_node_id, 2 AS dest_node_id UNION ALL SELECT 2, 3 UNION ALL SELECT 1, 4), (SELECT 1 AS node_id)) ORDER BY node_id
--- graph-bfs
INCLUDE PERFETTO MODULE graphs.search; SELECT * FROM graph_reachable_bfs!((SELECT 1 AS source_node_id, 2 AS dest_node_id UNION ALL SELECT 2, 3), (SELECT 1 AS node_id)) ORDER BY node_id
--- graph-dominators
INCLUDE PERFETTO MODULE graphs.dominator_tree; SELECT * FROM graph_dominator_tree!((SELECT 1 AS source_node_id, 2 AS dest_node_id UNION ALL SELECT 1, 3 UNION ALL SELECT 2, 4 UNION ALL SELECT 3, 4), 1) ORDER BY node_id
--- graph-partition
INCLUDE PERFETTO MODULE graphs.partition; SELECT * FROM tree_structural_partition_by_group!((SELECT 1 AS id, NULL AS parent_id, 1 AS group_key UNION ALL SELECT 2, 1, 1 UNION ALL SELECT 3, 1, 2)) ORDER BY id
--- graph-critical-path
INCLUDE PERFETTO MODULE graphs.critical_path; SELECT 1 AS loaded
--- time-conversion
INCLUDE PERFETTO MODULE time.conversion; SELECT time_to_ns(1) AS ns, time_to_us(1500) AS us, time_to_ms(1500000) AS ms, time_to_s(3000000000) AS s, time_from_s(2) AS two, time_from_days(1) AS day
--- viz-threads
INCLUDE PERFETTO MODULE viz.summary.threads; SELECT utid, max_dur IS NULL AS idle FROM _thread_available_info_summary ORDER BY utid LIMIT 40
--- viz-processes
INCLUDE PERFETTO MODULE viz.summary.processes; SELECT upid, thread_slice_count, process_slice_count FROM _process_available_info_summary ORDER BY upid LIMIT 40
--- viz-slices
INCLUDE PERFETTO MODULE viz.slices; SELECT name, thread_name, process_name FROM _viz_slices_for_ui_table ORDER BY id LIMIT 40
--- viz-summary-slices
INCLUDE PERFETTO MODULE viz.summary.slices; SELECT * FROM _slice_track_summary ORDER BY 1 LIMIT 40
--- trace-info
INCLUDE PERFETTO MODULE std.traceinfo.trace; SELECT 1 AS loaded
--- trees
INCLUDE PERFETTO MODULE std.trees.table_conversion; SELECT 1 AS loaded
--- traced-stats
INCLUDE PERFETTO MODULE traced.stats; SELECT 1 AS loaded
--- v8-jit
INCLUDE PERFETTO MODULE v8.jit; SELECT count(*) AS n FROM v8_isolate
--- pkvm
INCLUDE PERFETTO MODULE pkvm.hypervisor; SELECT count(*) AS n FROM pkvm_hypervisor_events
--- svg
INCLUDE PERFETTO MODULE export.to_svg; SELECT 1 AS loaded
--- wattson
INCLUDE PERFETTO MODULE wattson.device_infos; SELECT * FROM _wattson_device LIMIT 5
