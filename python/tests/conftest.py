"""One system for all tests, over the corpus."""

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent.parent)]

import services

import rooms
from bigtrace import Bigtrace


@pytest.fixture(autouse=True, scope="session")
def _no_environment() -> None:
    """Removes the environment variables that name an orchestrator."""
    for name in [name for name in os.environ if name.startswith("BIGTRACE_")]:
        del os.environ[name]


@pytest.fixture(scope="session")
def worker() -> Iterator[services.Service]:
    """A client over the corpus."""
    services.assemble_corpus()
    service = services.start("worker", "--port", "0", "--traces", str(rooms.CORPUS))
    yield service
    service.stop()


@pytest.fixture(scope="session")
def system(worker: services.Service) -> Iterator[services.Service]:
    """An orchestrator with one worker, over the corpus."""
    service = services.start("orchestrator", "--port", "0", "--workers", worker.address)
    yield service
    service.stop()


@pytest.fixture(scope="session")
def samples() -> Iterator[services.Service]:
    """A whole system over the samples, as `npm start` starts it, with ClickHouse and a filled catalog."""
    service = services.start_up(rooms.SAMPLES)
    ready = service.ready
    flags = ["--orchestrator", service.address, "--clickhouse", ready["clickhouseHttp"]]
    services.run("index", *flags, "--password-file", ready["passwordFiles"]["admin"], "/local/**")
    yield service
    service.stop()


@pytest.fixture
def client(system: services.Service) -> Iterator[Bigtrace]:
    with Bigtrace(system.address) as bigtrace:
        yield bigtrace


class Report:
    """The outcome of each test in the form of vitest's JSON reporter."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._tests: dict[str, dict[str, object]] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        worst = self._tests.get(report.nodeid, {}).get("status", "passed")
        status = report.outcome if report.outcome != "passed" else worst
        messages = [report.longreprtext[-2000:]] if report.failed else []
        self._tests[report.nodeid] = {"fullName": report.nodeid, "status": status, "failureMessages": messages}

    def pytest_sessionfinish(self, exitstatus: int) -> None:
        file = {
            "name": str(rooms.PYTHON / "tests"),
            "status": "passed" if exitstatus == 0 else "failed",
            "message": f"pytest ended with {exitstatus}",
            "assertionResults": list(self._tests.values()),
        }
        self._path.write_text(json.dumps({"testResults": [file]}))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--gate-report", type=Path, help="JSON file for tools/test-run/test-counts.mjs")


def pytest_configure(config: pytest.Config) -> None:
    path = config.getoption("--gate-report")
    if path is not None:
        config.pluginmanager.register(Report(path))
