"""The wheel: pure Python, typed, and enough for an empty environment."""

import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest
import services

import rooms

QUERY = """
import sys
import bigtrace
with bigtrace.Bigtrace(sys.argv[1]) as client:
    frame = client.query(["/local/recorded/chrome/fetch-a.pftrace"], "SELECT count(*) AS n FROM slice")
assert frame["n"].tolist() == [8528], frame
assert sys.prefix in bigtrace.__file__, bigtrace.__file__
print("works")
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(rooms.PYTHON)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    (built,) = folder.glob("*.whl")
    return built


def test_the_wheel_is_pure_and_typed(wheel: Path):
    assert wheel.name.endswith("-py3-none-any.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    assert {"bigtrace/py.typed", "bigtrace/_proto/bigtrace_pb2.pyi", "bigtrace/_proto/bigtrace_pb2.py"} <= names
    assert {name.split("/")[0] for name in names if ".dist-info/" not in name} == {"bigtrace"}


def test_the_wheel_works_in_an_empty_environment(wheel: Path, system: services.Service, tmp_path: Path):
    venv.create(tmp_path / "venv", with_pip=True)
    python = tmp_path / "venv" / "bin" / "python"
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    # The versions with which the other tests run.
    freeze = [sys.executable, "-m", "pip", "freeze", "--exclude", "bigtrace"]
    constraint = tmp_path / "constraint.txt"
    constraint.write_bytes(subprocess.run(freeze, check=True, stdout=subprocess.PIPE).stdout)
    install = [str(python), "-m", "pip", "install", "--quiet", "--no-compile", "--constraint", str(constraint)]
    subprocess.run([*install, str(wheel)], check=True, env=environ)
    out = subprocess.run([str(python), "-c", QUERY, system.address], check=True, stdout=subprocess.PIPE, env=environ)
    assert out.stdout == b"works\n"
