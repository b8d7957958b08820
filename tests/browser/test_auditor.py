"""The auditor's way, in a browser alone: what served then, its release, an export of it, and verifying that offline."""

import json
import shutil
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from audit.exporting.exports import make_export
from audit.models import Export
from audit.verifier_page import verifier_page
from relcontrol import clock as clock_of_the_product
from relcontrol.clock import now
from relcontrol.jobs.running import run
from releases.rolling import looking, readiness, ticking
from tests import factories
from tests.audit.evidence.spoiling import Case
from tests.audit.exports.anchored import anchor, checkpoint
from tests.browser.conftest import OpenPage
from tests.browser.verify_html import opened
from tests.releases.canary import Canary, canary
from tests.releases.lineage.walked import Clock, rolled
from tests.releases.rolling.readings import Readings

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch, settings: Any) -> Canary:
    """A route whose release came by a rollout; the log is time-stamped, and then seen by a witness."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    clock = Clock()
    monkeypatch.setattr(clock_of_the_product, "datetime", clock)
    monkeypatch.setattr(readiness, "COOL_DOWN", timedelta(0))
    monkeypatch.setattr(looking, "measured", Readings().measured)
    monkeypatch.setattr(ticking, "fold", lambda *_: None)
    monkeypatch.setattr(ticking, "choose_pairs", lambda *_: 0)
    here = canary()
    rolled(here, clock, here.candidate)
    factories.person(here.organization, "auditor")
    for kind in ("rfc3161", "witness"):
        with transaction.atomic():
            anchor(checkpoint(here.organization), kind)
    return here


def signed_in(page: Page, slug: str) -> Page:
    page.get_by_label("E-mail").fill(f"auditor@{slug}.example")
    page.get_by_label("Password").fill(factories.PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    return page


def downloaded(page: Page, name: str, folder: Path) -> Path:
    """The file behind this link, under the name that the server gives it."""
    with page.expect_download() as begun:
        page.get_by_role("link", name=name).click()
    file = folder / begun.value.suggested_filename
    begun.value.save_as(file)
    return file


def said(folder: Path, *files: Path) -> dict[str, Any]:
    """What verify.py says, with this Python and none of its packages, in another folder."""
    program, archive, trust = files
    command = [sys.executable, "-I", "-S", str(program), str(archive), "--trust", str(trust), "--json"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)
    assert ended.stderr == ""
    report: dict[str, Any] = json.loads(ended.stdout)
    return report


def outcomes(report: dict[str, Any]) -> dict[str, str]:
    return {verdict["check"]: verdict["outcome"] for verdict in report["verdicts"]}


def test_from_a_time_to_a_release_to_an_export_that_verifies_offline(
    open_page: OpenPage, served: Canary, chromium: Browser, tmp_path: Path
) -> None:
    home = f"/o/{served.organization.slug}"
    page = signed_in(open_page(f"{home}/lineage/"), served.organization.slug)
    page.get_by_label("Route").select_option(str(served.route.pk))
    page.get_by_label("Time, UTC").fill(f"{now():%Y-%m-%dT%H:%M:%S}")
    page.get_by_role("button", name="Find").click()
    expect(page.locator("#then + *")).to_contain_text("From verified receipts")
    page.locator("section[aria-labelledby=then] dd a").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(served.candidate.name)

    page.goto(f"{home}/audit/exports/")
    expect(page.locator("[name=release]")).to_be_hidden()
    page.get_by_label("One release").check()
    page.locator("[name=release]").fill(served.candidate.pk)
    page.get_by_role("button", name="Make the export").click()
    expect(page.get_by_text("Waiting")).to_be_visible()
    assert run(Export.objects.filter(organization=served.organization), make_export)
    archive = downloaded(page, "Download the ZIP", tmp_path)
    report = downloaded(page, "Download the report", tmp_path)
    verifier, trust = (downloaded(page, name, tmp_path) for name in ("verify.py", "trust.json"))

    assert verifier_page() in archive.read_bytes()
    by_program = said(tmp_path, verifier, archive, trust)
    assert (by_program["exit_code"], by_program["failures"]) == (3, [])
    expected = {"INTEGRITY": "holds", "AUTHENTICITY": "holds", "TIME": "not checked", "COMPLETENESS": "holds"}
    assert outcomes(by_program).items() >= expected.items()

    with opened(chromium, tmp_path) as alone:
        (by_page,) = alone.says([Case(archive.read_bytes(), json.loads(trust.read_text("utf-8")))])
    assert outcomes(by_page) == outcomes(by_program)
    assert by_page["head"] == by_program["head"]

    verified_in_the_product(page, home, archive, trust)
    for image in pages_of(report, tmp_path):
        assert not is_blank(image), image.name


def verified_in_the_product(page: Page, home: str, archive: Path, trust: Path) -> None:
    """The same in the product's own page, under its policy; the file itself says the same when one byte is other."""
    page.goto(f"{home}/audit/verify/")
    page.get_by_label("Export", exact=True).set_input_files(archive)
    page.get_by_label("Trust file").set_input_files(trust)
    page.get_by_role("button", name="Verify", exact=True).click()
    expect(page.locator("#v-verdict")).to_have_text("Nothing failed, but not everything was checked.")
    content = bytearray(archive.read_bytes())
    content[len(content) // 2] ^= 1
    spoiled = {"name": "spoiled.zip", "mimeType": "application/zip", "buffer": bytes(content)}
    page.get_by_label("Export", exact=True).set_input_files(spoiled)  # type: ignore[arg-type]  # as Playwright takes it
    page.get_by_role("button", name="Verify", exact=True).click()
    expect(page.locator("#v-verdict")).to_have_text("This export fails: do not rely on it.")


def pages_of(report: Path, folder: Path) -> list[Path]:
    """The report's pages as images; none where no program here makes them."""
    program = shutil.which("pdftoppm")
    if program is None:
        return []
    subprocess.run([program, "-r", "40", "-png", str(report), str(folder / "page")], check=True)
    images = sorted(folder.glob("page-*.png"))
    assert images
    return images


def is_blank(image: Path) -> bool:
    """Whether a page shows one grey and nothing else."""
    with Image.open(image) as opened_image:
        darkest, lightest = opened_image.convert("L").getextrema()
    return darkest == lightest
