"""Progress of a query, and a progress bar on a terminal or in a notebook."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Union

from bigtrace._proto import bigtrace_pb2


@dataclass(frozen=True)
class Progress:
    """The progress of a query.

    Attributes:
        traces_total: traces known so far; it grows until `total_is_final`.
        total_is_final: all patterns have been expanded.
        traces_done: traces that succeeded.
        traces_failed: traces that failed.
        rows: rows of the result so far.
        result_bytes: bytes of the result so far.
        trace_bytes: bytes that workers read from stores.
        elapsed_ms: time since the query began, in milliseconds.
        core_ms: time of engine threads for the traces that are done, in milliseconds.
        traces_remembered: traces done from a cached result.
        traces_loaded: traces done in an engine that had them loaded.
        traces_restored: traces done from a snapshot.
        traces_parsed: traces done by parsing them.
    """

    traces_total: int
    total_is_final: bool
    traces_done: int
    traces_failed: int
    rows: int
    result_bytes: int
    trace_bytes: int
    elapsed_ms: int
    core_ms: int
    traces_remembered: int
    traces_loaded: int
    traces_restored: int
    traces_parsed: int


#: True: a bar; False: none; None: a bar on a terminal and in a notebook; or a function that receives each progress.
ProgressOption = Union[bool, None, Callable[[Progress], None]]


def progress_of(message: bigtrace_pb2.Progress) -> Progress:
    names = Progress.__dataclass_fields__
    return Progress(**{name: getattr(message, name) for name in names})


class Reporter:
    """Calls a function, or draws a bar, or does nothing."""

    def __init__(self, option: ProgressOption) -> None:
        self._callback = option if callable(option) else None
        self._bar = _bar() if self._callback is None and _wants_bar(option) else None

    @property
    def wanted(self) -> bool:
        return self._callback is not None or self._bar is not None

    def update(self, progress: Progress) -> None:
        if self._callback is not None:
            self._callback(progress)
        if self._bar is not None:
            self._bar.total = progress.traces_total
            self._bar.set_postfix(
                rows=progress.rows,
                failed=progress.traces_failed,
                core_s=round(progress.core_ms / 1000, 1),
                refresh=False,
            )
            self._bar.n = progress.traces_done + progress.traces_failed
            self._bar.refresh()

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()


def _wants_bar(option: ProgressOption) -> bool:
    if option is not None:
        return bool(option)
    return _has_tqdm() and (_in_notebook() or sys.stderr.isatty())


def _has_tqdm() -> bool:
    try:
        import tqdm  # noqa: F401
    except ImportError:
        return False
    return True


def _in_notebook() -> bool:
    ipython = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    return shell is not None and type(shell).__name__ == "ZMQInteractiveShell"


def _bar() -> Any:
    """Raises: ImportError: tqdm is not installed."""
    if _in_notebook():
        try:
            import ipywidgets  # noqa: F401
            from tqdm.notebook import tqdm
        except ImportError:
            from tqdm import tqdm
    else:
        from tqdm import tqdm
    return tqdm(unit=" traces", desc="bigtrace")
