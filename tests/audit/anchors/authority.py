"""A private time-stamping authority: a root and a certificate made once, `openssl ts` behind them."""

import shutil
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

CONFIGURATION = """
[tsa]
default_tsa = one
[one]
serial = {folder}/serial
signer_cert = {folder}/signer.pem
signer_key = {folder}/signer.key
{chain}
default_policy = {policy}
digests = sha256
signer_digest = sha256
accuracy = secs:1
ess_cert_id_alg = sha256
"""
POLICY = "1.2.3.4.1"


@dataclass(frozen=True)
class Authority:
    """A folder with a root, a signer and a configuration."""

    folder: Path

    @property
    def root(self) -> str:
        return (self.folder / "root.pem").read_text()

    def stamp(self, query: bytes) -> bytes:
        """What `openssl ts -reply` makes of a query."""
        asked, answer = self.folder / "query", self.folder / "answer"
        asked.write_bytes(query)
        self.ts("-reply", "-queryfile", asked, "-out", answer, "-config", self.folder / "openssl.cnf")
        return answer.read_bytes()

    def verifies(self, token: bytes, body: bytes) -> str:
        """What `openssl ts -verify` says of it."""
        answer, content = self.folder / "token", self.folder / "content"
        answer.write_bytes(token)
        content.write_bytes(body)
        return self.ts("-verify", "-in", answer, "-data", content, "-CAfile", self.folder / "root.pem")

    def ts(self, *arguments: str | Path) -> str:
        """`openssl ts` with these arguments; it must end well."""
        command = ["openssl", "ts", *map(str, arguments)]
        finished = subprocess.run(command, capture_output=True, text=True, check=False, cwd=self.folder)
        assert finished.returncode == 0, finished.stderr
        return finished.stdout + finished.stderr


def authority(folder: Path, *, policy: str = POLICY, chain: bool = False) -> Authority:
    """A new one. With `chain` it sends its root along, in an order that DER does not allow."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed: apt-get install openssl")
    folder.mkdir(exist_ok=True)
    root_key, signer_key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    root = _certificate("Root of a test", root_key, None, root_key, is_root=True)
    signer = _certificate("Time stamps of a test", signer_key, root, root_key, is_root=False)
    (folder / "root.pem").write_bytes(root.public_bytes(Encoding.PEM))
    (folder / "signer.pem").write_bytes(signer.public_bytes(Encoding.PEM))
    (folder / "signer.key").write_bytes(signer_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    (folder / "serial").write_text("01")
    line = f"certs = {folder}/root.pem" if chain else ""
    (folder / "openssl.cnf").write_text(CONFIGURATION.format(folder=folder, policy=policy, chain=line))
    return Authority(folder)


def _certificate(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    issuer: x509.Certificate | None,
    issuer_key: ec.EllipticCurvePrivateKey,
    *,
    is_root: bool,
) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=3650))
        .add_extension(x509.BasicConstraints(ca=is_root, path_length=None), critical=True)
    )
    if not is_root:
        usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])
        builder = builder.add_extension(usage, critical=True)
    return builder.sign(issuer_key, hashes.SHA256())
