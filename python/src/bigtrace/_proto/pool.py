"""A descriptor pool of our own, so that no other package's messages of the same names are in the way."""

import base64
from typing import Any

from google.protobuf import descriptor_pb2, message_factory
from google.protobuf.descriptor_pool import DescriptorPool

_POOL = DescriptorPool()


def load(encoded: str) -> dict[str, Any]:
    """The message classes of one encoded FileDescriptorProto (base64), by their names."""
    described = descriptor_pb2.FileDescriptorProto.FromString(base64.b64decode(encoded))
    _POOL.Add(described)
    return {
        message.name: message_factory.GetMessageClass(
            _POOL.FindMessageTypeByName(f"{described.package}.{message.name}")
        )
        for message in described.message_type
    }
