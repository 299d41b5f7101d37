DROP VIEW IF EXISTS bigtrace.given_up
