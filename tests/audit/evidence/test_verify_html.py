"""`verify.html` as a file: the same bytes each time, one policy that fits them, nothing from outside."""

import base64
import hashlib
import re

import pytest
from django.test import Client

from audit import verifier_page
from audit.verifier_page import PARTS_FOLDER, SCRIPTS, STYLES, verifier_script
from tests import factories


@pytest.fixture(scope="module")
def page() -> str:
    return verifier_page.verifier_page().decode("utf-8")


def inside(page: str, tag: str) -> str:
    found = re.findall(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
    assert len(found) == 1
    return str(found[0])


def test_the_same_parts_give_the_same_bytes(page: str) -> None:
    assert verifier_page.verifier_page().decode("utf-8") == page


@pytest.mark.parametrize("tag", ["script", "style"])
def test_the_policy_allows_what_is_inline_and_nothing_else(page: str, tag: str) -> None:
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', page)
    digest = base64.b64encode(hashlib.sha256(inside(page, tag).encode()).digest()).decode()
    assert f"{tag}-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy


def test_nothing_is_fetched_and_no_text_of_a_file_becomes_markup(page: str) -> None:
    script = inside(page, "script")
    for word in ("fetch(", "XMLHttpRequest", "WebSocket", "importScripts", "innerHTML", "insertAdjacentHTML", "eval("):
        assert word not in script
    assert re.findall(r'(?:src|href)="', page) == []
    assert re.findall(r"url\(|@import", inside(page, "style")) == []


def test_every_part_in_the_folder_is_in_the_page() -> None:
    assert {path.stem for path in PARTS_FOLDER.glob("*.js")} == set(SCRIPTS)
    assert {path.stem for path in PARTS_FOLDER.glob("*.css")} == set(STYLES)


def test_no_part_is_longer_than_a_source_file_of_ours() -> None:
    long = {path.name: len(path.read_text("utf-8").splitlines()) for path in PARTS_FOLDER.iterdir()}
    assert {name: lines for name, lines in long.items() if lines > 400} == {}


def test_a_part_that_would_end_the_script_is_refused(tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verifier_page, "SCRIPTS", ("broken",))
    monkeypatch.setattr(verifier_page, "PARTS_FOLDER", tmp_path)
    (verifier_page.PARTS_FOLDER / "broken.js").write_text("const end = '</script>';")
    with pytest.raises(ValueError, match="would end it"):
        verifier_script()


@pytest.mark.django_db
def test_the_file_is_saved_from_the_product_and_by_the_api_and_never_shown_as_its_page(page: str) -> None:
    owner = factories.organization()
    visitor = Client()
    visitor.force_login(factories.person(owner, "auditor"))
    client = factories.api(factories.service_token(owner, "audit:read"))
    for answer in (visitor.get("/o/northgate/audit/verify.html"), client.get("verify.html")):
        assert answer.content.decode("utf-8") == page
        assert answer["Content-Disposition"] == 'attachment; filename="verify.html"'
        assert answer["Content-Type"] == "application/octet-stream"


@pytest.mark.django_db
def test_the_product_shows_the_same_verifier_under_its_own_policy() -> None:
    visitor = Client()
    visitor.force_login(factories.person(factories.organization(), "auditor"))
    shown = visitor.get("/o/northgate/audit/verify/").content.decode("utf-8")
    assert '<div id="verifier"></div>' in shown
    for name, kind, content in (("script.js", "text/javascript", verifier_script()), ("style.css", "text/css", None)):
        path = f"/o/northgate/audit/verify/{name}"
        answer = visitor.get(path)
        assert path in shown
        assert answer["Content-Type"].startswith(kind)
        assert answer.content.decode("utf-8") == (content or verifier_page.verifier_style())
