"""Real services for tests, as processes on free ports."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import rooms

_START_SECONDS_MAX = 180
_STOP_SECONDS_MAX = 60


@dataclass
class Service:
    """A process of the `bigtrace` command, and the object that it printed when it was ready."""

    process: subprocess.Popen[str]
    ready: dict[str, Any]
    log: Path
    folders: list[Path] = field(default_factory=list)

    @property
    def address(self) -> str:
        return str(self.ready.get("orchestrator") or self.ready["address"])

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(_STOP_SECONDS_MAX)
            except subprocess.TimeoutExpired:
                self.process.kill()
                raise AssertionError(f"it did not stop: {self.log.read_text()}") from None
        assert self.process.stdout is not None
        self.process.stdout.close()
        for folder in self.folders:
            shutil.rmtree(folder)


def start(*args: str, folders: list[Path] | None = None) -> Service:
    """Starts `bigtrace ARGS --json`; returns when it is ready."""
    folder = Path(tempfile.mkdtemp(prefix="bigtrace-python-"))
    log = folder / "stderr"
    with log.open("w") as stderr:
        process = subprocess.Popen(
            ["node", str(rooms.COMMAND), *args, "--json"],
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            env={name: value for name, value in os.environ.items() if not name.startswith("BIGTRACE_")},
        )
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        process.kill()
        raise AssertionError(f"bigtrace {' '.join(args)} did not start: {log.read_text()}")
    return Service(process, json.loads(line), log, [folder, *(folders or [])])


def start_up(traces: Path, *flags: str) -> Service:
    """Starts a whole system: ClickHouse, an orchestrator and workers."""
    data = Path(tempfile.mkdtemp(prefix="bigtrace-python-data-"))
    ports = ("clickhouse-http", "clickhouse-tcp", "orchestrator", "http", "worker")
    args = [arg for name in ports for arg in (f"--{name}-port", "0")]
    arguments = ["--data-dir", str(data), "--traces", str(traces), *args, *flags]
    return start("up", *arguments, folders=[data])


def run(*args: str) -> str:
    """Runs `bigtrace ARGS` to its end, and returns its output."""
    done = subprocess.run(["node", str(rooms.COMMAND), *args], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def assemble_corpus() -> None:
    """Assembles the corpus, unless it exists."""
    script = (
        "const { runnerImport } = await import('vite');"
        "const { module } = await runnerImport(process.argv[1], { configFile: false, logLevel: 'error' });"
        "await module.default();"
    )
    command = ["node", "--input-type=module", "-e", script, str(rooms.ASSEMBLE_CORPUS)]
    subprocess.run(command, cwd=rooms.ROOT, check=True)
