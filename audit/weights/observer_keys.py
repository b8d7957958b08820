"""Keys of those who sign what they saw of weights: ECDSA on P-256, as OpenSSF Model Signing asks of a plain key.

Pure. The `keyid` is the SHA-256 of the public key's PEM text: what `sha256sum observer.pub` prints, and what the
standard's bundles carry as the hint of their key. Keys of receipts are others (`audit.keys`): Ed25519, and never here.
"""

import hashlib
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
)
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as generate
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from audit.weights.predicates import WeightsError

ADVICE = "make one with `openssl ecparam -name prime256v1 -genkey -noout`, or let attest-weights make it"


@dataclass(frozen=True, slots=True)
class ObserverPublicKey:
    """Whose signature is checked."""

    public: EllipticCurvePublicKey

    @property
    def pem(self) -> bytes:
        """The one PEM text of this key (SubjectPublicKeyInfo)."""
        return self.public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    @property
    def keyid(self) -> str:
        """SHA-256 of the PEM text, in hex."""
        return hashlib.sha256(self.pem).hexdigest()

    def verify(self, signature: bytes, signed: bytes) -> None:
        """Return, or raise `WeightsError`. `signature` is DER."""
        try:
            self.public.verify(signature, signed, ECDSA(SHA256()))
        except InvalidSignature:
            raise WeightsError(
                f"The signature is not by the key {self.keyid[:16]}, or what it signed was changed."
            ) from None


@dataclass(frozen=True, slots=True)
class ObserverKey:
    """A private key in memory. Its text form never shows the key."""

    private: EllipticCurvePrivateKey = field(repr=False)

    @property
    def public(self) -> ObserverPublicKey:
        """Its public half."""
        return ObserverPublicKey(self.private.public_key())

    def sign(self, message: bytes) -> bytes:
        """The signature in DER."""
        return self.private.sign(message, ECDSA(SHA256()))


def new_observer_pem() -> bytes:
    """A fresh private key as PKCS #8 PEM, for the caller to store with mode 0600."""
    return generate(SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def load_observer_key(pem: bytes) -> ObserverKey:
    """From an unencrypted PEM. Raises `WeightsError` for anything but a key on P-256."""
    try:
        private = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise WeightsError(f"This is no unencrypted PEM private key ({error}); {ADVICE}.") from None
    if not isinstance(private, EllipticCurvePrivateKey) or not isinstance(private.curve, SECP256R1):
        raise WeightsError(f"This is no ECDSA key on P-256; {ADVICE}.")
    return ObserverKey(private)


def load_observer_public_key(pem: bytes) -> ObserverPublicKey:
    """From a PEM text. Raises `WeightsError` for anything but a public key on P-256."""
    try:
        public = load_pem_public_key(pem)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise WeightsError(f"This is no PEM public key ({str(error)[:200]}).") from None
    if not isinstance(public, EllipticCurvePublicKey) or not isinstance(public.curve, SECP256R1):
        raise WeightsError("This is no ECDSA public key on P-256, the one kind that is accepted of observers.")
    return ObserverPublicKey(public)
