"""Rules that hold for every template and static file: nothing inline, nothing from elsewhere, nothing too long."""

import re
from pathlib import Path
from statistics import median

import pytest
from django.core.management import call_command

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
PARTS = sorted((ROOT / "templates" / "parts").glob("*.html"))
OWN_FILES = [ROOT / "static" / name for name in ("app.css", "app.js")]
FORBIDDEN = {
    "inline style": re.compile(r"\sstyle\s*="),
    "style element": re.compile(r"<style\b", re.IGNORECASE),
    "inline script": re.compile(r"<script\b(?![^>]*\bsrc=)", re.IGNORECASE),
    "event attribute": re.compile(r"\son[a-z]+\s*=", re.IGNORECASE),
    "hx-on or js:": re.compile(r"hx-on|\bjs:|javascript:"),
    "trigger filter": re.compile(r'hx-trigger="[^"]*\['),
    "something from elsewhere": re.compile(r"(?:src|href)=\"(?:https?:)?//"),
    "unescaped value": re.compile(r"\|\s*safe\b|autoescape off"),
}


def test_no_template_has_anything_that_the_policy_forbids() -> None:
    texts = {str(path.relative_to(ROOT)): path.read_text() for path in TEMPLATES}
    assert len(texts) > 300
    found = [(path, name) for path, text in texts.items() for name, each in FORBIDDEN.items() if each.search(text)]
    assert found == []


def test_parts_are_small() -> None:
    assert median(len(path.read_text().splitlines()) for path in PARTS) <= 15


def test_our_style_and_script_stay_short() -> None:
    sheet, script = (len(path.read_text().splitlines()) for path in OWN_FILES)
    assert sheet < 300
    assert script < 200


def test_every_icon_that_is_used_is_in_the_sprite() -> None:
    sprite = (ROOT / "templates/parts/sprite.html").read_text()
    known = set(re.findall(r'<symbol id="([^"]+)"', sprite))
    text = "".join(path.read_text() for path in TEMPLATES)
    used = {f"i-{name}" for name in re.findall(r'{% icon "([^"]+)"', text)} | set(
        re.findall(r'href="#([a-z]-[a-z0-9-]+)"', text)
    )
    assert used - known == set()


def test_every_vendored_package_has_its_licence() -> None:
    folders = [path for path in (ROOT / "static/vendor").iterdir() if path.is_dir()]
    assert folders
    assert [path.name for path in folders if not (path / "LICENSE").exists()] == []


@pytest.mark.filterwarnings("ignore")
def test_static_files_can_be_collected_under_hashed_names(settings: object, tmp_path: Path) -> None:
    settings.STATIC_ROOT = tmp_path  # type: ignore[attr-defined]
    settings.STORAGES = {  # type: ignore[attr-defined]
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"}
    }
    call_command("collectstatic", interactive=False, verbosity=0)
    assert list(tmp_path.glob("app.*.css"))
