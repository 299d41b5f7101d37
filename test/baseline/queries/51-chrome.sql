--- * traces=chrome
--- chrome-tasks
INCLUDE PERFETTO MODULE chrome.tasks; SELECT id, name, ts, dur, thread_name, process_name, task_type FROM chrome_tasks ORDER BY id LIMIT 60
--- chrome-page-loads
INCLUDE PERFETTO MODULE chrome.page_loads; SELECT navigation_id, navigation_start_ts, fcp, lcp, url FROM chrome_page_loads ORDER BY navigation_start_ts, navigation_id
--- chrome-startups
INCLUDE PERFETTO MODULE chrome.startups; SELECT * FROM chrome_startups ORDER BY 1
--- chrome-histograms
INCLUDE PERFETTO MODULE chrome.histograms; SELECT name, value, ts FROM chrome_histograms ORDER BY ts, name LIMIT 60
--- chrome-metadata
INCLUDE PERFETTO MODULE chrome.metadata; SELECT chrome_hardware_class() AS a
--- chrome-event-latency
INCLUDE PERFETTO MODULE chrome.event_latency; SELECT id, name, ts, dur, event_type FROM chrome_event_latencies ORDER BY id LIMIT 60
--- chrome-input
INCLUDE PERFETTO MODULE chrome.input; SELECT * FROM chrome_inputs ORDER BY 1 LIMIT 40
--- chrome-scrolls
INCLUDE PERFETTO MODULE chrome.chrome_scrolls; SELECT * FROM chrome_scrolls ORDER BY 1 LIMIT 20
--- chrome-interactions
INCLUDE PERFETTO MODULE chrome.interactions; SELECT name, ts, dur FROM chrome_interactions ORDER BY ts, name LIMIT 40
--- chrome-web-content-interactions
INCLUDE PERFETTO MODULE chrome.web_content_interactions; SELECT id, ts, dur, interaction_type FROM chrome_web_content_interactions ORDER BY id LIMIT 40
--- chrome-graphics-pipeline
INCLUDE PERFETTO MODULE chrome.graphics_pipeline; SELECT id, step, surface_frame_trace_id, ts, dur FROM chrome_graphics_pipeline_surface_frame_steps ORDER BY id LIMIT 60
--- chrome-vsync
INCLUDE PERFETTO MODULE chrome.vsync_intervals; SELECT * FROM chrome_vsync_intervals ORDER BY 1 LIMIT 40
--- chrome-speedometer
INCLUDE PERFETTO MODULE chrome.speedometer; SELECT 1 AS loaded
--- chrome-threads-busy
SELECT t.name AS thread, sum(s.dur) AS total, sum(s.thread_dur) AS cpu FROM slice s JOIN thread_track tt ON s.track_id = tt.id JOIN thread t USING (utid) WHERE s.depth = 0 GROUP BY t.utid ORDER BY total DESC, t.utid
--- chrome-counters
SELECT t.name, count(*) AS n, max(c.value) AS most FROM counter c JOIN process_counter_track t ON t.id = c.track_id GROUP BY t.id ORDER BY n DESC, t.id LIMIT 30
--- chrome-async-slices
SELECT s.name, count(*) AS n, max(s.dur) AS longest FROM slice s JOIN track t ON s.track_id = t.id WHERE t.type NOT LIKE 'thread%' GROUP BY s.name ORDER BY n DESC, s.name LIMIT 30
--- chrome-all-slices
SELECT id, ts, dur, track_id, name FROM slice ORDER BY id
--- chrome-all-args
SELECT arg_set_id, key, int_value, string_value, real_value FROM args ORDER BY id LIMIT 60000
