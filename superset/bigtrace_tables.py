"""Each view once in SQL Lab's tree: for the driver, views are tables as well, and Superset lists both."""

from typing import Any


def install() -> None:
    from superset.db_engine_specs.clickhouse import ClickHouseConnectEngineSpec

    every = ClickHouseConnectEngineSpec.get_table_names.__func__

    def get_table_names(cls: type, database: Any, inspector: Any, schema: str | None) -> set[str]:
        return every(cls, database, inspector, schema) - cls.get_view_names(database, inspector, schema)

    ClickHouseConnectEngineSpec.get_table_names = classmethod(get_table_names)
