"""`superset import-bigtrace DIR`: the assets as they are in DIR, whatever was there under the same UUIDs."""

import os
from pathlib import Path

import click
from flask.cli import with_appcontext


@click.command("import-bigtrace")
@with_appcontext
@click.argument("directory", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--username", required=True, help="Who owns the assets")
def import_bigtrace(directory: Path, username: str) -> None:
    """Import databases, datasets, charts, dashboards and saved queries"""
    from superset import security_manager
    from superset.commands.importers.v1.assets import ImportAssetsCommand
    from superset.utils.core import override_user

    contents = {path.relative_to(directory).as_posix(): path.read_text() for path in sorted(directory.rglob("*.yaml"))}
    if os.environ.get("SUPERSET_ASYNC_QUERIES") == "true":
        database = "databases/bigtrace.yaml"
        contents[database] = contents[database].replace("allow_run_async: false", "allow_run_async: true")
    with override_user(security_manager.find_user(username=username)):
        ImportAssetsCommand(contents).run()
    click.echo(f"{len(contents) - 1} assets imported")
