"""Signed notes: the examples of C2SP and of Go's sumdb, and that there is one form only."""

import base64
import hashlib
import string
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit.keys.signing import LOG, SigningKey
from audit.log import notes
from audit.log.notes import Checkpoint, NoteError
from audit.log.tlog_proofs import proof_text

FOO = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
FOO_NOTE = (
    "This is an example message.\n\n— example.com/foo "
    "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
)
# golang.org/x/mod/sumdb/note
PETER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
PETER_SEED = base64.b64decode("AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz")[1:]
PETER_TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
PETER_NOTE = (
    f"{PETER_TEXT}\n— PeterNeumann "
    "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
ORIGIN, WITNESS = "receipts.example/acme", "witness.example/w1"
AT = 1_679_315_147


def key_of(seed: bytes) -> SigningKey:
    """A key from 32 bytes."""
    return SigningKey(LOG, Ed25519PrivateKey.from_private_bytes(seed))


LOG_KEY, WITNESS_KEY = key_of(b"l" * 32), key_of(b"w" * 32)
TEXT = notes.checkpoint_text(ORIGIN, 20852163, hashlib.sha256(b"root").digest())
SIGNED = notes.sign_note(TEXT, ORIGIN, LOG_KEY)
COSIGNED = SIGNED + notes.cosign(TEXT, WITNESS, WITNESS_KEY, AT)


@pytest.mark.parametrize(("vkey", "note"), [(FOO, FOO_NOTE), (PETER, PETER_NOTE)])
def test_notes_of_others_verify(vkey: str, note: str) -> None:
    name, public, kind = notes.parse_vkey(vkey)
    assert kind == notes.NOTE
    parsed = notes.parse_note(note)
    assert note.startswith(parsed.text)
    notes.verify_note(parsed, name, public)
    with pytest.raises(NoteError, match=r"signature of .* does not hold"):
        notes.verify_note(notes.Note(f"{parsed.text}\n", parsed.signatures), name, public)


def test_a_note_is_signed_as_others_sign_it() -> None:
    key = key_of(PETER_SEED)
    assert notes.sign_note(PETER_TEXT, "PeterNeumann", key) == PETER_NOTE
    assert notes.vkey("PeterNeumann", key.public, notes.NOTE) == PETER


def test_a_cosignature_signs_its_time_before_the_whole_text() -> None:
    parsed = notes.parse_note(COSIGNED)
    assert notes.verify_cosignature(parsed, WITNESS, WITNESS_KEY.public) == AT
    name, key_id, payload = parsed.signatures[1]
    assert (name, payload[:8]) == (WITNESS, AT.to_bytes(8))
    assert key_id == hashlib.sha256(b"witness.example/w1\n\x04" + WITNESS_KEY.public).digest()[:4]
    WITNESS_KEY.private.public_key().verify(payload[8:], f"cosignature/v1\ntime {AT}\n{TEXT}".encode())
    notes.verify_note(parsed, ORIGIN, LOG_KEY.public)


@pytest.mark.parametrize("kind", [notes.NOTE, notes.COSIGNATURE])
def test_a_verifier_key_is_read_as_it_was_written(kind: int) -> None:
    assert notes.parse_vkey(notes.vkey(ORIGIN, LOG_KEY.public, kind)) == (ORIGIN, LOG_KEY.public, kind)


@pytest.mark.parametrize(
    "text",
    [
        FOO.replace("530d903a", "530d903b"),
        FOO.replace("530d903a", "530D903A"),
        FOO.replace("foo", "bar"),
        FOO.replace("+Aek", "+Bek"),
        FOO[:-4],
        f"{FOO}=",
        FOO[:-1] + "l",
        "",
        "name",
        "a b+00000000+AA==",
    ],
)
def test_a_verifier_key_with_anything_else_is_refused(text: str) -> None:
    with pytest.raises(NoteError):
        notes.parse_vkey(text)


def test_what_a_checkpoint_says_is_read_as_it_was_written() -> None:
    assert notes.parse_checkpoint(TEXT) == Checkpoint(ORIGIN, 20852163, hashlib.sha256(b"root").digest())
    assert notes.parse_checkpoint(f"{TEXT}more\n").extensions == ("more",)
    assert notes.parse_checkpoint(notes.checkpoint_text(ORIGIN, 0, b"0" * 32)).size == 0


ROOT_LINE = TEXT.split("\n")[2]


@pytest.mark.parametrize(
    "text",
    [
        TEXT[:-1],
        f"{TEXT}\n",
        TEXT.replace("20852163", "020852163"),
        TEXT.replace("20852163", "-1"),
        TEXT.replace("20852163", "+1"),
        TEXT.replace("20852163", "\uff12"),
        TEXT.replace("20852163", str(2**63)),
        TEXT.replace("20852163", "9" * 5000),
        TEXT.replace("20852163", ""),
        TEXT.replace(ROOT_LINE, ROOT_LINE[:-1]),
        TEXT.replace(ROOT_LINE, base64.b64encode(b"short").decode()),
        TEXT.replace(ORIGIN, ""),
        f"{ORIGIN}\n1\n",
    ],
)
def test_a_checkpoint_in_any_other_form_is_refused(text: str) -> None:
    with pytest.raises(NoteError):
        notes.parse_checkpoint(text)


LINE = SIGNED.removeprefix(f"{TEXT}\n")


@pytest.mark.parametrize(
    "text",
    [
        TEXT,
        f"{TEXT}\n",
        SIGNED[:-1],
        f"{SIGNED}\n",
        SIGNED + LINE,
        SIGNED.replace("— ", "- "),
        SIGNED.replace("— ", "—  "),
        SIGNED.replace("\n\n", "\n"),
        SIGNED.replace("\n", "\r\n"),
        SIGNED.replace(f"— {ORIGIN}", "— "),
        SIGNED.replace(f"— {ORIGIN}", "— a+b"),
        SIGNED.replace(f"— {ORIGIN}", "— a\u2003b"),
        SIGNED.replace("=\n", "\n"),
        SIGNED.replace("=\n", "= \n"),
        f"{TEXT}\n— {ORIGIN} AAAAAA==\n",
        f"\t{SIGNED}",
        f"\ud800{SIGNED}",
        f"{TEXT}\n" + "".join(f"— w{number} AAAAAAA=\n" for number in range(65)),
        "x" * 256 * 1024 + SIGNED,
    ],
)
def test_a_note_in_any_other_form_is_refused(text: str) -> None:
    with pytest.raises(NoteError):
        notes.parse_note(text)


def test_base64_with_bits_that_say_nothing_is_refused() -> None:
    letters = string.ascii_letters + string.digits
    last = next(other for other in letters if SIGNED[-3] != other and _says_the_same(other))
    with pytest.raises(NoteError, match="canonical"):
        notes.parse_note(f"{SIGNED[:-3]}{last}=\n")


def _says_the_same(last: str) -> bool:
    encoded = SIGNED.rstrip("\n").split(" ")[-1]
    return base64.b64decode(f"{encoded[:-2]}{last}=") == base64.b64decode(encoded)


def test_every_changed_byte_of_a_cosigned_checkpoint_is_refused() -> None:
    content = COSIGNED.encode()
    accepted = []
    for at in range(len(content)):
        changed = content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]
        try:
            parsed = notes.parse_note(changed.decode())
            notes.verify_note(parsed, ORIGIN, LOG_KEY.public)
            notes.verify_cosignature(parsed, WITNESS, WITNESS_KEY.public)
        except (NoteError, UnicodeDecodeError):
            continue
        accepted.append(at)
    assert accepted == []


@pytest.mark.parametrize(
    "verify",
    [
        lambda note: notes.verify_note(note, ORIGIN, WITNESS_KEY.public),
        lambda note: notes.verify_note(note, WITNESS, LOG_KEY.public),
        lambda note: notes.verify_note(note, WITNESS, WITNESS_KEY.public),
        lambda note: notes.verify_cosignature(note, ORIGIN, LOG_KEY.public),
        lambda note: notes.verify_cosignature(note, WITNESS, LOG_KEY.public),
    ],
)
def test_a_signature_counts_for_one_name_one_key_and_one_kind(verify: Callable[[notes.Note], object]) -> None:
    with pytest.raises(NoteError, match="is not signed by the key"):
        verify(notes.parse_note(COSIGNED))


def test_signatures_of_keys_that_nobody_knows_are_passed_over() -> None:
    parsed = notes.parse_note(f"{COSIGNED}— {ORIGIN} AAAAAAA=\n")
    notes.verify_note(parsed, ORIGIN, LOG_KEY.public)
    assert len(parsed.signatures) == 3


@pytest.mark.parametrize("at", [0, -1, 2**63])
def test_a_cosignature_without_a_time_is_not_made(at: int) -> None:
    with pytest.raises(NoteError, match="no time"):
        notes.cosign(TEXT, WITNESS, WITNESS_KEY, at)


def test_a_cosignature_that_signs_no_time_is_refused() -> None:
    signature = WITNESS_KEY.sign(f"cosignature/v1\ntime 0\n{TEXT}".encode())
    key_id = hashlib.sha256(b"witness.example/w1\n\x04" + WITNESS_KEY.public).digest()[:4]
    line = f"— {WITNESS} {base64.b64encode(key_id + bytes(8) + signature).decode()}\n"
    with pytest.raises(NoteError, match="has no time"):
        notes.verify_cosignature(notes.parse_note(SIGNED + line), WITNESS, WITNESS_KEY.public)


@pytest.mark.parametrize("text", ["no newline", "a\tb\n", "a\r\n", "\ud800\n"])
def test_a_text_that_no_note_may_have_is_not_signed(text: str) -> None:
    with pytest.raises(NoteError):
        notes.sign_note(text, ORIGIN, LOG_KEY)


@pytest.mark.parametrize(("origin", "size", "root"), [("", 1, b"r" * 32), ("a\nb", 1, b"r" * 32), ("a", 1, b"r" * 31)])
def test_a_checkpoint_that_says_too_little_is_not_made(origin: str, size: int, root: bytes) -> None:
    with pytest.raises(NoteError, match="32 bytes"):
        notes.checkpoint_text(origin, size, root)


def test_a_proof_file_has_the_lines_that_c2sp_wants() -> None:
    hashes = [b"\x00" * 32, b"\xff" * 32]
    assert proof_text(73894, hashes, SIGNED) == (
        "c2sp.org/tlog-proof@v1\n"
        "index 73894\n"
        f"{base64.b64encode(hashes[0]).decode()}\n"
        f"{base64.b64encode(hashes[1]).decode()}\n"
        f"\n{SIGNED}"
    )
    assert proof_text(0, [], SIGNED) == f"c2sp.org/tlog-proof@v1\nindex 0\n\n{SIGNED}"
