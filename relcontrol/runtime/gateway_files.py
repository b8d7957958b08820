"""What the gateway of `up` is started with: its organization's token and trust file, in a folder of its own.

One gateway serves one organization (gateway.md): the demo's, else the only one that there is.
"""

import json
from pathlib import Path
from typing import Final

from audit.administration.tokens import create_token
from audit.trust import trust_document
from relcontrol.accounts.actors import command_actor
from relcontrol.accounts.bearer import token_of
from relcontrol.accounts.models import Organization
from relcontrol.clock import now
from relcontrol.demo import making as demo
from relcontrol.errors import Unauthenticated
from relcontrol.runtime.folders import PRIVATE_MODE
from relcontrol.runtime.private_files import read_text, write_private
from relcontrol.runtime.services import GatewayFiles

SCOPES: Final = ("routing:read", "gateway:heartbeat", "traces:write")
NAME: Final = "gateway of up"
NO_ORGANIZATION: Final = (
    "no gateway yet: it serves an organization, and there is none. Make one with "
    "`manage.py organization create`, then start `up` again"
)
SEVERAL: Final = (
    "no gateway: it serves one organization, and there are several. Start one for each with `manage.py gateway`; the "
    "README says how"
)


def ensure_gateway_files(data_folder: Path) -> GatewayFiles | str:
    """The files of the gateway, made where they are missing; or the sentence why there is no gateway.

    What it keeps lies apart for each organization: it would refuse the routing of another one.
    """
    organization = _served()
    if organization is None:
        return SEVERAL if Organization.objects.exists() else NO_ORGANIZATION
    folder = data_folder / "gateway"
    folder.mkdir(mode=PRIVATE_MODE, exist_ok=True)
    files = GatewayFiles(folder / "token", folder / "trust.json", folder / organization.slug)
    if not _is_valid(read_text(files.token), organization):
        _, text = create_token(actor=command_actor(organization), name=NAME, scopes=SCOPES)
        write_private(files.token, text)
    write_private(files.trust, json.dumps(trust_document(organization), indent=2))
    return files


def _served() -> Organization | None:
    first_two = list(Organization.objects.order_by("pk")[:2])
    return demo.organization() or (first_two[0] if len(first_two) == 1 else None)


def _is_valid(text: str, organization: Organization) -> bool:
    """Whether a token of an earlier start still opens what the gateway needs; the database may be another one now."""
    try:
        token = token_of(text, now())
    except Unauthenticated:
        return False
    return token.organization_id == organization.pk and set(SCOPES) <= set(token.scopes)
