"""`verify.html` as an auditor uses it, for `manage.py bench evidence`: from disk, in a browser without a network.

`python -m relcontrol.bench.evidence_page PAGE EXPORT TRUST CHROMIUM` writes the seconds from the click to the verdict.
In a process of its own, because Playwright's loop would make Django take this thread for an asynchronous one.
"""

import sys
import time
from pathlib import Path
from typing import Final

from playwright.sync_api import sync_playwright

ARGUMENTS: Final = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking")
PATIENCE_MS: Final = 600_000
NOTHING_FAILED: Final = "Nothing failed"


def verified(page: Path, export: Path, trust: Path, browser: str) -> float:
    """Seconds until the page says that nothing failed; raises `RuntimeError` where it says something else."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser, args=list(ARGUMENTS))
        tab = chromium.new_context(offline=True).new_page()
        tab.goto(page.as_uri())
        tab.get_by_label("Export", exact=True).set_input_files(export)
        tab.get_by_label("Trust file").set_input_files(trust)
        began = time.perf_counter()
        tab.get_by_role("button", name="Verify", exact=True).click()
        verdict = tab.locator("#v-verdict")
        verdict.wait_for(timeout=PATIENCE_MS)
        took, said = time.perf_counter() - began, verdict.inner_text()
        chromium.close()
    if NOTHING_FAILED not in said:
        raise RuntimeError(f"verify.html says: {said}")
    return took


if __name__ == "__main__":
    sys.stdout.write(f"{verified(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), sys.argv[4])}\n")
