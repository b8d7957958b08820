"""`verify.html` from disk with the network off: as an auditor uses it, and the same verdicts as verify.py's.

Time stamps are the one difference: no browser verifies them, so verify.py is asked without the package that would.
"""

import json
import re
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from audit import verify
from audit.exporting.document import Scope
from relcontrol.bundle.canonical import canonical_bytes
from tests.audit.evidence.bundles import CREATED_AT, SOUND, Bundle, of, whole
from tests.audit.evidence.logs import Log
from tests.audit.evidence.mutations import MUTATIONS
from tests.audit.evidence.spoiling import Case
from tests.audit.evidence.test_mutations import judged
from tests.audit.pure.chains import EXPORT_ID, EXPORT_KEY, ORIGIN, RECEIPT_KEY, ledger, public
from tests.audit.pure.chains import trust as pure_trust
from tests.audit.pure.forgeries import signed
from tests.browser.conftest import EACH_THEME_AND_WIDTH, assert_accessible, assert_no_sideways_scroll
from tests.browser.verify_html import Verifier, opened

pytestmark = pytest.mark.browser
AXE = {"resultTypes": ["violations"]}


@pytest.fixture(scope="module")
def export() -> Bundle:
    return whole()


@pytest.fixture(scope="module")
def files(export: Bundle) -> dict[str, bytes]:
    """What the auditor was given."""
    return {"export": export.document(), "archive": export.zip(), "trust": json.dumps(export.trust).encode()}


@pytest.fixture
def verifier(chromium: Browser, tmp_path: Path) -> Iterator[Verifier]:
    with opened(chromium, tmp_path) as page:
        yield page


def outcome(verifier: Verifier, check: str) -> str:
    return str(verifier.page.locator(f"[data-check={check}] .v-st").inner_text())


def test_files_are_chosen_and_verified_by_keyboard(verifier: Verifier, files: dict[str, bytes], tmp_path: Path) -> None:
    for name in ("archive", "trust"):
        (tmp_path / name).write_bytes(files[name])
    page = verifier.page
    page.get_by_label("Export", exact=True).set_input_files(tmp_path / "archive")
    page.get_by_label("Trust file").set_input_files(tmp_path / "trust")
    page.get_by_label("A head that you know").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#v-verdict")).to_be_focused()
    assert outcome(verifier, "INTEGRITY") == "holds"
    assert outcome(verifier, "TIME") == "not checked"
    for theme, width in EACH_THEME_AND_WIDTH:
        page.emulate_media(color_scheme=theme)
        page.set_viewport_size({"width": width, "height": 900})
        assert_accessible(page, AXE)
        assert_no_sideways_scroll(page)


def test_files_are_dropped_first_a_sound_one_then_a_spoiled_one(verifier: Verifier, files: dict[str, bytes]) -> None:
    verifier.drop(trust=files["trust"])
    expect(verifier.page.get_by_role("status")).to_contain_text("now the export")
    verifier.drop(export=files["export"])
    expect(verifier.page.locator("#v-verdict")).to_contain_text("Nothing failed")
    verifier.drop(archive=files["archive"].replace(b"receipts", b"receiptz", 1))
    expect(verifier.page.locator("#v-verdict")).to_contain_text("do not rely on it")
    assert outcome(verifier, "INTEGRITY") == "fails"
    expect(verifier.page.locator(".v-failures")).to_contain_text("expected")
    assert_accessible(verifier.page, AXE)


def test_where_there_is_no_worker_the_page_verifies_by_itself(verifier: Verifier, files: dict[str, bytes]) -> None:
    verifier.page.evaluate("delete window.Worker")
    verifier.drop(export=files["export"], trust=files["trust"])
    expect(verifier.page.locator("#v-verdict")).to_contain_text("Nothing failed")


def test_a_signed_head_is_dropped_beside_the_export(verifier: Verifier, export: Bundle) -> None:
    head = export.checkpoints[-1]["note"].encode()
    verifier.drop(archive=export.zip(), trust=json.dumps(export.trust).encode(), head=head)
    expect(verifier.page.locator("[data-check=COMPLETENESS]")).to_contain_text("the head that you hold, seq 7")


def test_the_result_is_saved_and_printed_without_the_form(verifier: Verifier, files: dict[str, bytes]) -> None:
    verifier.drop(export=files["export"], trust=files["trust"])
    with verifier.page.expect_download() as begun:
        verifier.page.get_by_role("button", name="Save the result").click()
    saved = json.loads(begun.value.path().read_text("utf-8"))
    assert (saved["exit_code"], len(saved["verdicts"])) == (3, 6)
    verifier.page.emulate_media(media="print")
    expect(verifier.page.locator("#v-verdict")).to_be_visible()
    expect(verifier.page.get_by_label("Trust file")).to_be_hidden()


def test_what_a_file_says_is_shown_as_text(verifier: Verifier, files: dict[str, bytes]) -> None:
    marked = json.loads(files["export"])
    marked["<img src=x onerror=alert(1)>"] = 1
    verifier.drop(export=json.dumps(marked).encode(), trust=files["trust"])
    expect(verifier.page.locator(".v-failures")).to_contain_text("<img src=x onerror=alert(1)>")
    assert verifier.page.locator("img").count() == 0


@pytest.mark.parametrize("broken", [b"{}", b"[" * 1_000_000, b"\xff", b'{"keys":NaN}'])
def test_an_unusable_trust_file_is_said_and_nothing_is_verified(
    verifier: Verifier, files: dict[str, bytes], broken: bytes
) -> None:
    verifier.drop(export=files["export"], trust=broken)
    expect(verifier.page.get_by_role("alert")).to_contain_text("the trust file is not usable")
    assert verifier.page.locator("#v-verdict").count() == 0


def test_the_page_may_ask_nobody(verifier: Verifier) -> None:
    refused = verifier.page.evaluate(
        """async () => {
            const policy = new Promise((done) => addEventListener("securitypolicyviolation", (event) => done(event)));
            await fetch("https://example.com/").catch(() => {});
            return (await policy).effectiveDirective;
        }"""
    )
    assert refused == "connect-src"
    assert verifier.page.evaluate("typeof relcontrolVerify") == "function"
    assert all("example.com" in line for line in verifier.complaints)
    verifier.complaints.clear()


def cases() -> Iterator[tuple[str, Case]]:
    """Every mutation, and every sound export as JSON, as ZIP and without a trust file."""
    yield from ((mutation.name, mutation.make()) for mutation in MUTATIONS)
    for name, make in SOUND.items():
        bundle = make()
        yield f"{name} as JSON", Case(bundle.document(), bundle.trust)
        yield f"{name} as ZIP", Case(bundle.zip(), bundle.trust)
        yield f"{name} without a trust file", Case(bundle.document(), None)
    yield "the first format", first_format()


def first_format() -> Case:
    """An export as it was before there were anchors."""
    chain = ledger()
    parts: dict[str, list[Any]] = {
        "checkpoints": [],
        "keys": [public(RECEIPT_KEY).as_json(), public(EXPORT_KEY).as_json()],
        "openings": [opening.as_json() for opening in chain.openings],
        "receipts": chain.envelopes,
    }
    manifest = {
        "schema": "relcontrol/export/v1",
        "export_id": EXPORT_ID,
        "scope": Scope(organization=True).as_json(),
        "created_at": CREATED_AT,
        "origin": ORIGIN,
        "signer": {"keyid": EXPORT_KEY.keyid, "role": "export"},
        "parts": {name: sha256(canonical_bytes(part)).hexdigest() for name, part in parts.items()},
        "counts": {name: len(part) for name, part in parts.items()},
    }
    envelope = signed(canonical_bytes(manifest), EXPORT_KEY, verify.PAYLOAD_TYPES["export"])
    return Case(canonical_bytes({**parts, "manifest": envelope}), pure_trust())


def table(report: dict[str, Any]) -> list[Any]:
    """What two verifiers must say in the same words; of bytes without a form each may say more in its own."""
    why = re.compile(r"were not verified: .*(?=\. They cover)")
    verdicts = [(one["check"], one["outcome"], why.sub("", one["proves"])) for one in report["verdicts"]]
    failures = [(one["check"], one["seq"], one["receipt_hash"], one["detail"]) for one in report["failures"]]
    about = [report[name] for name in ("export_id", "origin", "scope", "receipts", "head", "exit_code")]
    return [about, verdicts, failures]


def test_it_says_the_same_as_verify_py_of_every_mutation_and_every_sound_export(
    verifier: Verifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verify, "_time_stamps", lambda: None)
    named = list(cases())
    differing = {}
    for (name, case), said in zip(named, verifier.says(case for _, case in named), strict=True):
        found, expected = table(said), table(judged(case).as_dict())
        if found != expected:
            differing[name] = [(one, other) for one, other in zip(found, expected, strict=True) if one != other]
    assert differing == {}


def test_the_first_format_still_verifies(verifier: Verifier) -> None:
    (report,) = verifier.says([first_format()])
    assert (report["exit_code"], report["failures"], report["receipts"]) == (3, [], 5)


def test_a_thousand_receipts_are_verified_in_a_worker(verifier: Verifier) -> None:
    log = Log()
    for _ in range(1000):
        log.settle()
    export = of(log, keyring=None)
    started: list[str] = []
    verifier.page.on("worker", lambda worker: started.append(worker.url))
    verifier.drop(export=export.document(), trust=json.dumps(export.trust).encode())
    expect(verifier.page.locator("#v-verdict")).to_contain_text("Nothing failed")
    expect(verifier.page.locator(".v-facts").first).to_contain_text(f"1000:{log.hashes[-1]}")
    assert len(started) == 1
