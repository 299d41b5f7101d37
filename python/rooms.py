"""Paths to other rooms of the repository: the only place in python/ that names them."""

from pathlib import Path

PYTHON = Path(__file__).resolve().parent
ROOT = PYTHON.parent

#: The protocol buffers of the orchestrator, in one folder each.
PROTO_FILES = [ROOT / "proto" / "bigtrace.proto", ROOT / "proto" / "perfetto.proto"]
#: The catalogue of error codes.
ERROR_CODES = ROOT / "common" / "errors.ts"
#: The `bigtrace` command.
COMMAND = ROOT / "cli" / "bigtrace.mjs"
#: Traces with known answers, and the answers.
CORPUS = ROOT / "vendor" / "corpus"
EXPECTED = ROOT / "test" / "corpus" / "expected"
SAMPLES = ROOT / "samples" / "traces"
#: What the documentation shows is run by the tests.
GUIDE = ROOT / "docs" / "clients" / "python.md"
NOTEBOOKS = ROOT / "docs" / "notebooks"
LICENSE = ROOT / "LICENSE"
#: Where the gate's virtual environments are.
CACHE = ROOT / "node_modules" / ".cache"
