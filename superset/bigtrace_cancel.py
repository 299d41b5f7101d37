"""
SQL Lab's Stop ends the query in ClickHouse, and so the work on the workers. Superset knows no way to cancel
a query of ClickHouse by itself; and KILL QUERY needs to read system.processes, which an analyst may not.
But a query with the id of one that runs, of the same user, takes its place when it says so.
"""

from typing import Any
from uuid import uuid4

WAIT_MS_MAX = 20_000


def get_cancel_query_id(cls: type, cursor: Any, query: Any) -> str:
    """Called before the statements of `query` run on `cursor`, one after the other: they share an id."""
    query_id = f"superset-{query.client_id}-{uuid4()}"
    cursor.client.set_client_setting("query_id", query_id)
    # The statement before may not be quite gone yet.
    cursor.client.set_client_setting("replace_running_query", 1)
    return query_id


def cancel_query(cls: type, cursor: Any, query: Any, cancel_query_id: str) -> bool:
    settings = {
        "query_id": cancel_query_id,
        "replace_running_query": 1,
        "replace_running_query_max_wait_ms": WAIT_MS_MAX,
    }
    cursor.execute("SELECT 1", settings=settings)
    return True


def install() -> None:
    from superset.db_engine_specs.clickhouse import ClickHouseConnectEngineSpec

    ClickHouseConnectEngineSpec.get_cancel_query_id = classmethod(get_cancel_query_id)
    ClickHouseConnectEngineSpec.cancel_query = classmethod(cancel_query)
