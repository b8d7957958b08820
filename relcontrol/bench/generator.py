"""A large organization with a chain that verifies, written fast.

Every receipt is the canonical text that `audit.statement` would make, linked by `audit.chain`, signed with the key of
the database that it is written to, and stored with its opening: exports, checks and appends go on from it as from any
other. Only the writing differs: forms are filled, and rows go in by COPY.
"""

import hashlib
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import cycle, islice

from django.conf import settings
from django.db import transaction

from audit.anchor_models import LogNode
from audit.chain import COMMITMENT_PREFIX, genesis_prev, leaf_of, timestamp
from audit.envelope import PAYLOAD_TYPES, pae
from audit.keys.keyring import signer
from audit.keys.signing import RECEIPTS, SigningKey
from audit.log.merkle import Frontier
from audit.models import ChainCheck, ChainHead, KeyringEntry, Opening, Receipt, ReleaseHead
from relcontrol.accounts.models import Application, Organization
from relcontrol.bench.copying import Encoded, copy_rows
from relcontrol.bench.kinds import ARTIFACT, LATER, REGISTERED, Kind
from relcontrol.bench.registry import Registered, lines, releases, row_id
from releases.models import Artifact, ArtifactVersion, Release

HISTORY = timedelta(days=300)
KEPT = timedelta(days=3650)
BATCH = 5000
ACTORS = 7


@dataclass(frozen=True, slots=True)
class Size:
    """How much to write. Each release brings two receipts, so there are at least twice as many."""

    releases: int
    receipts: int

    def __post_init__(self) -> None:
        if self.receipts < 2 * self.releases or self.releases < 1:
            raise ValueError("ask for at least one release, and for two receipts of each")


@dataclass(frozen=True, slots=True)
class Link:
    """A receipt with its opening and the nodes of the log that it completes, ready to be stored."""

    receipt: Receipt
    opening: Opening
    nodes: list[LogNode]


class Chain:
    """The heads while receipts are strung together, in memory until the end."""

    def __init__(self, organization: Organization, key: SigningKey, start: datetime) -> None:
        """An empty chain."""
        self.organization, self.key, self.issued_at = organization, key, start
        self.seq, self.prev = 0, genesis_prev(organization.origin)
        self.releases: dict[str, tuple[int, str]] = {}
        self.frontier = Frontier()
        self._until = timestamp(start + HISTORY + KEPT)

    def add(self, kind: Kind, values: Mapping[str, str], application: str, at: datetime) -> Link:
        """The next receipt. `values` fill the state, and name the release where there is one."""
        self.seq, self.issued_at = self.seq + 1, at
        salt, state = secrets.token_hex(16), kind.state_form.filled(values)
        manifest = values["manifest_sha256"] if kind.is_about_manifest else None
        release_seq, release_prev = self.releases.get(manifest or "", (0, None))
        place = self._place(release_seq, release_prev)
        gaps = {**values, "application": application, **place, **_committed(salt, state)}
        payload = (kind.following if release_prev else kind.first).filled(gaps).encode()
        receipt = Receipt(
            pk=gaps["event_id"],
            organization=self.organization,
            seq=self.seq,
            receipt_hash=_sha256(payload),
            prev=self.prev,
            manifest_sha256=manifest,
            release_seq=release_seq + 1 if manifest else None,
            release_prev=release_prev,
            release=values["release"] if kind.names_release else "",
            application=application,
            event=kind.event.value,
            subject=f"{kind.about}:{values['name']}",
            outcome=kind.outcome,
            actor=gaps["actor"],
            issued_at=at,
            payload=payload,
            signature=self.key.sign(pae(PAYLOAD_TYPES[RECEIPTS], payload)),
            keyid=self.key.keyid,
        )
        self.prev = receipt.receipt_hash
        if manifest:
            self.releases[manifest] = (release_seq + 1, receipt.receipt_hash)
        return Link(receipt, Opening(receipt=receipt, field="state", salt=salt, value=Encoded(state)), self._nodes())

    def _nodes(self) -> list[LogNode]:
        """The log with the newest receipt, and what became complete by it."""
        self.frontier, made = self.frontier.append(leaf_of(self.prev))
        return [LogNode(organization=self.organization, level=level, index=at, hash=top) for level, at, top in made]

    def _place(self, release_seq: int, release_prev: str | None) -> dict[str, str]:
        """Where in the chains the next receipt stands, when, and who signs."""
        return {
            "event_id": row_id("rcp", self.organization, self.seq),
            "issued_at": timestamp(self.issued_at),
            "until": self._until,
            "seq": str(self.seq),
            "prev": self.prev,
            "release_seq": str(release_seq + 1),
            "release_prev": release_prev or "",
            "actor": f"prn_{self.seq % ACTORS:026d}",
            "origin": self.organization.origin,
            "keyid": self.key.keyid,
        }


def _committed(salt: str, state: str) -> dict[str, str]:
    """The digests over a state in canonical JSON: the commitment, and the subject where there is no release."""
    return {
        "commitment": _sha256(COMMITMENT_PREFIX + f'["state","{salt}",{state}]'.encode()),
        "subject": _sha256(f'["{salt}",{state}]'.encode()),
    }


@transaction.atomic
def generate(*, slug: str, size: Size, now: datetime) -> Organization:
    """Write an organization with so many releases and receipts, spread over the months before `now`."""
    start = now - HISTORY
    organization = Organization.objects.create(
        slug=slug, name=slug.capitalize(), origin=f"{settings.ORIGIN_HOST}/{slug}", created_at=start
    )
    chain = Chain(organization, _key_since(start), start)
    among = lines(organization, start)
    every = HISTORY / (size.receipts + 1)
    made = list(releases(among, size.releases, start, every * size.receipts / size.releases))
    copy_rows(Artifact, (one.artifact for one in made))
    copy_rows(ArtifactVersion, (one.version for one in made))
    copy_rows(Release, (one.release for one in made))
    Application.objects.bulk_update([line.application for line in among], ["release_count"])
    _store(_strung(chain, made, size, start, every))
    _store_heads(chain)
    return organization


def _key_since(start: datetime) -> SigningKey:
    """The key that signs here; its period is made to hold the months that are written."""
    key = signer(RECEIPTS)
    KeyringEntry.objects.filter(keyid=key.keyid, valid_from__gt=start).update(valid_from=start)
    return key


def _strung(chain: Chain, made: list[Registered], size: Size, start: datetime, every: timedelta) -> Iterator[Link]:
    """The prompt, the registration and a share of later receipts for each release, in the order of time."""
    left = size.receipts - 2 * len(made)
    for number, one in enumerate(made):
        share = left * (number + 1) // len(made) - left * number // len(made)
        for kind in (ARTIFACT, REGISTERED, *islice(cycle(LATER), share)):
            values = _values(kind, one, chain)
            application = one.release.application.slug if kind.is_about_manifest else ""
            yield chain.add(kind, values, application, start + (chain.seq + 1) * every)


def _values(kind: Kind, one: Registered, chain: Chain) -> dict[str, str]:
    release = one.release
    names = {"artifact": one.version.ref, "release": release.name, "gate": release.name}
    return {
        "id": one.version.pk if kind is ARTIFACT else row_id(kind.about[:3], chain.organization, chain.seq + 1),
        "name": names.get(kind.about, f"{kind.about}-{chain.seq + 1}"),
        "release": release.pk,
        "route": release.route_id,
        "manifest": bytes(release.manifest).decode() if kind is REGISTERED else "",
        "manifest_sha256": release.manifest_sha256,
        "bundle_sha256": release.bundle_sha256,
        "ref": one.version.ref,
        "digest": one.artifact.digest,
        "suite": release.refs["dataset"],
    }


def _store(links: Iterator[Link]) -> None:
    while batch := list(islice(links, BATCH)):
        copy_rows(Receipt, (link.receipt for link in batch))
        copy_rows(Opening, (link.opening for link in batch))
        copy_rows(LogNode, (node for link in batch for node in link.nodes))


def _store_heads(chain: Chain) -> None:
    organization = chain.organization
    ChainHead.objects.create(
        organization=organization,
        seq=chain.seq,
        receipt_hash=chain.prev,
        issued_at=chain.issued_at,
        frontier=chain.frontier.joined(),
    )
    ChainCheck.objects.create(organization=organization)
    heads = (
        ReleaseHead(organization=organization, manifest_sha256=manifest, seq=seq, receipt_hash=receipt_hash)
        for manifest, (seq, receipt_hash) in chain.releases.items()
    )
    copy_rows(ReleaseHead, heads)


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
