"""How the demo's traffic reaches its models: the endpoint's address in this run, and the key of the traffic.

The port of a later `up` may be another one. The endpoint follows it as long as it has the address that an earlier `up`
gave it: whoever points the demo at a model server of her own keeps what she wrote.
"""

import hashlib
from decimal import Decimal
from pathlib import Path
from typing import Final

from django.conf import settings

from audit.administration.application_keys import create_application_key
from audit.administration.applications import change_endpoint, create_endpoint
from relcontrol.accounts.actors import Actor
from relcontrol.accounts.models import Application, ApplicationKey, Endpoint
from relcontrol.demo.registering import APPLICATION, ENDPOINT
from relcontrol.runtime.private_files import read_text, write_private

CREDENTIAL: Final = "main-llm-key"
# The credential as gateways and workers find it. The demo models read none; whoever sees it shall know that.
ENVIRONMENT: Final = {"RELCONTROL_CREDENTIAL_MAIN_LLM_KEY": "demo-models-ask-for-no-key"}
TRAFFIC: Final = "demo traffic"


def traffic_key_file() -> Path:
    """Where the text of the traffic's application key is kept, mode 0600."""
    return Path(settings.DATA_DIR) / "demo-application-key"


def make_endpoint(actor: Actor, models_url: str) -> None:
    """The endpoint of all demo releases."""
    create_endpoint(
        actor=actor,
        name=ENDPOINT,
        base_url=models_url,
        credential=CREDENTIAL,
        input_price=Decimal("0.0000002"),
        output_price=Decimal("0.0000008"),
    )
    write_private(_address_file(), models_url)


def connect(actor: Actor, models_url: str) -> None:
    """Let the endpoint follow the demo models, and see that the traffic has a key that works."""
    _follow(actor, models_url)
    _ensure_key(actor)


def _follow(actor: Actor, models_url: str) -> None:
    row = Endpoint.objects.filter(organization=actor.organization, name=ENDPOINT).first()
    if row is None or row.base_url == models_url or row.base_url != read_text(_address_file()):
        return
    change_endpoint(
        actor=actor,
        endpoint=row,
        base_url=models_url,
        credential=row.credential,
        input_price=row.input_price,
        output_price=row.output_price,
    )
    write_private(_address_file(), models_url)


def _ensure_key(actor: Actor) -> None:
    """The file is written first: a key without its text could never be used."""
    application = Application.objects.filter(organization=actor.organization, slug=APPLICATION).first()
    digest = hashlib.sha256(read_text(traffic_key_file()).encode()).hexdigest()
    known = ApplicationKey.objects.filter(application=application, key_sha256=digest, revoked_at__isnull=True)
    if application is None or known.exists():
        return
    _, text = create_application_key(actor=actor, application=application, name=TRAFFIC)
    write_private(traffic_key_file(), text)


def _address_file() -> Path:
    return Path(settings.DATA_DIR) / "demo-models-address"
