"""Where ClickHouse is, and the password of its user analyst: given to each connection, kept nowhere."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy.engine.url import URL

# As in assets/databases/bigtrace.yaml.
USER, HOST = "analyst", "clickhouse"

WRONG_PASSWORD = (
    f"ClickHouse refuses the password of its user {USER}. Put the right one into BIGTRACE_ANALYST_PASSWORD "
    "of Superset, and start Superset again; or into the file that BIGTRACE_ANALYST_PASSWORD_FILE names."
)
UNREACHABLE = (
    "ClickHouse cannot be reached. Is it up, and is BIGTRACE_CLICKHOUSE of Superset the address of its HTTP port?"
)


def clickhouse_from(environment: Mapping[str, str]) -> str:
    """Without a slash at its end."""
    return (environment.get("BIGTRACE_CLICKHOUSE") or "http://clickhouse:8123").rstrip("/")


def password_from(environment: Mapping[str, str]) -> str:
    if password := environment.get("BIGTRACE_ANALYST_PASSWORD"):
        return password
    if file := environment.get("BIGTRACE_ANALYST_PASSWORD_FILE"):
        return Path(file).read_text().strip()
    raise ValueError(
        "BIGTRACE_ANALYST_PASSWORD is not set: Superset needs the password of ClickHouse's user analyst "
        "(or BIGTRACE_ANALYST_PASSWORD_FILE, a file that holds it)"
    )


def mutator(
    clickhouse: str, password: Callable[[], str], query_seconds_max: int
) -> Callable[..., tuple[URL, dict[str, Any]]]:
    """A DB_CONNECTION_MUTATOR that completes the connection "Bigtrace" and leaves all others as they are.

    The password is read for each connection: its file may have been replaced.
    """
    address = urlsplit(clickhouse)
    secure = address.scheme == "https"
    if address.scheme not in ("http", "https") or address.hostname is None:
        raise ValueError(f"BIGTRACE_CLICKHOUSE is {clickhouse!r}, not an address like http://clickhouse:8123")
    port = address.port or (8443 if secure else 8123)

    def complete(uri: URL, params: dict[str, Any], *_: Any) -> tuple[URL, dict[str, Any]]:
        if not uri.drivername.startswith("clickhousedb") or (uri.username, uri.host) != (USER, HOST):
            return uri, params
        options = {
            "connect_timeout": 10,
            "send_receive_timeout": query_seconds_max + 10,
            "secure": secure,
            "max_execution_time": query_seconds_max,
            # Queries of one connection do not wait for each other.
            "autogenerate_session_id": False,
        }
        completed = uri.set(host=address.hostname, port=port, password=password())
        return completed, {**params, "connect_args": {**params.get("connect_args", {}), **options}}

    return complete
