"""A stored JSON is read entry by entry, wherever its pieces are cut; loose files are cut out of it."""

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest

from audit.exporting.loose import loose_files
from audit.exporting.stored import Stored
from relcontrol.bundle.canonical import canonical_bytes
from tests.audit.evidence.bundles import release

DOCUMENT = canonical_bytes(
    {"a": [], "b": ["née", {"x": '"}],'}, [1]], "c": None, "d": {"k": ["\U0001f4a5"]}, "e": [{}]}
)


def read(text: bytes, size: int) -> list[tuple[str, list[Any], bytes]]:
    """Every member with its values and the bytes of the whole member, from pieces of this size."""
    stored = Stored(text[at : at + size] for at in range(0, len(text), size))
    found = []
    for name, entries in stored.members():
        start = stored.place
        here = list(entries)
        assert all(text[one.start : one.end] == one.text.encode() for one in here)
        found.append((name, [one.value for one in here], text[start : stored.place]))
    return found


@pytest.mark.parametrize("size", [*range(1, 12), 1000])
def test_pieces_of_any_size_give_the_same_entries_and_places(size: int) -> None:
    parsed = json.loads(DOCUMENT)
    for name, values, text in read(DOCUMENT, size):
        assert values == (parsed[name] if isinstance(parsed[name], list) else [parsed[name]])
        assert text == canonical_bytes(parsed[name])


def test_a_member_that_nobody_reads_is_passed_over() -> None:
    assert [name for name, _ in Stored([DOCUMENT]).members()] == list("abcde")


@pytest.mark.parametrize("text", [b"{", b'{"a"', b'{"a":[1', b'{"a":[1}', b"{a", b'{"a":\xff}'])
def test_what_is_cut_off_or_no_json_is_refused(text: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        read(text, 3)


def test_one_piece_is_held_at_a_time() -> None:
    alive: list[int] = []

    def pieces() -> Iterator[bytes]:
        yield b'{"a":['
        for number in range(50):
            alive.append(number)
            yield b"%s[%d]" % (b"," if number else b"", number)
        yield b"]}"

    for _, entries in Stored(pieces()).members():
        for number, entry in enumerate(entries):
            assert entry.value == [number]
            assert len(alive) <= number + 2


def test_loose_files_are_those_of_the_document() -> None:
    bundle = release()
    document = bundle.document()
    loose = loose_files(lambda: [document], lambda start, end: [document[start:end]])
    expected = bundle.files()
    found = {name: b"".join(content()) for name, content in loose.files.items()}
    for name in ("README.txt", "export.json", "schema.json", "verify.html", "verify.py"):
        del expected[name]
    assert found == expected
    assert loose.manifest == json.loads(base64.b64decode(json.loads(document)["manifest"]["payload"]))
