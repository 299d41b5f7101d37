"""TLS, client certificates and tokens, with an orchestrator that requires them."""

import datetime
import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import services
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

import bigtrace
from bigtrace import TLS, Bigtrace

CHROME = "/local/recorded/chrome/fetch-a.pftrace"


@dataclass(frozen=True)
class Pair:
    cert: Path
    key: Path


class Authority:
    """A CA, and certificates that it signed."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        builder = self._builder(self._name, self._key)
        certificate = builder.add_extension(x509.BasicConstraints(True, None), True).sign(self._key, hashes.SHA256())
        self.file = folder / f"{name}.pem"
        self.file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))

    def issue(self, name: str) -> Pair:
        key = ec.generate_private_key(ec.SECP256R1())
        names = x509.SubjectAlternativeName([x509.DNSName(name), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        certificate = self._builder(subject, key).add_extension(names, False).sign(self._key, hashes.SHA256())
        pair = Pair(self._folder / f"{name}.cert", self._folder / f"{name}.key")
        pair.cert.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        pair.key.write_bytes(key.private_bytes(*form))
        return pair

    def _builder(self, subject: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
        now = datetime.datetime.now(datetime.timezone.utc)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=1))
        )


@dataclass(frozen=True)
class Secured:
    address: str
    authority: Authority
    token_file: Path


@pytest.fixture(scope="module")
def secured(worker: services.Service, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    """An orchestrator that requires a client certificate and a token."""
    folder = tmp_path_factory.mktemp("tls")
    authority = Authority(folder, "ca")
    own = authority.issue("orchestrator")
    token = folder / "token"
    token.write_text("for everybody\n")
    service = services.start(
        *("orchestrator", "--port", "0", "--workers", worker.address, "--token-file", str(token)),
        *("--tls-cert", str(own.cert), "--tls-key", str(own.key), "--tls-client-ca", str(authority.file)),
    )
    yield Secured(service.address, authority, token)
    service.stop()


def test_a_client_certificate_and_a_token_open_it(secured: Secured):
    mine = secured.authority.issue("analyst")
    tls = TLS(ca=secured.authority.file, cert=mine.cert, key=mine.key)
    with Bigtrace(secured.address, tls=tls, token_file=secured.token_file) as client:
        assert client.query(CHROME, "SELECT 1 AS x")["x"].tolist() == [1]
    named = TLS(ca=secured.authority.file, cert=mine.cert, key=mine.key, name="orchestrator")
    with Bigtrace(secured.address, tls=named, token="for everybody") as client:
        assert client.status().workers
    for token in ("wrong", None):
        with Bigtrace(secured.address, tls=tls, token=token) as client:
            with pytest.raises(bigtrace.AuthenticationError, match="BIGTRACE_TOKEN_FILE"):
                client.query(CHROME, "SELECT 1")


def test_what_is_not_trusted_is_refused(secured: Secured, tmp_path: Path):
    other = Authority(tmp_path, "other")
    stranger, mine = other.issue("stranger"), secured.authority.issue("me")
    attempts: list[TLS | None] = [
        None,  # no TLS
        TLS(ca=secured.authority.file),  # no certificate of ours
        TLS(ca=secured.authority.file, cert=stranger.cert, key=stranger.key),
        TLS(ca=other.file, cert=mine.cert, key=mine.key),  # the orchestrator's is of another CA
        TLS(ca=secured.authority.file, cert=mine.cert, key=mine.key, name="another"),
    ]
    for tls in attempts:
        with Bigtrace(secured.address, tls=tls, token_file=secured.token_file) as client:
            with pytest.raises(bigtrace.UnavailableError, match="tls="):
                client.query(CHROME, "SELECT 1", retries=0)
