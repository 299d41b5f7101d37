--- * traces=recorded
--- 00-load-errors
SELECT name, idx, severity, source, value FROM stats WHERE severity IN ('error', 'data_loss') AND value > 0 ORDER BY name, idx;
--- 01-longest-slices
SELECT name, count(*) AS n, sum(dur) AS total_ns, max(dur) AS max_ns FROM slice WHERE dur > 0 GROUP BY name ORDER BY max_ns DESC, total_ns DESC, name LIMIT 20;
--- 02-sched-latency-by-process
INCLUDE PERFETTO MODULE sched.latency;
SELECT coalesce(p.name, t.name) AS process, count(*) AS wakeups, sum(l.latency_dur) AS total_ns, max(l.latency_dur) AS max_ns, CAST(avg(l.latency_dur) AS INT) AS avg_ns
FROM sched_latency_for_running_interval l JOIN thread t USING (utid) LEFT JOIN process p USING (upid)
WHERE t.tid != 0 GROUP BY 1 ORDER BY total_ns DESC, process LIMIT 20;
--- 03-cpu-time-by-process
SELECT coalesce(p.name, t.name) AS process, p.pid AS pid, count(DISTINCT t.utid) AS threads, sum(s.dur) AS cpu_ns, count(*) AS switches
FROM sched_slice s JOIN thread t USING (utid) LEFT JOIN process p USING (upid)
WHERE t.tid != 0 AND s.dur > 0 GROUP BY p.upid, process ORDER BY cpu_ns DESC, process, pid LIMIT 20;
--- 04-thread-states
SELECT ts.state, count(*) AS n, sum(ts.dur) AS total_ns, max(ts.dur) AS max_ns FROM thread_state ts JOIN thread t USING (utid) WHERE t.tid != 0 AND ts.dur > 0 GROUP BY ts.state ORDER BY total_ns DESC, state;
--- 05-renderer-long-tasks
INCLUDE PERFETTO MODULE slices.with_context;
SELECT process_name, thread_name, name, count(*) AS n, sum(dur) AS total_ns, max(dur) AS max_ns
FROM thread_slice WHERE dur >= 50000000 AND thread_name IN ('CrRendererMain', 'CrBrowserMain') GROUP BY 1, 2, 3 ORDER BY max_ns DESC, name LIMIT 20;
--- 06-counter-stats
SELECT t.type AS track_type, t.name, count(*) AS n, min(c.value) AS min, max(c.value) AS max, avg(c.value) AS avg FROM counter c JOIN track t ON c.track_id = t.id GROUP BY t.type, t.name ORDER BY n DESC, t.type, t.name LIMIT 30;
--- 07-cpu-utilization-per-second
INCLUDE PERFETTO MODULE linux.cpu.utilization.system;
SELECT * FROM cpu_utilization_per_second ORDER BY ts;
--- 08-irqs
INCLUDE PERFETTO MODULE linux.irqs;
SELECT name, is_soft_irq, count(*) AS n, sum(dur) AS total_ns, max(dur) AS max_ns FROM linux_irqs GROUP BY 1, 2 ORDER BY total_ns DESC, name LIMIT 20;
--- 09-syscalls
SELECT s.name, count(*) AS n, sum(s.dur) AS total_ns, max(s.dur) AS max_ns FROM slice s JOIN thread_track tt ON s.track_id = tt.id WHERE s.name GLOB 'sys_*' AND s.dur >= 0 GROUP BY s.name ORDER BY total_ns DESC, s.name LIMIT 20;
--- 10-rss-by-process
INCLUDE PERFETTO MODULE linux.memory.process;
SELECT process_name, pid, max(anon_rss) AS max_anon_rss, max(file_rss) AS max_file_rss, max(rss) AS max_rss FROM memory_rss_and_swap_per_process GROUP BY upid ORDER BY max_rss DESC, pid LIMIT 20;
--- 11-self-time
INCLUDE PERFETTO MODULE slices.self_dur;
SELECT s.name, count(*) AS n, sum(d.self_dur) AS self_ns FROM slice_self_dur d JOIN slice s USING (id) GROUP BY s.name ORDER BY self_ns DESC, s.name LIMIT 20;
--- 12-cpu-profile-tree
INCLUDE PERFETTO MODULE stacks.cpu_profiling;
SELECT name, mapping_name, sum(self_count) AS self, max(cumulative_count) AS cumulative FROM cpu_profiling_summary_tree GROUP BY 1, 2 ORDER BY self DESC, cumulative DESC, name, mapping_name LIMIT 20;
--- 13-chrome-tasks
INCLUDE PERFETTO MODULE chrome.tasks;
SELECT process_name, thread_name, task_type, count(*) AS n, sum(dur) AS total_ns, max(dur) AS max_ns FROM chrome_tasks GROUP BY 1, 2, 3 ORDER BY total_ns DESC, 1, 2, 3 LIMIT 20;
--- 14-android-startups
INCLUDE PERFETTO MODULE android.startup.startups;
INCLUDE PERFETTO MODULE android.startup.time_to_display;
SELECT s.startup_id, s.package, s.startup_type, s.ts, s.dur, d.time_to_initial_display, d.time_to_full_display FROM android_startups s LEFT JOIN android_startup_time_to_display d USING (startup_id) ORDER BY s.startup_id;
--- 15-android-frames
INCLUDE PERFETTO MODULE android.frames.timeline;
SELECT frame_id, ts, dur, process_name FROM android_frames ORDER BY frame_id LIMIT 30;
--- 16-heap-graph-classes
INCLUDE PERFETTO MODULE android.memory.heap_graph.class_summary_tree;
SELECT name, self_count, self_size, cumulative_count, cumulative_size FROM android_heap_graph_class_summary_tree ORDER BY cumulative_size DESC, name, self_size, id LIMIT 20;
--- 17-anrs
INCLUDE PERFETTO MODULE android.anrs;
SELECT process_name, pid, error_id, ts, anr_type FROM android_anrs ORDER BY ts, error_id LIMIT 20;
