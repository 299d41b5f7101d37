-- One table per query sent over HTTP, with its rows (backend/).
CREATE DATABASE IF NOT EXISTS bigtrace_results
