"""The generated messages are current, and do not conflict with other packages."""

import re
import subprocess
import sys

import pytest

import generate
import rooms
from bigtrace.errors import RETRYABLE_CODES

OTHER = """
from google.protobuf import descriptor_pb2, descriptor_pool
described = descriptor_pb2.FileDescriptorProto(name="{name}", package="perfetto.protos", syntax="proto3")
message = described.message_type.add(name="BigtraceQueryArgs")
message.field.add(name="traces", number=1, type=9, label=3)
descriptor_pool.Default().Add(described)
"""


def test_generated_files_are_current():
    for name, text in generate.generated().items():
        assert (generate.TARGET / name).read_text() == text, f"{name} is not current: python generate.py"


@pytest.mark.parametrize("first", ["bigtrace", "other"])
@pytest.mark.parametrize("name", ["perfetto.proto", "protos/perfetto/bigtrace/orchestrator.proto"])
def test_messages_of_the_same_names_can_be_registered_beside_ours(first: str, name: str):
    other = OTHER.format(name=name)
    parts = ["import bigtrace\n", other] if first == "bigtrace" else [other, "import bigtrace\n"]
    subprocess.run([sys.executable, "-c", "".join(parts)], check=True)


def test_retryable_codes_are_codes_of_the_orchestrator():
    text = rooms.ERROR_CODES.read_text()
    codes = re.findall(r"^  (\w+): \{ kind: '\w+', grpcStatus: (\w+), retryable", text, re.MULTILINE)
    assert set(dict(codes)) >= RETRYABLE_CODES
    unavailable = {code for code, status in codes if status == "UNAVAILABLE"}
    assert unavailable | {"too_many_queries"} == RETRYABLE_CODES
