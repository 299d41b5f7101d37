"""`superset import-bigtrace DIR`: the assets as they are in DIR, whatever was there under the same UUIDs."""

import os
from collections.abc import Mapping
from pathlib import Path

import click
from flask.cli import with_appcontext

DATABASE = "databases/bigtrace.yaml"


def assets_of(directory: Path, environment: Mapping[str, str]) -> dict[str, str]:
    """The files by their names, and in them what the environment says."""
    assets = {path.relative_to(directory).as_posix(): path.read_text() for path in sorted(directory.rglob("*.yaml"))}
    if environment.get("SUPERSET_ASYNC_QUERIES") == "true":
        assets[DATABASE] = assets[DATABASE].replace("allow_run_async: false", "allow_run_async: true")
    return assets


@click.command("import-bigtrace")
@with_appcontext
@click.argument("directory", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--username", required=True, help="Who owns the assets")
def import_bigtrace(directory: Path, username: str) -> None:
    """Import databases, datasets, charts, dashboards and saved queries"""
    from superset import security_manager
    from superset.commands.importers.v1.assets import ImportAssetsCommand
    from superset.utils.core import override_user

    contents = assets_of(directory, os.environ)
    with override_user(security_manager.find_user(username=username)):
        ImportAssetsCommand(contents).run()
    click.echo(f"{len(contents) - 1} assets imported")
