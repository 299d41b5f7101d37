"""Superset's own commands, one after the other in one process: each would take seconds to start."""

import os
from pathlib import Path

from flask.cli import ScriptInfo
from superset.app import create_app
from superset.cli.main import superset

ASSETS = Path(__file__).parent / "assets"

if __name__ == "__main__":
    info = ScriptInfo(create_app=create_app)
    for command in (
        ["db", "upgrade"],
        # Says that the user exists from the second start on, and leaves the password as it is.
        [
            *("fab", "create-admin", "--username", "admin", "--firstname", "Bigtrace", "--lastname", "Admin"),
            *("--email", "admin@localhost", "--password", os.environ["SUPERSET_ADMIN_PASSWORD"]),
        ],
        ["init"],
        ["import-bigtrace", str(ASSETS), "--username", "admin"],
    ):
        superset.main(command, obj=info, standalone_mode=False)
