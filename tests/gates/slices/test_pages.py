"""Pages of slices: the tree, one slice with its history, and the form with its preview."""

import html
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from gates.models import Slice, Suite
from gates.slices.services import create_slice, slice_named
from relcontrol.accounts.models import Application
from tests.factories import application, person
from tests.gates.scene import Scene
from tests.gates.slices.judged import JUDGE, ip_licensing, judged, suite

SLICES = "/o/northgate/slices/"
EDIT = f"{SLICES}ip-licensing/edit/"


@pytest.fixture
def legal(northgate: Scene) -> Application:
    return application(northgate.organization)


@pytest.fixture
def owner(northgate: Scene) -> Client:
    return signed_in(northgate, "domain-owner")


def signed_in(here: Scene, *roles: str) -> Client:
    client = Client()
    client.force_login(person(here.organization, *roles))
    return client


def text_of(answer: Any) -> str:
    return " ".join(html.unescape(answer.content.decode()).split())


def words_of(answer: Any) -> str:
    """The preview's sentence without its markup."""
    return "".join(text for text, _ in answer.context["sentence"])


def given(**changes: Any) -> dict[str, Any]:
    """A form as a browser sends it."""
    fields = {"name": "IP licensing", "description": "Licences.", "policy": "point", "n_min": "20", "threshold": "0.65"}
    rest = {"application": "", "parent": "", "owner": "", "judge": JUDGE, "quality_floor": "", "match_kind": ""}
    return fields | rest | {"match_metadata_key": "", "match_metadata_value": ""} | changes


def seen(northgate: Scene, **changes: Any) -> dict[str, Any]:
    """The form of the slice as it is now."""
    return given(revision=str(slice_named(northgate.organization, "ip-licensing").revision), **changes)


# ---- the form


def test_the_sentence_reads_as_the_rule_that_is_in_force(northgate: Scene, owner: Client, legal: Application) -> None:
    ip_licensing(northgate, legal)
    assert words_of(owner.get(EDIT)) == (
        "A release fails if the judge’s ranking agrees with your experts less than 0.65 on IP licensing. "
        "With your 84 cases we can prove a shortfall of 0.21 or more."
    )


def test_the_preview_follows_what_is_typed_and_stores_nothing(
    northgate: Scene, owner: Client, legal: Application
) -> None:
    ip_licensing(northgate, legal)
    answer = owner.post(f"{SLICES}preview/?slice=ip-licensing", given(threshold="0.7", name="Licences"))
    assert answer.status_code == 200
    assert "less than 0.70 on Licences" in words_of(answer)
    assert "At 0.70, this rule would have stopped 7 of the last 10 releases" in text_of(answer)
    assert slice_named(northgate.organization, "ip-licensing").revision == 3


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"threshold": ""}, "has no threshold"),
        ({"threshold": "0"}, "has no threshold"),
        ({"threshold": "2"}, "has no threshold"),
        ({"threshold": "x"}, "has no threshold"),
        ({"policy": "guarded"}, "somebody has to sign"),
        ({"policy": "confident"}, "only if it is proven"),
        ({"n_min": "90"}, "every release is held: you ask for 90."),
        ({"quality_floor": "0.63"}, "score less than 0.63 on average"),
    ],
)
def test_every_rule_has_its_sentence(
    northgate: Scene, owner: Client, legal: Application, changes: dict[str, str], said: str
) -> None:
    ip_licensing(northgate, legal)
    answer = owner.post(f"{SLICES}preview/?slice=ip-licensing", given(**changes))
    assert said in words_of(answer)


def test_the_planner_says_how_many_cases_catch_which_shortfall(
    northgate: Scene, owner: Client, legal: Application
) -> None:
    ip_licensing(northgate, legal)
    page = text_of(owner.get(EDIT))
    for shown in ("Are 84 cases enough?", "89 · 5 more", "147 · 63 more", "302 · 218 more", "1,103 · 1,019 more"):
        assert shown in page
    assert "All 2 slices that are judged together pass in 51 of 100 gate runs" in page


def test_the_back_test_names_the_releases_that_would_have_been_stopped(
    northgate: Scene, owner: Client, legal: Application
) -> None:
    ip_licensing(northgate, legal)
    page = text_of(owner.get(EDIT))
    assert "At 0.65, this rule would have stopped 2 of the last 10 releases: r123 (0.61) and r128 (0.41)." in page
    assert "r123 passed under the threshold of its time, 0.60." in page


def test_a_release_that_was_judged_again_counts_once_and_dry_runs_never(
    northgate: Scene, owner: Client, legal: Application
) -> None:
    target = slice_named(northgate.organization, "ip-licensing")
    of = suite(northgate, {"ip-licensing": 3})
    judged(target, of, legal, 1, 0.5)
    again = judged(target, of, legal, 2, 0.8)
    again.run.manifest_sha256 = f"{1:064x}"
    again.run.save()
    judged(target, of, legal, 3, 0.1, dry=True)
    points = owner.get(f"{SLICES}ip-licensing/").context["charts"][0].rows
    assert [row[1] for row in points] == ["0.80"]


def test_saving_makes_the_next_revision_with_a_receipt_in_ones_name(northgate: Scene, owner: Client) -> None:
    answer = owner.post(EDIT, seen(northgate, threshold="0.7", match_kind="locale", match_locale="fr-BE"))
    assert (answer.status_code, answer["Location"]) == (302, f"{SLICES}ip-licensing/")
    row = slice_named(northgate.organization, "ip-licensing")
    assert (row.revision, str(row.threshold), row.match, row.judge) == (2, "0.7000", {"locale": "fr-BE"}, JUDGE)
    assert northgate.last_statement()["actor"]["auth"] == "session"


def test_saving_what_is_there_already_saves_nothing(northgate: Scene, owner: Client) -> None:
    owner.post(EDIT, seen(northgate))
    receipts = len(northgate.receipts())
    answer = owner.post(EDIT, seen(northgate), follow=True)
    assert "Nothing differs from revision 2" in text_of(answer)
    assert len(northgate.receipts()) == receipts


def test_a_stale_form_says_who_changed_what_and_loses_nothing(northgate: Scene, owner: Client) -> None:
    mine = seen(northgate, description="My long words.")
    northgate.ci.patch("slices/ip-licensing", {"n_min": 31})
    answer = owner.post(EDIT, mine)
    assert answer.status_code == 422
    page = text_of(answer)
    for shown in ("is at revision 2 since", "Fewest cases: 20 → 31", "My long words.", 'value="2"'):
        assert shown in page
    assert slice_named(northgate.organization, "ip-licensing").revision == 2
    again = owner.post(EDIT, mine | {"revision": "2"})
    assert again.status_code == 302


def test_a_new_slice_gets_a_slug_of_its_name(northgate: Scene, owner: Client, legal: Application) -> None:
    answer = owner.post(f"{SLICES}new/", given(name="Français: de Belgique", application="legal-assistant"))
    assert answer.status_code == 302, text_of(answer)
    row = slice_named(northgate.organization, "francais-de-belgique")
    assert row.application == legal


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "新"}, "slug"),
        ({"slug": "new"}, "slug"),
        ({"slug": "Not one"}, "slug"),
        ({"slug": "ip-licensing"}, "__all__"),
        ({"threshold": "0.96"}, "threshold"),
        ({"threshold": "0.65001"}, "threshold"),
        ({"quality_floor": "1.1"}, "quality_floor"),
        ({"n_min": "0"}, "n_min"),
        ({"policy": "lenient"}, "policy"),
        ({"judge": "legal"}, "judge"),
        ({"parent": "nowhere"}, "parent"),
        ({"owner": "nobody@example.com"}, "owner"),
        ({"application": "nowhere"}, "application"),
        ({"match_kind": "locale"}, "match_locale"),
        ({"match_kind": "locale", "match_locale": "not a locale"}, "match_locale"),
        ({"match_kind": "pattern", "match_pattern": "(a"}, "match_pattern"),
        ({"match_kind": "metadata"}, "match_metadata"),
        ({"match_kind": "judge", "match_judge": "x"}, "match_judge"),
        ({"match_locale": "fr"}, "match_kind"),
    ],
)
def test_what_breaks_a_rule_is_told_at_its_field_and_nothing_is_made(
    northgate: Scene, owner: Client, changes: dict[str, str], field: str
) -> None:
    answer = owner.post(f"{SLICES}new/", given(name="Another") | changes)
    assert answer.status_code == 422
    assert field in answer.context["form"].errors
    assert Slice.objects.filter(organization=northgate.organization).count() == 2


def test_metadata_keeps_numbers_truths_and_texts_apart(northgate: Scene, owner: Client) -> None:
    rows = {"topic": "ip", "tier": "3", "urgent": "true", "code": '"3"'}
    sent = seen(northgate, match_kind="metadata")
    sent |= {"match_metadata_key": [*rows, ""], "match_metadata_value": [*rows.values(), ""]}
    assert owner.post(EDIT, sent).status_code == 302
    held = slice_named(northgate.organization, "ip-licensing").match
    assert held == {"metadata": {"topic": "ip", "tier": 3, "urgent": True, "code": "3"}}
    initial = owner.get(EDIT).context["form"].initial["match_metadata"]
    assert dict(initial) == rows


def test_an_owner_who_left_does_not_stand_in_the_way_of_other_changes(northgate: Scene, owner: Client) -> None:
    left = person(northgate.organization, "domain-owner", email="left@northgate.example")
    northgate.ci.patch("slices/ip-licensing", {"owner": left.email})
    left.memberships.all().delete()
    assert owner.post(EDIT, seen(northgate, owner=left.email, n_min="33")).status_code == 302
    assert slice_named(northgate.organization, "ip-licensing").n_min == 33


def test_who_may_not_change_reads_why_in_place_of_the_form(northgate: Scene) -> None:
    viewer = signed_in(northgate, "viewer")
    for path in (EDIT, f"{SLICES}new/", f"{SLICES}import/"):
        page = text_of(viewer.get(path))
        assert "To define slices and suites one must be" in page
        assert 'method="post" id="slice-form"' not in page
        assert viewer.post(path, seen(northgate)).status_code == 403
    assert viewer.post(f"{SLICES}preview/", given()).status_code == 403
    assert "Change</a>" not in text_of(viewer.get(f"{SLICES}ip-licensing/"))


def test_pages_of_slices_are_not_found_by_outsiders(northgate: Scene, eastgate: Scene) -> None:
    outsider = signed_in(eastgate, "admin", "domain-owner")
    for path in (EDIT, f"{SLICES}new/", f"{SLICES}import/", f"{SLICES}slices.json", f"{SLICES}slices.csv"):
        assert outsider.get(path).status_code == 404
    assert outsider.post(f"{SLICES}preview/", given()).status_code == 404


def test_the_preview_takes_no_other_method_and_no_slice_of_others(
    northgate: Scene, eastgate: Scene, owner: Client
) -> None:
    assert owner.get(f"{SLICES}preview/").status_code == 405
    eastgate.ci.post("slices", {"slug": "theirs"})
    assert owner.post(f"{SLICES}preview/?slice=theirs", given()).status_code == 404


# ---- the tree and one slice


def test_the_tree_shows_what_each_slice_was_last_measured_at(
    northgate: Scene, owner: Client, legal: Application
) -> None:
    ip_licensing(northgate, legal)
    page = text_of(owner.get(SLICES))
    for shown in ("0.65", JUDGE, "Failed", "r128", "0.41", "Not calibrated", "84", "New slice", "Import"):
        assert shown in page


def test_cases_of_children_count_for_their_parents(northgate: Scene, owner: Client) -> None:
    create_slice(actor=northgate.actor, slug="royalties", parent="ip-licensing")
    suite(northgate, {"ip-licensing": 3, "royalties": 4})
    rows = {row.slice.slug: row.cases for row in owner.get(SLICES).context["tree"]}
    assert (rows["ip-licensing"].count, rows["royalties"].count, rows["contract-drafting"]) == (7, 4, None)
    samples = owner.get(f"{SLICES}ip-licensing/").context["samples"]
    assert {case.slice.slug for case in samples} == {"ip-licensing", "royalties"}


def test_a_large_tree_comes_in_pages(northgate: Scene, owner: Client) -> None:
    for number in range(199):
        Slice.objects.create(
            organization=northgate.organization, slug=f"s{number}", name="S", created_at="2026-01-01T00:00Z"
        )
    first = owner.get(SLICES)
    assert len(first.context["tree"]) == 200
    second = owner.get(f"{SLICES}?cursor={first.context['next_cursor']}")
    assert (len(second.context["tree"]), second.context["next_cursor"]) == (1, None)


def test_a_slice_shows_its_history_with_the_thresholds_of_their_time(
    northgate: Scene, owner: Client, legal: Application
) -> None:
    ip_licensing(northgate, legal)
    answer = owner.get(f"{SLICES}ip-licensing/")
    page = text_of(answer)
    assert "Agreement of r128: 0.41 beside a threshold of 0.65; it passed in 9 of the last 10 releases." in page
    assert "The threshold went from 0.60 to 0.65 with r125." in page
    for shown in ("0.32 to 0.48", "Quality of r128: 0.71", "Not calibrated", "Question 0 on ip-licensing?"):
        assert shown in page
    steps = answer.context["charts"][0].payload["data"][0]
    assert (steps["y"][0], steps["y"][-1], steps["line"]["shape"]) == (0.6, 0.65, "hvh")


def test_revisions_say_what_changed_between_them(northgate: Scene, owner: Client) -> None:
    boss = person(northgate.organization, "domain-owner", email="ines@northgate.example")
    northgate.ci.patch("slices/ip-licensing", {"threshold": 0.6})
    northgate.ci.patch("slices/ip-licensing", {"threshold": 0.65, "owner": boss.email, "parent": "contract-drafting"})
    revisions = owner.get(f"{SLICES}ip-licensing/").context["revisions"]
    assert [str(change) for change in revisions[0].changes] == [
        "Below: nothing → contract-drafting",
        "Owner: nobody → ines",
        "Agreement at least: 0.6 → 0.65",
    ]
    assert [len(each.changes) for each in revisions] == [3, 1, 0]


def test_pages_take_the_same_queries_for_thirty_slices_as_for_three(
    northgate: Scene, owner: Client, legal: Application
) -> None:
    ip_licensing(northgate, legal)
    of = Suite.objects.get(organization=northgate.organization)
    paths = (SLICES, f"{SLICES}ip-licensing/", EDIT, f"{SLICES}new/")
    few = [_queries(owner, path) for path in paths]
    for number in range(27):
        made = create_slice(actor=northgate.actor, slug=f"s{number}", parent="ip-licensing", threshold=Decimal("0.5"))
        judged(made, of, legal, 128, 0.7)
    assert [_queries(owner, path) for path in paths] == few
    assert max(few) <= 16


def _queries(client: Client, path: str) -> int:
    client.get(path)
    with CaptureQueriesContext(connection) as counted:
        assert client.get(path).status_code == 200
    return len(counted)
