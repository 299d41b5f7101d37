--- * traces=few
--- android-startups
INCLUDE PERFETTO MODULE android.startup.startups; SELECT * FROM android_startups
--- android-frames
INCLUDE PERFETTO MODULE android.frames.timeline; SELECT * FROM android_frames
--- android-binder
INCLUDE PERFETTO MODULE android.binder; SELECT count(*) AS n FROM android_binder_txns
--- android-anrs
INCLUDE PERFETTO MODULE android.anrs; SELECT * FROM android_anrs
--- android-battery
INCLUDE PERFETTO MODULE android.battery; SELECT * FROM android_battery_charge
--- android-lmk
INCLUDE PERFETTO MODULE android.memory.lmk; SELECT * FROM android_lmk_events
--- android-process-metadata
INCLUDE PERFETTO MODULE android.process_metadata; SELECT upid, pid, process_name, package_name FROM android_process_metadata ORDER BY upid LIMIT 40
--- android-garbage-collection
INCLUDE PERFETTO MODULE android.garbage_collection; SELECT count(*) AS n FROM android_garbage_collection_events
--- android-monitor-contention
INCLUDE PERFETTO MODULE android.monitor_contention; SELECT count(*) AS n FROM android_monitor_contention
--- android-network
INCLUDE PERFETTO MODULE android.network_packets; SELECT count(*) AS n FROM android_network_packets
--- android-heap-graph
SELECT count(*) AS objects, (SELECT count(*) FROM heap_graph_reference) AS refs FROM heap_graph_object
--- android-io
INCLUDE PERFETTO MODULE android.io; SELECT * FROM _android_io_f2fs_counter_stats
--- android-suspend
INCLUDE PERFETTO MODULE android.suspend; SELECT ts, dur, power_state FROM android_suspend_state ORDER BY ts
--- android-power-rails
INCLUDE PERFETTO MODULE android.power_rails; SELECT count(*) AS n FROM android_power_rails_counters
--- android-dvfs
INCLUDE PERFETTO MODULE android.dvfs; SELECT * FROM android_dvfs_counter_stats
