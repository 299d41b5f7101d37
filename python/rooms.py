"""Paths to other rooms of the repository: the only place in python/ that names them."""

from pathlib import Path

PYTHON = Path(__file__).resolve().parent
ROOT = PYTHON.parent

#: The protocol buffers of the orchestrator.
PROTO_FILES = [ROOT / "lib" / "proto" / "bigtrace.proto", ROOT / "lib" / "proto" / "perfetto.proto"]
#: The catalogue of error codes.
ERROR_CODES = ROOT / "lib" / "common" / "errors.ts"
#: The `bigtrace` command.
COMMAND = ROOT / "cli" / "bigtrace.mjs"
#: Traces with known results, the module that assembles them, and the results.
CORPUS = ROOT / "vendor" / "corpus"
ASSEMBLE_CORPUS = ROOT / "test" / "corpus" / "assemble.ts"
EXPECTED = ROOT / "test" / "corpus" / "expected"
SAMPLES = ROOT / "samples" / "traces"
#: The tests run the examples of these documents.
GUIDE = ROOT / "docs" / "clients" / "python.md"
NOTEBOOK = ROOT / "docs" / "notebooks" / "bigtrace.ipynb"
#: Directory for what the gate installs.
CACHE = ROOT / "node_modules" / ".cache"
