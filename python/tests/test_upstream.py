"""Perfetto's own Python API: its last release works with our orchestrator, and code that uses it with our package."""

import inspect
import json
import os
import subprocess
import sys
import tarfile
import time
from pathlib import Path

import pytest
import services
from encoding import result

import bigtrace
import rooms
from bigtrace.decode import Decoder

CHROME, LINUX = "/local/recorded/chrome/fetch-a.pftrace", "/local/recorded/linux/atrace-print.pftrace"

#: Perfetto's test of its API, in short: only the import differs.
CALLER = """
import json, sys
from {module} import Bigtrace
bigtrace = Bigtrace(sys.argv[1], wait_for_ready_for_testing=True)
result = bigtrace.query([sys.argv[2], sys.argv[3]],
                        "SELECT count(*) AS cnt, min(ts) AS first, 'x' AS t, NULL AS n FROM slice")
result = result.sort_values("_trace_address").reset_index(drop=True)
texts = []
try:
    bigtrace.query([], "SELECT 1")
except Exception as error:
    texts.append(str(error))
try:
    bigtrace.query([sys.argv[2]], "")
except Exception as error:
    texts.append(str(error))
{more}
print(json.dumps([list(result.columns), result.astype(object).where(result.notnull(), None).values.tolist(), texts]))
"""


@pytest.fixture(scope="module")
def upstream() -> Path:
    """The source of perfetto 0.8.0, the last release that has perfetto.bigtrace."""
    folder = rooms.CACHE / "python-client"
    (archive,) = folder.glob("perfetto-0.8.0.tar.gz")
    with tarfile.open(archive) as tar:
        tar.extractall(folder, filter="data")
    return folder / "perfetto-0.8.0"


def call(module: str, upstream: Path, address: str, more: str = "") -> list[object]:
    command = [sys.executable, "-c", CALLER.format(module=module, more=more), address, CHROME, LINUX]
    environ = os.environ | {"PYTHONPATH": os.pathsep.join([str(upstream), os.environ.get("PYTHONPATH", "")])}
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environ)
    return list(json.loads(done.stdout))


def test_the_last_release_and_our_client_give_the_same(system: services.Service, upstream: Path):
    theirs = call("perfetto.bigtrace.api", upstream, system.address)
    assert theirs[0] == ["_trace_address", "cnt", "first", "t", "n"]
    assert [row[:2] for row in theirs[1]] == [[CHROME, 8528], [LINUX, 2795]]  # type: ignore[attr-defined]
    assert theirs[2] == ["Trace list cannot be empty", "SQL query cannot be empty"]
    assert call("bigtrace", upstream, system.address) == theirs
    for first, second in (("perfetto.bigtrace.api", "bigtrace"), ("bigtrace", "perfetto.bigtrace.api")):
        assert call(first, upstream, system.address, f"import {second}") == theirs


def test_the_constructor_and_query_have_upstreams_parameters():
    def positional(function: object) -> list[str]:
        parameters = inspect.signature(function).parameters.values()  # type: ignore[arg-type]
        return [one.name for one in parameters if one.kind is one.POSITIONAL_OR_KEYWORD]

    assert positional(bigtrace.Bigtrace.__init__) == ["self", "orchestrator_address", "wait_for_ready_for_testing"]
    assert positional(bigtrace.Bigtrace.query) == ["self", "traces", "sql_query"]
    wanted = ["self", "traces", "config", "observer"]
    assert positional(bigtrace.BatchTraceProcessor.__init__) == wanted


NAIVE = """
import sys, time
from perfetto.bigtrace.protos.perfetto.trace_processor.trace_processor_pb2 import QueryResult
from perfetto.common.query_result_iterator import QueryResultIterator
encoded = sys.stdin.buffer.read()
began = time.perf_counter()
result = QueryResult.FromString(encoded)
frame = QueryResultIterator(result.column_names, result.batch).as_pandas_dataframe()
print(len(frame), time.perf_counter() - began)
"""


def test_decoding_beats_upstreams_row_by_row_decoder(upstream: Path):
    rows = 100_000
    cells = [cell for n in range(rows) for cell in (n * 1_000_003, n * 0.5, f"name {n}", None if n % 3 else n)]
    encoded = result(["a", "b", "c", "d"], cells)
    environ = os.environ | {"PYTHONPATH": str(upstream)}
    command = [sys.executable, "-c", NAIVE]
    done = subprocess.run(command, check=True, input=encoded, stdout=subprocess.PIPE, env=environ)
    count, theirs = done.stdout.split()
    assert int(count) == rows
    began = time.perf_counter()
    decoder = Decoder()
    decoder.add(b"/local/a", encoded, last=True)
    outcome = bigtrace.Result("", decoder.take(), bigtrace.columns.Typing({}))
    assert len(outcome.to_pandas()) == rows
    ours = time.perf_counter() - began
    print(f"{rows / ours:.0f} rows/s, row by row {rows / float(theirs):.0f} rows/s")
    assert ours * 2 < float(theirs)
