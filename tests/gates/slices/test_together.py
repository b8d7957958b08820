"""Two people at once: an import and a change, and two imports of the same new slice, end in one outcome each."""

from collections.abc import Callable
from threading import Barrier, Thread
from typing import Any

import pytest
from django.db import connections

from gates.models import Slice, SliceRevision
from gates.slices.files import rows_of
from gates.slices.importing import import_slices, plan_import
from gates.slices.services import change_slice, slice_named
from relcontrol.errors import DomainError
from tests.gates.scene import Scene, scene

pytestmark = pytest.mark.django_db(transaction=True)


def together(*acts: Callable[[], Any]) -> list[Any]:
    """Run the acts from the same moment on; what each returned or was refused with."""
    barrier, outcomes = Barrier(len(acts)), [None] * len(acts)

    def run(place: int, act: Callable[[], Any]) -> None:
        barrier.wait()
        try:
            outcomes[place] = act()
        except DomainError as error:
            outcomes[place] = error  # type: ignore[call-overload]  # a list of whatever came out
        finally:
            connections.close_all()

    threads = [Thread(target=run, args=(place, act)) for place, act in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


@pytest.fixture
def northgate() -> Scene:
    return scene("northgate")


def test_two_imports_of_the_same_new_slice_make_it_once(northgate: Scene) -> None:
    rows = rows_of([{"slug": "fresh", "threshold": 0.5}])
    outcomes = together(*[lambda: import_slices(actor=northgate.actor, rows=rows)] * 2)
    assert Slice.objects.filter(slug="fresh").count() == SliceRevision.objects.filter(slice__slug="fresh").count() == 1
    refused = [outcome for outcome in outcomes if isinstance(outcome, DomainError)]
    assert [error.status for error in refused] in ([], [409])


def test_an_import_of_a_plan_and_a_change_at_once_keep_every_revision(northgate: Scene) -> None:
    rows = rows_of([{"slug": "ip-licensing", "threshold": 0.5}])
    state = plan_import(northgate.organization, rows).state
    target = slice_named(northgate.organization, "ip-licensing")
    together(
        lambda: import_slices(actor=northgate.actor, rows=rows, expected_state=state),
        lambda: change_slice(actor=northgate.actor, target=target, n_min=44),
    )
    row = slice_named(northgate.organization, "ip-licensing")
    revisions = list(SliceRevision.objects.filter(slice=row).order_by("revision").values_list("revision", flat=True))
    assert revisions == list(range(1, row.revision + 1))
    assert row.n_min == 44
