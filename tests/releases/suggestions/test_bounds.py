"""A look reads the newest rows through the index and no others, also where the planner knows nothing of them."""

from typing import Any

import pytest
from django.db import connection, transaction

from relcontrol.accounts.models import Organization
from relcontrol.clock import now
from releases.suggestions import looking
from releases.suggestions.looking import LONGEST_BODY, MOST_OPENED, MOST_PASSED, NEWEST, PASSED, REACH
from tests.factories import organization
from tests.releases.traces.samples import stored, trace_row

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner(db: None) -> Organization:
    """An organization of which nothing is known: the rows came in after the last ANALYZE."""
    made = organization("northgate")
    at = now()
    stored(made, *(trace_row(number, started_at=at.isoformat()) for number in range(300)), now=at)
    return made


def plan(query: str, *values: Any) -> str:
    """How PostgreSQL would do it."""
    with transaction.atomic(), connection.cursor() as cursor:
        looking.by_index()
        cursor.execute("SET LOCAL enable_seqscan = off")  # the table is small, in life it is not
        cursor.execute(f"EXPLAIN {query}", values)
        return "\n".join(line for (line,) in cursor.fetchall())


def test_the_newest_requests_come_through_the_index_by_time(owner: Organization) -> None:
    earliest, only = now() - REACH, ["rte_1"]
    asked = [LONGEST_BODY, LONGEST_BODY, owner.pk, earliest, MOST_PASSED, "true", only, only, MOST_OPENED]
    for said in (plan(NEWEST, *asked), plan(PASSED, owner.pk, earliest, MOST_PASSED)):
        assert "organization_id_started_at_idx" in said, said
        assert "Sort  (" not in said, said
        assert "Seq Scan" not in said, said
