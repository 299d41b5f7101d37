"""Superset's configuration for Bigtrace. docs/deploy/superset.md lists the environment variables that it reads."""

import os
import re
from pathlib import Path

import bigtrace_cancel
import bigtrace_connection
import bigtrace_import
import bigtrace_sql
import redis
from cachelib.file import FileSystemCache
from cachelib.redis import RedisCache
from superset.errors import SupersetErrorType


def kept(variable: str, file: str) -> str:
    """A secret: given, in a file that is named, or made up by start.sh and kept in Superset's home."""
    if value := os.environ.get(variable):
        return value
    return Path(os.environ.get(f"{variable}_FILE") or HOME / file).read_text().strip()


HOME = Path(os.environ["SUPERSET_HOME"])
SECRET_KEY = kept("SUPERSET_SECRET_KEY", "secret-key")
SQLALCHEMY_DATABASE_URI = os.environ.get("SUPERSET_DATABASE_URI") or f"sqlite:///{HOME}/superset.db?timeout=30"
REDIS_URL = os.environ.get("SUPERSET_REDIS_URL")

# Each layer has a longer timeout than the layer below, so that the user sees the reason from the innermost one.
# ClickHouse ends the query first, and with it the work on the workers. start.sh sets gunicorn's timeout.
QUERY_SECONDS_MAX = int(os.environ.get("BIGTRACE_QUERY_SECONDS_MAX") or 3600)
SQLLAB_TIMEOUT = QUERY_SECONDS_MAX + 20
SQLLAB_ASYNC_TIME_LIMIT_SEC = QUERY_SECONDS_MAX + 20
SUPERSET_WEBSERVER_TIMEOUT = QUERY_SECONDS_MAX + 30

# Completes the connection "Bigtrace" of the assets: the metadata contains no password.
DB_CONNECTION_MUTATOR = bigtrace_connection.mutator(
    clickhouse=bigtrace_connection.clickhouse_from(os.environ),
    password=bigtrace_connection.password_from(os.environ),
    query_seconds_max=QUERY_SECONDS_MAX,
)
CUSTOM_DATABASE_ERRORS = {
    "Bigtrace": {
        # The message of TraceProcessor or Bigtrace, without the text that ClickHouse adds.
        re.compile(r"Executable generates stderr: (?P<said>.*?)(: While executing |\. \(UNSUPPORTED_METHOD\))", re.DOTALL): (
            "%(said)s",
            SupersetErrorType.GENERIC_DB_ENGINE_ERROR,
            {},
        ),
        re.compile(r"AUTHENTICATION_FAILED|Code: 516|Authentication failed"): (
            bigtrace_connection.WRONG_PASSWORD,
            SupersetErrorType.CONNECTION_ACCESS_DENIED_ERROR,
            {},
        ),
        re.compile(r"Connection refused|NewConnectionError|NameResolutionError|Name or service not known"): (
            bigtrace_connection.UNREACHABLE,
            SupersetErrorType.CONNECTION_HOST_DOWN_ERROR,
            {},
        ),
    }
}

# Functions for Jinja in datasets and SQL Lab. They quote their arguments.
FEATURE_FLAGS = {"ENABLE_TEMPLATE_PROCESSING": True}
JINJA_CONTEXT_ADDONS = {
    "sql_string": bigtrace_sql.sql_string,
    "sql_array": bigtrace_sql.sql_array,
    "chosen_traces": bigtrace_sql.chosen_traces,
    "trace_link": bigtrace_sql.link_maker(os.environ.get("BIGTRACE_PUBLIC_URL") or "http://127.0.0.1:5001"),
}


def FLASK_APP_MUTATOR(app):  # noqa: N802 (Superset's name)
    bigtrace_cancel.install()
    app.cli.add_command(bigtrace_import.import_bigtrace)


# Results are cached for the dataset's cache_timeout, or for a day.
def cache(prefix: str, seconds: int) -> dict[str, object]:
    where = (
        {"CACHE_TYPE": "RedisCache", "CACHE_REDIS_URL": REDIS_URL}
        if REDIS_URL
        else {"CACHE_TYPE": "FileSystemCache", "CACHE_DIR": str(HOME / "cache" / prefix), "CACHE_THRESHOLD": 2000}
    )
    return {**where, "CACHE_KEY_PREFIX": f"{prefix}-", "CACHE_DEFAULT_TIMEOUT": seconds}


CACHE_CONFIG = cache("metadata", 3600)
DATA_CACHE_CONFIG = cache("data", 86400)
FILTER_STATE_CACHE_CONFIG = cache("filters", 90 * 86400)
EXPLORE_FORM_DATA_CACHE_CONFIG = cache("explore", 7 * 86400)

# Background queries (Celery), if there is a Redis.
if REDIS_URL:

    class CeleryConfig:
        broker_url = REDIS_URL
        result_backend = REDIS_URL
        imports = ("superset.sql_lab", "superset.tasks.scheduler")
        worker_prefetch_multiplier = 1
        task_acks_late = True

    CELERY_CONFIG = CeleryConfig
    RESULTS_BACKEND = RedisCache(redis.Redis.from_url(REDIS_URL), key_prefix="sql-lab-")
else:
    CELERY_CONFIG = None
    RESULTS_BACKEND = FileSystemCache(str(HOME / "cache" / "sql-lab"))

# A rate limit needs storage that all processes share.
RATELIMIT_STORAGE_URI = REDIS_URL or "memory://"
