"""Cancels a query from another thread, in every phase."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from bigtrace.errors import BigtraceError

_PAUSE_SECONDS_MAX = 5.0


def retry_seconds(error: BigtraceError, attempt: int, retries: int) -> float | None:
    """Returns the pause before the next attempt; None: no further attempt. `attempt` counts from 0."""
    if not error.retryable or attempt >= retries:
        return None
    return min(_PAUSE_SECONDS_MAX, 0.2 * 2.0**attempt) * random.uniform(0.5, 1.0)  # noqa: S311


class Cancellation:
    """Cancels the gRPC calls of one query: the running one, and each that begins later."""

    def __init__(self) -> None:
        self._cancelled = threading.Event()
        self._call: Any = None

    def cancel(self) -> None:
        """Cancels the query. Any thread may call it, repeatedly."""
        self._cancelled.set()
        call = self._call
        if call is not None:
            call.cancel()

    @contextmanager
    def of(self, call: Any) -> Iterator[None]:
        """Within the block, `cancel` ends this call."""
        self._call = call
        if self._cancelled.is_set():
            call.cancel()
        try:
            yield
        finally:
            self._call = None

    def pause(self, error: BigtraceError, attempt: int, retries: int) -> None:
        """Waits before the next attempt.

        Raises:
            BigtraceError: `error`, where it is not asked again, or has been cancelled.
        """
        seconds = retry_seconds(error, attempt, retries)
        if seconds is None or self._cancelled.wait(seconds):
            raise error
