"""`verify.html` opened from disk in a browser without a network, for the tests of auditors.

`Verifier.says` asks the page's own function, so that hundreds of files take seconds; all else goes through what a
person sees. Nothing may complain: an error in the console, a blocked request, a word about its policy.
"""

import base64
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page

from audit.verifier_page import verifier_page
from tests.audit.evidence.spoiling import Case
from tests.browser.conftest import WATCH_POLICY

SAYS = """async (cases) => {
    const bytes = (text) => Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
    const said = ([file, trust, head]) => relcontrolVerify(bytes(file), trust && bytes(trust), head);
    const reports = [];
    for (const one of cases) reports.push(await said(one).catch((error) => ({refused: error.message})));
    return reports;
}"""
DROP = """(target, files) => {
    const transfer = new DataTransfer();
    for (const [name, text] of files) {
        transfer.items.add(new File([Uint8Array.from(atob(text), (char) => char.charCodeAt(0))], name));
    }
    for (const type of ["dragenter", "dragover", "drop"]) {
        target.dispatchEvent(new DragEvent(type, {dataTransfer: transfer, bubbles: true, cancelable: true}));
    }
}"""


def text_of(content: bytes) -> str:
    """Bytes as they are handed to the page."""
    return base64.b64encode(content).decode("ascii")


class Verifier:
    """The page."""

    def __init__(self, page: Page, complaints: list[str]) -> None:
        self.page = page
        self.complaints = complaints  # a test that expects one takes it out

    def says(self, cases: Iterable[Case]) -> list[dict[str, Any]]:
        """The report on each; `{"refused": why}` where the trust file or the head is unusable."""
        given = [
            (text_of(case.file), case.trust and text_of(json.dumps(case.trust).encode()), case.head or "")
            for case in cases
        ]
        found: list[dict[str, Any]] = self.page.evaluate(SAYS, given)
        return found

    def drop(self, **files: bytes) -> None:
        """Drop files on the page by what they are: `export`, `archive`, `trust`, `head`."""
        names = {"export": "export.json", "archive": "export.zip", "trust": "trust.json", "head": "head.txt"}
        given = [(names[name], text_of(content)) for name, content in files.items()]
        self.page.locator("body").evaluate(DROP, given)


@contextmanager
def opened(browser: Browser, folder: Path) -> Iterator[Verifier]:
    """The page from this folder, with the network off."""
    path = folder / "verify.html"
    path.write_bytes(verifier_page())
    context = browser.new_context(offline=True, viewport={"width": 1400, "height": 900})
    complaints: list[str] = []
    page = context.new_page()
    page.add_init_script(WATCH_POLICY)
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(path.as_uri())
    yield Verifier(page, complaints)
    context.close()
    assert complaints == []
