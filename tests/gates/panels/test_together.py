"""A panel is closed while others close it, grade in it or bring grades: one order, and nothing half."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.db import connection

from gates.panel_models import Panel, PanelTask
from gates.panels.closing import close_panel
from gates.panels.rating import rate
from relcontrol.errors import Conflict
from tests.chaos.evidence import receipts_verified
from tests.gates.panels.scene import Campaign, all_graded, campaign, graded_by, own
from tests.gates.scene import scene


@pytest.fixture
def here(transactional_db: None) -> Campaign:
    """An organization that other connections see."""
    return campaign(scene())


def at_once(*acts: Callable[[], Any]) -> list[Any]:
    """What each came to, begun together on connections of their own; a `Conflict` is one thing to come to."""
    together = Barrier(len(acts), timeout=10)

    def closing(act: Callable[[], Any]) -> Any:
        try:
            together.wait()
            return act()
        except Conflict as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(closing, acts))


def test_of_those_who_close_at_once_one_wins(here: Campaign) -> None:
    panel = here.panel()
    all_graded(here, panel, 5, 4, 3)
    found = at_once(*[lambda: close_panel(actor=here.manager, panel=panel)] * 4)
    refused = [each for each in found if isinstance(each, Conflict)]
    assert {each.code for each in refused} == {"over"}
    assert len(refused) == 3
    assert here.ratings().count() == 12
    assert [row.outcome for row in here.scene.receipts()].count("closed") == 1
    receipts_verified(here.organization)


def test_a_grade_that_comes_while_the_panel_is_closed_counts_or_is_refused(here: Campaign) -> None:
    panel, (ada, bea, cyd) = here.panel(), here.experts
    graded_by(panel, ada, 5)
    graded_by(panel, bea, 4)
    task = own(panel, cyd)[0]
    _, rated = at_once(
        lambda: close_panel(actor=here.manager, panel=panel, anyway=True),
        lambda: rate(actor=cyd, task=task, grade=1),
    )
    task.refresh_from_db()
    assert Panel.objects.get(pk=panel.pk).state == Panel.State.CLOSED
    counted = here.ratings().filter(rater=cyd.id).count()
    assert (counted, task.state) == ((0, "waiting") if isinstance(rated, Conflict) else (1, "rated"))


def test_a_key_pressed_twice_is_one_grade(here: Campaign) -> None:
    panel, ada = here.panel(), here.experts[0]
    task = own(panel, ada)[0]
    found = at_once(*[lambda: rate(actor=ada, task=task, grade=3)] * 3)
    assert [each.grade for each in found] == [3, 3, 3]
    assert PanelTask.objects.filter(panel=panel, state="rated").count() == 1
