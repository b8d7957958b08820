"""`manage.py keyring`: rotate and revoke keys, and have the list of them signed by an offline root."""

import argparse
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar

from django.core.management.base import CommandError, CommandParser

from audit.keys.revocation import revoke_key, signed_since
from audit.keys.rotation import prepared_key, rotate_key
from audit.keys.signing import PURPOSES, ROOT, ROUTING, SigningKey, load_signing_key, new_private_pem
from audit.models import KeyringEntry
from audit.root.document import Keyring, KeyringError
from audit.root.importing import import_keyring, request
from audit.root.signing import file_text, public_json, sign
from relcontrol.accounts.actors import Actor, command_actor
from relcontrol.accounts.models import Organization
from relcontrol.commands import Command as BaseCommand
from relcontrol.environment import write_once
from relcontrol.errors import NotFound, invalid

SHORTEST = 12  # characters of a key id that name it
GATEWAYS = (
    "Gateways believe the routing keys of the trust file that they were started with; with an older one they refuse "
    "newer routing, rollbacks too. First: `keyring prepare routing`, then `trust --prepared` for each gateway, and "
    "start it with that. Give --yes to rotate now."
)


class Command(BaseCommand):
    """`root` and `sign` need no database: they are for the machine that holds the root key, which is offline."""

    help = "Rotate or revoke a signing key, and have the keyring signed by an offline root key."
    example: ClassVar[str] = (
        "manage.py keyring rotate receipts\n"
        '  manage.py keyring revoke 3f9ac41b07d2 --reason "Its disk was stolen."\n'
        "  manage.py keyring root root.pem                                     (offline, once)\n"
        "  manage.py keyring request > request.json\n"
        "  manage.py keyring sign --root root.pem request.json > keyring.json  (offline)\n"
        "  manage.py keyring import keyring.json"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """What to do, and with which key or file."""
        acts = parser.add_subparsers(dest="act", required=True, metavar="ACT")
        _file(acts.add_parser("root", help="make a root key, on a machine that stays offline"), "OUT.pem")
        acts.add_parser("request", help="print the present keyring, to be signed by the root")
        signing = acts.add_parser("sign", help="sign a request with the root key; offline")
        signing.add_argument("--root", required=True, type=Path, metavar="ROOT.pem")
        _file(signing, "REQUEST")
        importing = acts.add_parser("import", help="take the signed keyring")
        importing.add_argument("--new-root", action="store_true", help="another root than the last one's, on purpose")
        _file(importing, "FILE")
        for name, words in (
            ("prepare", "make the next key, to be copied to other machines"),
            ("rotate", "let the next key sign from now on"),
        ):
            acts.add_parser(name, help=words).add_argument("purpose", choices=PURPOSES)
        acts.choices["rotate"].add_argument("--yes", action="store_true", help="rotate a routing key all the same")
        revoking = acts.add_parser("revoke", help="believe a key no more")
        revoking.add_argument("keyid", metavar="KEYID", help=f"its id, or the first {SHORTEST} characters or more")
        revoking.add_argument("--reason", required=True, help="stands in every trust file from then on")
        revoking.add_argument("--at", type=_moment, metavar="TIME", help="when it fell into wrong hands, if not now")
        revoking.add_argument("--yes", action="store_true", help="go on although receipts stop verifying")

    def handle(self, *args: Any, **options: Any) -> str:
        """One of the acts."""
        acts: dict[str, Callable[[dict[str, Any]], str]] = {
            "root": lambda given: _root(given["file"]),
            "request": _request,
            "sign": self._sign,
            "import": _import,
            "prepare": lambda given: prepared_key(given["purpose"]).keyid,
            "rotate": _rotate,
            "revoke": _revoke,
        }
        return acts[options["act"]](options)

    def _sign(self, given: dict[str, Any]) -> str:
        try:
            signed = sign(given["file"].read_bytes().strip(), _loaded(given["root"]))
        except (KeyringError, OSError) as error:
            raise CommandError(str(error)) from error
        self.stderr.write(_said(signed.keyring))
        return file_text(signed)


def _request(_given: dict[str, Any]) -> str:
    return request().decode()


def _root(file: Path) -> str:
    if file.exists():
        raise CommandError(f"{file} is there already, and a root key is never overwritten.")
    try:
        write_once(file, new_private_pem())
    except OSError as error:
        raise CommandError(f"{file} cannot be written: {error.strerror}.") from error
    root = public_json(_loaded(file).public)
    return f"root {root['keyid']}\npublic key {root['public_key']}"


def _loaded(file: Path) -> SigningKey:
    try:
        return load_signing_key(file.read_bytes(), purpose=ROOT)
    except (OSError, ValueError) as error:
        raise CommandError(f"{file}: {error}") from error


def _said(keyring: Keyring) -> str:
    """What the root is about to vouch for, to be compared with the page on the server."""
    lines = [f"keyring {keyring.sequence} of {keyring.issued_at}, for {', '.join(keyring.origins)}"]
    for key in keyring.keys:
        end = f"revoked {key.revoked_at}" if key.revoked_at else f"until {key.end}" if key.end else "signs"
        lines.append(f"  {key.purpose:8}  {key.keyid}  from {key.start}, {end}")
    return "\n".join(lines)


def _import(given: dict[str, Any]) -> str:
    try:
        text = given["file"].read_bytes()
    except OSError as error:
        raise CommandError(f"{given['file']} cannot be read: {error.strerror}.") from error
    row = import_keyring(text=text, new_root=given["new_root"])
    return f"keyring {row.sequence}, root {row.root_keyid}"


def _rotate(given: dict[str, Any]) -> str:
    if given["purpose"] == ROUTING and not given["yes"]:
        raise CommandError(GATEWAYS)
    return rotate_key(actor=_actor(), purpose=given["purpose"]).keyid


def _revoke(given: dict[str, Any]) -> str:
    keyid, at = _key_named(given["keyid"]), given["at"]
    lost = signed_since(keyid, at) if at else 0
    if lost and not given["yes"]:
        raise CommandError(f"{lost:,} receipts signed since then stop verifying, for ever. Give --yes to go on.")
    return revoke_key(actor=_actor(), keyid=keyid, reason=given["reason"], at=at).keyid


def _key_named(text: str) -> str:
    found = KeyringEntry.objects.filter(keyid__startswith=text).values_list("keyid", flat=True)[:2]
    if len(text) < SHORTEST or len(found) != 1:
        raise invalid("keyid", f"{text!r} names no one key; give its id, or the first {SHORTEST} characters or more.")
    return found[0]


def _actor() -> Actor:
    organization = Organization.objects.order_by("pk").first()
    if organization is None:
        raise NotFound("There is no organization yet, so there is nothing to sign.")
    return command_actor(organization)


def _file(parser: argparse.ArgumentParser, name: str) -> None:
    parser.add_argument("file", type=Path, metavar=name)


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no time such as 2026-11-20T09:00:00Z")
    return moment
