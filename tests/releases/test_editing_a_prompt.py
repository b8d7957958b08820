"""A prompt edited in a dashboard (ten-failures.md 2): a new artifact and SHA; what serves stays what it was."""

from releases.artifacts import create_artifact, next_version
from releases.models import Release
from releases.selectors import serving
from tests.releases.scene import Scene, stable

LONG = "You are a careful assistant for questions of law; answer only with sources that exist."
EDITED = "You are a careful assistant; answer only with sources."


def _live(northgate: Scene) -> Release:
    value = {"kind": "prompt_template", "system": LONG}
    create_artifact(actor=northgate.actor, ref="templates/live@v14", value=value)
    return stable(northgate.registered(prompt_template_ref="templates/live@v14")["release_id"])


def test_an_edit_is_a_new_version_and_a_new_digest(northgate: Scene) -> None:
    _live(northgate)
    version = next_version(organization=northgate.organization, name="templates/live")
    value = {"kind": "prompt_template", "system": EDITED}
    made, created = create_artifact(actor=northgate.actor, ref=f"templates/live@{version}", value=value)
    assert (version, created) == ("v15", True)
    assert made.artifact.digest != northgate.ci.get("artifacts/templates/live@v14").json()["sha256"]


def test_an_edit_changes_nothing_that_the_route_serves(northgate: Scene) -> None:
    live = _live(northgate)
    manifest, releases = bytes(live.manifest), Release.objects.count()
    value = {"kind": "prompt_template", "system": EDITED}
    create_artifact(actor=northgate.actor, ref="templates/live@v15", value=value)
    now = serving(live.route)
    assert now is not None
    assert (now.pk, bytes(now.manifest), Release.objects.count()) == (live.pk, manifest, releases)


def test_registering_the_edit_is_another_release_that_does_not_serve_either(northgate: Scene) -> None:
    live = _live(northgate)
    value = {"kind": "prompt_template", "system": EDITED}
    create_artifact(actor=northgate.actor, ref="templates/live@v15", value=value)
    made = northgate.registered(prompt_template_ref="templates/live@v15")
    assert made["manifest_sha256"] != live.manifest_sha256
    assert [change["component"] for change in made["changes"]] == ["prompt_template"]
    now = serving(live.route)
    assert now is not None
    assert now.pk == live.pk


def test_the_difference_shows_both_texts(northgate: Scene) -> None:
    _live(northgate)
    create_artifact(
        actor=northgate.actor, ref="templates/live@v15", value={"kind": "prompt_template", "system": EDITED}
    )
    made = northgate.registered(prompt_template_ref="templates/live@v15")
    [change] = northgate.ci.get(f"releases/{made['release_id']}/diff").json()["changes"]
    assert LONG in change["before_text"]
    assert EDITED in change["after_text"]
    assert (change["before_ref"], change["after_ref"]) == ("templates/live@v14", "templates/live@v15")
