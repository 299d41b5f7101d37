-- One table per query sent over HTTP, with its rows (http-api/).
CREATE DATABASE IF NOT EXISTS bigtrace_results
