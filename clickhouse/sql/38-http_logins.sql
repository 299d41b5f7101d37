-- The logins of browsers at the HTTP API (http-api/login/logins.ts). A cookie is signed, so an id is no secret.
CREATE TABLE IF NOT EXISTS bigtrace.http_logins
(
    id String,
    name String COMMENT 'as its user gave it',
    began DateTime64(3, 'UTC'),
    expires DateTime64(3, 'UTC'),
    ended UInt8 COMMENT '1: its user has logged out'
)
ENGINE = ReplacingMergeTree(ended)
ORDER BY id
TTL toDateTime(expires) + INTERVAL 1 DAY
