"""Bodies are unreadable without the key of their subject, and nobody reads them after an erasure."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from relcontrol.accounts.models import Organization
from relcontrol.environment import MisconfiguredError
from releases.trace_models import SubjectKey
from releases.traces.bodies import DamagedBodyError, open_bodies, open_body, seal_body
from releases.traces.subjects import subject_digest
from tests.releases.traces.samples import NOW, only_trace, stored, trace_row

VALUE: dict[str, Any] = {"stable": "Yes, § 4.", "candidate": None, "notes": ["a\0b", 1.5]}


def subject_of(owner: Organization, name: str = "user-42") -> bytes:
    return subject_digest(owner.pk, name)


def erase(owner: Organization, subject: bytes) -> None:
    SubjectKey.objects.filter(organization=owner, subject=subject).update(wrapped_key=None, destroyed_at=NOW)


def test_a_stored_body_opens_to_what_was_sent(owner: Organization) -> None:
    sent = trace_row(client_settings={"temperature": 0.2})
    stored(owner, sent)
    trace = only_trace(owner)
    body = open_body(owner.pk, bytes(trace.subject), trace.body)
    assert body == {name: sent[name] for name in ("input", "output", "metadata", "client_settings")}


def test_a_sealed_value_opens_to_itself(owner: Organization) -> None:
    subject = subject_of(owner)
    assert open_body(owner.pk, subject, seal_body(owner.pk, subject, VALUE)) == VALUE


def test_neither_text_nor_subject_stands_in_the_table(owner: Organization) -> None:
    stored(owner, trace_row(subject="jane.doe@example.com", input="My name is Jane Doe."))
    with connection.cursor() as cursor:
        cursor.execute("SELECT trace::text, encode(body, 'escape') FROM releases_trace AS trace")
        ((text, body),) = cursor.fetchall()
    assert "Jane" not in body
    assert "jane" not in text


def test_the_same_text_is_never_the_same_bytes(owner: Organization) -> None:
    subject = subject_of(owner)
    assert seal_body(owner.pk, subject, VALUE) != seal_body(owner.pk, subject, VALUE)


def test_the_database_has_no_key_that_opens_anything(owner: Organization, settings: Any, tmp_path: Any) -> None:
    subject = subject_of(owner)
    body = seal_body(owner.pk, subject, VALUE)
    (tmp_path / "subjects.key").write_text("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")
    settings.KEY_DIR = tmp_path
    with pytest.raises(MisconfiguredError, match="is not the one that wrapped it"):
        open_body(owner.pk, subject, body)


def test_an_erased_body_opens_to_none(owner: Organization) -> None:
    stored(owner, trace_row())
    trace = only_trace(owner)
    erase(owner, bytes(trace.subject))
    assert open_body(owner.pk, bytes(trace.subject), trace.body) is None


def test_erasing_one_subject_leaves_the_others(owner: Organization) -> None:
    gone, stays = subject_of(owner, "gone"), subject_of(owner, "stays")
    bodies = [(subject, seal_body(owner.pk, subject, VALUE)) for subject in (gone, stays)]
    erase(owner, gone)
    assert open_bodies(owner.pk, bodies) == [None, VALUE]


def test_what_comes_late_for_an_erased_subject_is_stored_without_a_body(owner: Organization) -> None:
    subject = subject_of(owner)
    seal_body(owner.pk, subject, VALUE)
    erase(owner, subject)
    assert stored(owner, trace_row()).accepted == 1
    assert only_trace(owner).body is None
    assert seal_body(owner.pk, subject, VALUE) == b""
    assert SubjectKey.objects.get(organization=owner, subject=subject).wrapped_key is None


def test_a_body_of_another_subject_is_refused(owner: Organization) -> None:
    one, two = subject_of(owner, "one"), subject_of(owner, "two")
    body = seal_body(owner.pk, one, VALUE)
    seal_body(owner.pk, two, VALUE)
    with pytest.raises(DamagedBodyError, match="belongs to another subject"):
        open_body(owner.pk, two, body)


def test_a_body_does_not_open_for_another_subject_even_with_the_key_of_the_first(owner: Organization) -> None:
    one, two = subject_of(owner, "one"), subject_of(owner, "two")
    body = seal_body(owner.pk, one, VALUE)
    SubjectKey.objects.filter(organization=owner).update(subject=two)
    with pytest.raises(MisconfiguredError, match="does not unwrap"):
        open_body(owner.pk, two, body)


def test_a_body_of_another_organization_is_refused(owner: Organization, other: Organization) -> None:
    subject = subject_of(owner)
    body = seal_body(owner.pk, subject, VALUE)
    seal_body(other.pk, subject, VALUE)
    with pytest.raises(DamagedBodyError):
        open_body(other.pk, subject, body)


@pytest.mark.parametrize("place", [0, 5, 20, -1])
def test_a_changed_byte_is_found(owner: Organization, place: int) -> None:
    subject = subject_of(owner)
    body = bytearray(seal_body(owner.pk, subject, VALUE))
    body[place] ^= 1
    with pytest.raises(DamagedBodyError):
        open_body(owner.pk, subject, bytes(body))


def test_a_body_that_is_cut_off_is_found(owner: Organization) -> None:
    subject = subject_of(owner)
    with pytest.raises(DamagedBodyError):
        open_body(owner.pk, subject, seal_body(owner.pk, subject, VALUE)[:20])


def test_no_body_opens_to_none(owner: Organization) -> None:
    subject = subject_of(owner)
    seal_body(owner.pk, subject, VALUE)
    assert open_bodies(owner.pk, [(subject, None), (subject, b"")]) == [None, None]
    assert open_bodies(owner.pk, []) == []


def test_a_body_whose_key_is_deleted_opens_to_none(owner: Organization) -> None:
    subject = subject_of(owner)
    body = seal_body(owner.pk, subject, VALUE)
    SubjectKey.objects.filter(organization=owner).delete()
    assert open_body(owner.pk, subject, body) is None


def test_many_bodies_take_one_query(owner: Organization) -> None:
    subjects = [subject_of(owner, f"user-{number}") for number in range(20)]
    bodies = [(subject, seal_body(owner.pk, subject, number)) for number, subject in enumerate(subjects)]
    with CaptureQueriesContext(connection) as queries:
        assert open_bodies(owner.pk, bodies) == list(range(20))
    assert len(queries) == 1
