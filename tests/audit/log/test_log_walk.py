"""The ticker's look at the log: stored nodes and the stored head must follow from the receipts."""

from datetime import timedelta

import pytest

from audit.chain_checks import AGAIN, check_all_chains
from audit.log import walk as log_walk
from audit.models import ChainCheck, ChainHead
from relcontrol.accounts.models import Organization
from relcontrol.clock import now
from tests.audit.log.scene import grown, organization_with, tamper

pytestmark = pytest.mark.django_db
SIZE = 12
LATER = AGAIN + timedelta(seconds=1)


@pytest.fixture
def organization(monkeypatch: pytest.MonkeyPatch) -> Organization:
    """With a log that was checked."""
    monkeypatch.setattr(log_walk, "BATCH", 4)
    made = organization_with(SIZE)
    assert looked(made) == ""
    return made


def looked(organization: Organization, after: timedelta = timedelta()) -> str:
    """What the check finds wrong, so much later."""
    check_all_chains(now() + after)
    check = ChainCheck.objects.get(organization=organization)
    assert check.problem or check.seq == ChainHead.objects.get(organization=organization).seq
    return check.problem


def test_an_intact_log_is_checked_on_from_where_the_last_look_stopped(organization: Organization) -> None:
    for size in (13, 16, 23):
        assert looked(grown(organization, size)) == ""
    assert looked(organization, LATER) == ""


def test_a_changed_node_is_found_at_the_daily_look_with_its_place(organization: Organization) -> None:
    tamper('UPDATE audit_lognode SET hash = %s WHERE level = 1 AND "index" = 2', b"x" * 32)
    problem = looked(organization, LATER)
    assert "node 2 of level 1 of the log does not follow from the receipts" in problem
    assert (b"x" * 32).hex() in problem


def test_a_node_that_is_gone_is_found_at_the_daily_look(organization: Organization) -> None:
    tamper("DELETE FROM audit_lognode WHERE level = 3")
    assert "node 0 of level 3 of the log does not follow" in looked(organization, LATER)


def test_a_node_of_the_present_root_that_is_gone_is_found_at_once(organization: Organization) -> None:
    tamper("DELETE FROM audit_lognode WHERE level = 3")
    assert f"the log of {organization.slug} has no node 0 of level 3" in looked(organization)


@pytest.mark.parametrize("stored", [b"x" * 64, b"x" * 32, b""])
def test_a_head_from_which_another_log_would_grow_is_found_at_once(organization: Organization, stored: bytes) -> None:
    ChainHead.objects.filter(organization=organization).update(frontier=stored)
    assert "the head of the log does not follow from the receipts" in looked(organization)


def test_a_mended_log_is_checked_from_its_beginning_and_holds(organization: Organization) -> None:
    frontier = bytes(ChainHead.objects.get(organization=organization).frontier)
    ChainHead.objects.filter(organization=organization).update(frontier=b"x" * 64)
    assert looked(organization) != ""
    ChainHead.objects.filter(organization=organization).update(frontier=frontier)
    assert looked(organization) == ""
