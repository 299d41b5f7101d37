"""The cell magic, and the notebook of the documentation in a real Jupyter kernel."""

from __future__ import annotations

import os
from typing import Any

import nbformat
import pytest
import services
from nbclient import NotebookClient

import bigtrace
import rooms
from bigtrace.magic import run_cell


def is_bar(output: Any) -> bool:
    """Matches a progress bar, whose times differ from run to run."""
    return output["output_type"] == "stream" and output["name"] == "stderr" and output["text"].startswith(("\r", "\n"))


def texts(cell: Any) -> list[str]:
    """Returns what a cell shows, as text, without progress bars."""
    return [
        output["text"] if output["output_type"] == "stream" else output["data"]["text/plain"]
        for output in cell.get("outputs", [])
        if not is_bar(output)
    ]


def test_the_notebook_shows_what_it_says(samples: services.Service, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("BIGTRACE_ORCHESTRATOR", samples.address)
    notebook = nbformat.read(rooms.NOTEBOOK, as_version=4)
    written = [texts(cell) for cell in notebook.cells]
    NotebookClient(notebook, timeout=300, kernel_name="python3").execute()
    if os.environ.get("WRITE_NOTEBOOK") == "1":
        for cell in notebook.cells:
            cell.metadata.clear()
            if "outputs" in cell:
                cell.outputs = [output for output in cell.outputs if not is_bar(output)]
        nbformat.write(notebook, rooms.NOTEBOOK)
        return
    assert any(written), "the notebook has no outputs"
    assert [texts(cell) for cell in notebook.cells] == written


def test_a_cell_gives_a_frame_or_a_variable(samples: services.Service):
    here = f"--orchestrator {samples.address}"
    namespace: dict[str, Any] = {}
    frame = run_cell(f"{here} /local/linux/idle.pftrace", "SELECT 1 AS x", namespace)
    assert frame["x"].tolist() == [1]
    assert run_cell(f"{here} --out rows --where 'size > 0'", "SELECT 1 AS x", namespace) is None
    assert len(namespace["rows"]) == 12
    with pytest.warns(bigtrace.FailedTracesWarning):
        run_cell(f"{here} --lenient /local/missing /local/linux/idle.pftrace", "SELECT 1 AS x", namespace)


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("--nope /local/a", "unrecognized arguments: --nope"),
        ("--out 1x /local/a", "not a valid variable name"),
        ("'unclosed", "No closing quotation"),
        ("", "Trace list cannot be empty"),
    ],
)
def test_arguments_of_a_cell_that_are_wrong_are_named(line: str, what: str):
    with pytest.raises(bigtrace.InvalidArgumentError, match=what):
        run_cell(line, "SELECT 1", {})
