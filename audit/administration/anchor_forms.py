"""Forms of anchors: the schedule, and one form for each kind of sink. Labels are questions; services check again."""

import base64
from collections.abc import Mapping
from typing import Any, Final

from django import forms

from audit.anchor_models import AnchorSink
from audit.log.notes import COSIGNATURE, vkey
from relcontrol.web.forms import Form

URL_WIDGET: Final = {"autocomplete": "off", "spellcheck": "false"}


class ScheduleForm(Form):
    """When the log is anchored."""

    every_minutes = forms.IntegerField(
        label="After how many minutes, if there is something new?",
        help_text="Empty: never for the time alone.",
        required=False,
        min_value=1,
    )
    every_receipts = forms.IntegerField(
        label="After how many receipts?", help_text="Empty: never for the number alone.", required=False, min_value=1
    )
    on_promotion = forms.BooleanField(label="When a release is promoted", required=False)
    on_rollback = forms.BooleanField(label="When a release is rolled back", required=False)
    overdue_minutes = forms.IntegerField(
        label="After how many minutes without success is somebody told?",
        help_text="The overview, the health page and /metrics then say so. Releases are never stopped by it.",
        min_value=5,
    )


class SinkForm(Form):
    """What every kind of sink has."""

    name = forms.CharField(
        label="What do people call it?", help_text="It stands in every receipt of its anchors.", max_length=100
    )


class TimeStampForm(SinkForm):
    """An RFC 3161 authority."""

    url = forms.CharField(
        label="Where does the authority answer?",
        help_text="Such as https://tsa.example/tsr. It is sent a hash, and no receipt.",
        max_length=500,
        widget=forms.TextInput(attrs=URL_WIDGET),
    )
    roots = forms.CharField(
        label="Which root certificates do you trust?",
        help_text="PEM, one below the other. Get them from the authority by another way than its answers.",
        max_length=100_000,
        widget=forms.Textarea(attrs={"rows": 6, "class": "mono", "spellcheck": "false"}),
    )
    policy = forms.CharField(
        label="Under which policy must it stamp?",
        help_text="An OID such as 1.2.3.4.1. Empty: any of the authority's.",
        required=False,
        max_length=200,
    )


class WitnessForm(SinkForm):
    """A C2SP witness."""

    url = forms.CharField(
        label="Where does the witness answer?",
        help_text="Its submission prefix, without /add-checkpoint.",
        max_length=500,
        widget=forms.TextInput(attrs=URL_WIDGET),
    )
    public_key = forms.CharField(
        label="Which verifier key does it have?",
        help_text="As it prints it at its start: name+id+key. Compare it by another way.",
        max_length=400,
        widget=forms.TextInput(attrs={**URL_WIDGET, "class": "mono"}),
    )


class WebhookForm(SinkForm):
    """An address of yours."""

    url = forms.CharField(
        label="Where do you want each head sent?", max_length=500, widget=forms.TextInput(attrs=URL_WIDGET)
    )
    secret_name = forms.CharField(
        label="Which secret signs it?",
        help_text="The name of a secret (whsec_…) that the worker has in its environment as RELCONTROL_CREDENTIAL_….",
        max_length=100,
    )


class FolderForm(SinkForm):
    """A folder of the machine."""

    folder = forms.CharField(
        label="Into which folder?",
        help_text="Below one of those that RELCONTROL_ANCHOR_FOLDERS names on the machine of the worker; by default "
        "anchors in its data folder.",
        max_length=500,
        widget=forms.TextInput(attrs={**URL_WIDGET, "class": "mono"}),
    )


FORMS: Final[Mapping[str, type[SinkForm]]] = {
    AnchorSink.Kind.RFC3161: TimeStampForm,
    AnchorSink.Kind.WITNESS: WitnessForm,
    AnchorSink.Kind.WEBHOOK: WebhookForm,
    AnchorSink.Kind.FILE: FolderForm,
}


def settings_from(kind: str, said: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that a filled-in form of this kind means."""
    settings = {name: value for name, value in said.items() if name != "name"}
    if kind == AnchorSink.Kind.RFC3161:
        settings["roots"] = [settings["roots"]]
    return settings


def initial_of(sink: AnchorSink) -> dict[str, Any]:
    """The form as it stands for this sink."""
    settings = dict(sink.settings)
    if sink.kind == AnchorSink.Kind.RFC3161:
        settings["roots"] = "".join(settings["roots"])
    if sink.kind == AnchorSink.Kind.WITNESS:
        public = base64.b64decode(settings["public_key"])
        settings = {"url": settings["url"], "public_key": vkey(settings["name"], public, COSIGNATURE)}
    return {**settings, "name": sink.name}
