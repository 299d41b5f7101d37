-- The rows of queries that came over HTTP, a table each (backend/).
CREATE DATABASE IF NOT EXISTS bigtrace_results
