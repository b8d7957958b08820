"""A time-stamping authority for the tests, in memory: it stamps any time with keys that everybody knows.

`openssl ts` stamps only the present; here a token of any time, policy, nonce and imprint is made, a lie too. The
tokens are RFC 3161 as openssl reads it (test_authority.py asks it).
"""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tests.audit.evidence import der

BEGIN, END = datetime(2026, 1, 1, tzinfo=UTC), datetime(2126, 1, 1, tzinfo=UTC)
SHA256 = "2.16.840.1.101.3.4.2.1"
ECDSA_SHA256 = "1.2.840.10045.4.3.2"
SIGNED_DATA, TST_INFO = "1.2.840.113549.1.7.2", "1.2.840.113549.1.9.16.1.4"
CONTENT_TYPE, MESSAGE_DIGEST, SIGNING_TIME = (f"1.2.840.113549.1.9.{number}" for number in (3, 4, 5))
SIGNING_CERTIFICATE_V2 = "1.2.840.113549.1.9.16.2.47"
POLICY = "1.3.6.1.4.1.57264.2"


def _private(seed: str) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(int.from_bytes(hashlib.sha256(seed.encode()).digest()), ec.SECP256R1())


def _signature(key: ec.EllipticCurvePrivateKey, message: bytes) -> bytes:
    return key.sign(message, ec.ECDSA(hashes.SHA256(), deterministic_signing=True))


@dataclass(frozen=True)
class Authority:
    """One authority: its root, and the certificate under it that stamps."""

    name: str

    @cached_property
    def root(self) -> x509.Certificate:
        constraints = x509.BasicConstraints(ca=True, path_length=None)
        return (
            self._certificate("root", "root", 1)
            .add_extension(constraints, critical=True)
            .sign(_private(f"{self.name} root"), hashes.SHA256(), ecdsa_deterministic=True)
        )

    @cached_property
    def stamping(self) -> x509.Certificate:
        usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])
        return (
            self._certificate("stamping", "root", 2)
            .add_extension(usage, critical=True)
            .sign(_private(f"{self.name} root"), hashes.SHA256(), ecdsa_deterministic=True)
        )

    @property
    def root_pem(self) -> str:
        """What a trust file names."""
        return self.root.public_bytes(Encoding.PEM).decode("ascii")

    def stamp(self, body: bytes, at: datetime, *, nonce: int = 7, accuracy: int = 1, policy: str = POLICY) -> bytes:
        """The DER of a granted TimeStampResp over the SHA-256 of `body`. `accuracy` in seconds."""
        imprint = der.sequence(_algorithm(SHA256), der.octets(hashlib.sha256(body).digest()))
        info = der.sequence(
            der.integer(1),
            der.identifier(policy),
            imprint,
            der.integer(1),
            der.generalized_time(at),
            der.sequence(der.integer(accuracy)),
            der.integer(nonce),
        )
        token = der.sequence(der.identifier(SIGNED_DATA), der.explicit(0, self._signed(info, at)))
        return der.sequence(der.sequence(der.integer(0)), token)

    def _certificate(self, subject: str, issuer: str, serial: int) -> x509.CertificateBuilder:
        builder = x509.CertificateBuilder().subject_name(self._named(subject)).issuer_name(self._named(issuer))
        public = _private(f"{self.name} {subject}").public_key()
        return builder.public_key(public).serial_number(serial).not_valid_before(BEGIN).not_valid_after(END)

    def _named(self, what: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"{self.name} {what}")])

    def _signed(self, info: bytes, at: datetime) -> bytes:
        """The SignedData (RFC 5652) over the time, with the attributes that RFC 3161 wants signed."""
        certificate = self.stamping.public_bytes(Encoding.DER)
        hashed = der.sequence(der.sequence(der.sequence(der.octets(hashlib.sha256(certificate).digest()))))
        attributes = sorted(
            [
                _attribute(CONTENT_TYPE, der.identifier(TST_INFO)),
                _attribute(MESSAGE_DIGEST, der.octets(hashlib.sha256(info).digest())),
                _attribute(SIGNING_TIME, der.utc_time(at)),
                _attribute(SIGNING_CERTIFICATE_V2, hashed),
            ]
        )
        signer = der.sequence(
            der.integer(1),
            der.sequence(self.stamping.issuer.public_bytes(), der.integer(self.stamping.serial_number)),
            _algorithm(SHA256),
            der.explicit(0, *attributes),
            _algorithm(ECDSA_SHA256),
            der.octets(_signature(_private(f"{self.name} stamping"), der.set_of(*attributes))),
        )
        content = der.sequence(der.identifier(TST_INFO), der.explicit(0, der.octets(info)))
        certificates = der.explicit(0, certificate)
        return der.sequence(der.integer(3), der.set_of(_algorithm(SHA256)), content, certificates, der.set_of(signer))


def _algorithm(oid: str) -> bytes:
    return der.sequence(der.identifier(oid))


def _attribute(oid: str, value: bytes) -> bytes:
    return der.sequence(der.identifier(oid), der.set_of(value))


TSA = Authority("Test TSA")
OWN_TSA = Authority("The forger's own TSA")
