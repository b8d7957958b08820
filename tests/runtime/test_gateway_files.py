"""What `up` gives its gateway: a token that works, made once, and the trust file of the one organization it serves."""

import json
from pathlib import Path

import pytest

from audit.administration.tokens import revoke_token
from relcontrol.accounts.actors import command_actor
from relcontrol.accounts.bearer import token_of
from relcontrol.accounts.models import Organization, Token
from relcontrol.clock import now
from relcontrol.demo import making as demo
from relcontrol.runtime.gateway_files import NO_ORGANIZATION, SEVERAL, ensure_gateway_files
from relcontrol.runtime.services import GatewayFiles
from tests.factories import organization

pytestmark = pytest.mark.django_db


def files_in(folder: Path) -> GatewayFiles:
    found = ensure_gateway_files(folder)
    assert isinstance(found, GatewayFiles)
    return found


def test_the_only_organization_gets_a_token_for_its_gateway_and_a_trust_file(tmp_path: Path) -> None:
    owner = organization()
    files = files_in(tmp_path)
    token = token_of(files.token.read_text(), now())
    assert (token.organization, token.scopes) == (owner, ["traces:write", "routing:read", "gateway:heartbeat"])
    assert files.token.stat().st_mode & 0o777 == 0o600
    trust = json.loads(files.trust.read_text())
    assert trust["organization"] == "northgate"
    assert "routing" in {key["purpose"] for key in trust["keys"]}


def test_a_later_start_uses_the_same_token(tmp_path: Path) -> None:
    organization()
    first = files_in(tmp_path).token.read_text()
    assert files_in(tmp_path).token.read_text() == first
    assert Token.objects.count() == 1


def test_a_token_that_was_revoked_is_made_anew(tmp_path: Path) -> None:
    owner = organization()
    first = files_in(tmp_path).token.read_text()
    revoke_token(actor=command_actor(owner), token=token_of(first, now()))
    assert files_in(tmp_path).token.read_text() != first


def test_a_token_of_another_database_is_made_anew(tmp_path: Path) -> None:
    owner = organization()
    files = files_in(tmp_path)
    files.token.write_text(f"rc_{'0' * 16}.{'a' * 43}")
    assert token_of(files_in(tmp_path).token.read_text(), now()).organization == owner


def test_without_an_organization_a_sentence_says_how_to_get_a_gateway(tmp_path: Path) -> None:
    assert ensure_gateway_files(tmp_path) == NO_ORGANIZATION
    assert list(tmp_path.iterdir()) == []


def test_of_several_organizations_none_is_guessed_but_the_demo_is_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    organization()
    other = organization("southgate")
    assert ensure_gateway_files(tmp_path) == SEVERAL
    monkeypatch.setattr(demo, "organization", lambda: Organization.objects.get(pk=other.pk))
    assert files_in(tmp_path).data.name == "southgate"
