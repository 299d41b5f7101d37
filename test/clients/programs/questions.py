"""What every Python client of the matrix asks: the questions of ../questions.ts, handed over as JSON in QUESTIONS."""

import json
import os
import threading
import time
from collections.abc import Callable

ASK = json.loads(os.environ["QUESTIONS"])
HOST, HTTP_PORT, TCP_PORT = "127.0.0.1", int(os.environ["HTTP_PORT"]), int(os.environ["TCP_PORT"])
USER, PASSWORD = "analyst", os.environ["PASSWORD"]


def plain(value: object) -> object:
    """Bytes in hex, integers as text: what JSON cannot hold."""
    if isinstance(value, bytes):
        return value.hex()
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def report(**answers: object) -> None:
    print(json.dumps(answers))


def error_of(call: Callable[[], object]) -> str:
    try:
        call()
    except Exception as error:  # noqa: BLE001 (each client has its own)
        return str(error)
    return "no error"


def cancelled(ask: Callable[[], object], progress: Callable[[], int], cancel: Callable[[], object]) -> str:
    """Runs `ask` until the orchestrator knows its query, cancels it, and waits until the orchestrator has forgotten it."""
    said: list[str] = []
    asking = threading.Thread(target=lambda: said.append(error_of(ask)))
    asking.start()
    while progress() == 0:
        time.sleep(0.1)
    cancel()
    asking.join()
    while progress() > 0:
        time.sleep(0.1)
    return said[0]
