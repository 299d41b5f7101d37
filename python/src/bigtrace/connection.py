"""Settings of the connection to the orchestrator: address, TLS, token."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import grpc

from bigtrace.errors import InvalidArgumentError

#: C++'s INT_MAX: the largest message that gRPC allows.
_MESSAGE_BYTES_MAX = 2**31 - 1

_OPTIONS: list[tuple[str, int | str]] = [
    ("grpc.max_receive_message_length", _MESSAGE_BYTES_MAX),
    ("grpc.max_send_message_length", _MESSAGE_BYTES_MAX),
    # Pings detect an orchestrator that hangs, and a network that drops all packets.
    ("grpc.keepalive_time_ms", 10_000),
    ("grpc.keepalive_timeout_ms", 5_000),
    ("grpc.http2.max_pings_without_data", 0),
    # This package retries: gRPC's own retries would repeat a query without resetting its progress.
    ("grpc.enable_retries", 0),
    # A trailer holds up to 4 KB of error text, encoded.
    ("grpc.max_metadata_size", 64 * 1024),
]


@dataclass(frozen=True)
class TLS:
    """TLS to the orchestrator. Every field except `name` is the path of a PEM file.

    Attributes:
        ca: certificates of the authority that signed the orchestrator's; None: those of the system.
        cert: certificate to show to the orchestrator (mTLS); needs `key`.
        key: private key of `cert`.
        name: name in the orchestrator's certificate, where that is not the name in its address.
    """

    ca: str | os.PathLike[str] | None = None
    cert: str | os.PathLike[str] | None = None
    key: str | os.PathLike[str] | None = None
    name: str | None = None

    def __post_init__(self) -> None:
        if (self.cert is None) != (self.key is None):
            raise InvalidArgumentError("TLS: cert and key must be given together", code="invalid_option")


class Secret:
    """A text that repr, str, pickle and logs do not show."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        return self._value

    def __repr__(self) -> str:
        return "<secret>"

    def __reduce__(self) -> str:
        raise TypeError("a secret cannot be pickled")


@dataclass(frozen=True)
class Connection:
    """The address of the orchestrator, and the credentials for a channel to it."""

    address: str
    tls: TLS | None
    token: Secret | None

    def options(self) -> list[tuple[str, int | str]]:
        name = None if self.tls is None else self.tls.name
        return _OPTIONS if name is None else [*_OPTIONS, ("grpc.ssl_target_name_override", name)]

    def credentials(self) -> grpc.ChannelCredentials | None:
        """Returns None for a connection without TLS."""
        if self.tls is None:
            return None
        return grpc.ssl_channel_credentials(
            *(None if path is None else _bytes_of(path) for path in (self.tls.ca, self.tls.key, self.tls.cert))
        )

    def metadata(self) -> Sequence[tuple[str, str]]:
        """Returns the headers of every call."""
        return () if self.token is None else (("authorization", f"Bearer {self.token.reveal()}"),)


def connection(
    address: str | None,
    tls: TLS | bool | str | os.PathLike[str] | None,
    token: str | None,
    token_file: str | os.PathLike[str] | None,
    environ: Mapping[str, str] = os.environ,
) -> Connection:
    """Returns the settings; the environment completes those that are not passed.

    Raises:
        InvalidArgumentError: a file cannot be read, or a variable contradicts another.
    """
    return Connection(address or _address(environ), _tls(tls, environ), _token(token, token_file, environ))


def _address(environ: Mapping[str, str]) -> str:
    ours, upstream = (environ.get(f"BIGTRACE_ORCHESTRATOR{end}") for end in ("", "_ADDRESS"))
    if ours and upstream and ours != upstream:
        raise InvalidArgumentError(
            f"BIGTRACE_ORCHESTRATOR={ours} and BIGTRACE_ORCHESTRATOR_ADDRESS={upstream} name different "
            "orchestrators: unset one of them",
            code="invalid_option",
        )
    return ours or upstream or "127.0.0.1:5051"


def _tls(tls: TLS | bool | str | os.PathLike[str] | None, environ: Mapping[str, str]) -> TLS | None:
    if isinstance(tls, TLS):
        return tls
    if tls is False:
        return None
    files = {name: environ.get(f"BIGTRACE_TLS_{name.upper()}") or None for name in ("ca", "cert", "key", "name")}
    if isinstance(tls, (str, os.PathLike)):
        files["ca"] = os.fspath(tls)
    return TLS(**files) if tls is not None or files["ca"] is not None else None


def _token(token: str | None, token_file: str | os.PathLike[str] | None, environ: Mapping[str, str]) -> Secret | None:
    if token is not None and token_file is not None:
        raise InvalidArgumentError("token and token_file must not be given together", code="invalid_option")
    if token is None and token_file is None:
        token_file = environ.get("BIGTRACE_TOKEN_FILE") or None
        token = environ.get("BIGTRACE_TOKEN") or None if token_file is None else None
    if token_file is not None:
        # The file may have several tokens, one per line; clients send the first.
        token = _bytes_of(token_file).decode("utf-8", "replace").strip().partition("\n")[0].rstrip()
    if token is None:
        return None
    if token == "" or not (token.isascii() and token.isprintable()):
        raise InvalidArgumentError("the token is empty, or not printable ASCII", code="invalid_option")
    return Secret(token)


def _bytes_of(path: str | os.PathLike[str]) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise InvalidArgumentError(
            f"{os.fspath(path)} cannot be read: {error.strerror}", code="invalid_option"
        ) from None
