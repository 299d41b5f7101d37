"""Before Superset starts: does ClickHouse take the password? Waits for it to come up, but not for ever."""

import os
import sys
import time
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from bigtrace_connection import UNREACHABLE, USER, WRONG_PASSWORD, clickhouse_from, password_from

WAIT_SECONDS_MAX = 120


def complaint(clickhouse: str, password: str, wait_seconds_max: float = WAIT_SECONDS_MAX) -> str | None:
    """What is wrong, in words that say what to do."""
    headers = {"X-ClickHouse-User": USER, "X-ClickHouse-Key": password}
    give_up = time.monotonic() + wait_seconds_max
    while True:
        try:
            with urlopen(Request(f"{clickhouse}/?query=SELECT%201", headers=headers), timeout=10):
                return None
        except HTTPError as error:
            text = error.read().decode(errors="replace").strip()
            if "AUTHENTICATION_FAILED" in text:
                return WRONG_PASSWORD
            why = f"{clickhouse} answers {error.code}: {text[:500]}"
        except (URLError, OSError) as error:
            why = f"{clickhouse}: {error}"
        if time.monotonic() > give_up:
            return f"{UNREACHABLE} {why}"
        time.sleep(1)


if __name__ == "__main__":
    try:
        said = complaint(clickhouse_from(os.environ), password_from(os.environ))
    except ValueError as error:
        said = str(error)
    if said is not None:
        sys.exit(f"superset: {said}")
