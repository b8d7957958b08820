"""The file of slices: exported, shown as what it would change, and imported whole or not at all."""

import json
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from gates.models import Slice
from gates.slices.services import slice_named
from relcontrol.accounts.models import Application
from tests.factories import application
from tests.gates.scene import Scene
from tests.gates.slices.test_pages import SLICES, signed_in, text_of


@pytest.fixture
def legal(northgate: Scene) -> Application:
    return application(northgate.organization)


@pytest.fixture
def owner(northgate: Scene) -> Client:
    return signed_in(northgate, "domain-owner")


def uploaded(client: Client, content: Any, name: str = "slices.json") -> Any:
    body = content if isinstance(content, (bytes, str)) else json.dumps(content)
    body = body.encode() if isinstance(body, str) else body
    return client.post(f"{SLICES}import/", {"file": SimpleUploadedFile(name, body)})


def applied(client: Client, answer: Any, **changes: str) -> Any:
    """Press the button of the page that shows what would change."""
    form = {"content": answer.context["content"], "state": answer.context["plan"].state}
    return client.post(f"{SLICES}import/", form | changes, follow=True)


@pytest.mark.parametrize("name", ["slices.json", "slices.csv"])
def test_an_exported_file_changes_nothing_when_it_comes_back(
    northgate: Scene, owner: Client, legal: Application, name: str
) -> None:
    northgate.ci.post(
        "slices",
        {
            "slug": "belgian-french",
            "name": 'Belgian, "French"',
            "parent": "ip-licensing",
            "application": "legal-assistant",
            "threshold": 0.655,
            "description": "One line,\nand another.",
            "match": {"metadata": {"lang": "fr", "tier": 3}},
        },
    )
    northgate.ci.post("slices", {"slug": "formula", "name": "=1+1", "description": "'-2"})
    content = owner.get(f"{SLICES}{name}").content
    assert not any(line.startswith(b"formula,=") for line in content.splitlines()), "a spreadsheet would calculate it"
    plan = uploaded(owner, content, name).context["plan"]
    assert (plan.changes, len(plan.slices)) == (0, 4)


def test_a_file_shows_first_and_changes_then_with_a_receipt_for_each(northgate: Scene, owner: Client) -> None:
    receipts = len(northgate.receipts())
    rows = [
        {"slug": "child", "parent": "fresh"},
        {"slug": "fresh", "threshold": 0.7},
        {"slug": "ip-licensing", "threshold": 0.65},
        {"slug": "contract-drafting"},
    ]
    shown = uploaded(owner, rows)
    assert "3 of 4 slices would be new or change" in text_of(shown)
    assert "not set → 0.65" in text_of(shown)
    assert len(northgate.receipts()) == receipts
    done = applied(owner, shown)
    assert "Imported: 2 new, 1 changed, 1 as they were" in text_of(done)
    assert len(northgate.receipts()) == receipts + 3
    assert slice_named(northgate.organization, "child").parent == slice_named(northgate.organization, "fresh")


def test_every_wrong_row_is_told_and_nothing_is_imported(northgate: Scene, owner: Client) -> None:
    rows = "slug,threshold,parent\nfresh,2,\nnew,0.5,\nother,0.5,nowhere\nother,0.5,\nip-licensing,0.5,\n"
    answer = uploaded(owner, rows, "slices.csv")
    assert answer.status_code == 422
    said = answer.context["errors"]
    assert [row for row, _ in said] == ["3", "5", "2", "4"]
    assert Slice.objects.filter(organization=northgate.organization).count() == 2
    assert slice_named(northgate.organization, "ip-licensing").revision == 1


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"   ",
        b"{}",
        b"[]",
        b"[1]",
        b'{"slices": 3}',
        b"[{]",
        b"\xff\xfe\x00",
        b"name\nx",
        b"slug,slug\nx,y",
        b"slug,weight\nx,y",
        b"slug",
        b"slug,name\nx",
        b'[{"slug": 3}]',
        b'[{"slug": "x", "weight": 1}]',
        b'[{"slug": "x", "parent": 3}]',
        b'[{"slug": "x", "parent": "x"}]',
        b'[{"slug": "x", "name": null}]',
        b'[{"slug": "x", "threshold": true}]',
        b'[{"slug": "x", "match": [1]}]',
        b'[{"slug": "x", "description": "a\\u0000b"}]',
        b"slug,match\nx,{",
    ],
)
def test_a_file_that_cannot_be_read_is_refused_in_words(northgate: Scene, owner: Client, content: bytes) -> None:
    answer = uploaded(owner, content)
    assert answer.status_code == 422
    assert Slice.objects.filter(organization=northgate.organization).count() == 2


def test_a_plan_that_is_no_longer_true_is_shown_again(northgate: Scene, owner: Client) -> None:
    shown = uploaded(owner, [{"slug": "fresh"}])
    northgate.ci.patch("slices/ip-licensing", {"n_min": 44})
    again = applied(owner, shown)
    assert again.status_code == 409
    assert "Slices have changed since this was shown" in text_of(again)
    assert "Imported: 1 new" in text_of(applied(owner, again))
