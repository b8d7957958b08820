"""The card of a release that says what is known of its model's weights, and what that does not prove."""

from dataclasses import dataclass
from typing import Final

from audit.evidence_models import WeightsObservation, WeightsStatement
from audit.weights.standing import drifts
from audit.weights.statements import statements_of
from audit.words import weights_disclaimer, weights_in_words
from relcontrol.clock import now
from releases.models import Release
from releases.rolling.receipts import claimed_weights
from releases.weights.drift import said_of
from releases.weights.matching import weights_digest
from releases.weights.receipts import drifted_claim

SHOWN: Final = 3
STATUS: Final = {"declared": ("hold", "Declared"), "none": ("skip", "Not claimed")}
SEEN: Final = {"files-at-load": ("pass", "Seen at load"), "files-sampled": ("pass", "Seen and sampled")}
OTHERS: Final = ("fail", "Other files")


@dataclass(frozen=True, slots=True)
class WeightsCard:
    """The claim that a receipt would make now, and what it rests on; `digest` is empty where there is none."""

    kind: str
    word: str
    claim: str
    disclaimer: str
    digest: str
    statement: WeightsStatement | None
    observations: list[WeightsObservation]
    drift: list[str]


def weights_card(release: Release) -> WeightsCard:
    """What is known now."""
    organization, digest, at = release.organization, weights_digest(release), now()
    drifting = drifts(organization, [digest], at) if digest else []
    claim = (drifted_claim(drifting[0]) if drifting else claimed_weights(release)).as_json()
    kind, word = OTHERS if drifting else (STATUS | SEEN)[claim["assurance"]]
    words = weights_in_words(claim)
    return WeightsCard(
        kind=kind,
        word=word,
        claim=f"{words[0].upper()}{words[1:]}.",
        disclaimer=weights_disclaimer(claim),
        digest=digest or "",
        statement=next(iter(statements_of(organization, digest)), None) if digest else None,
        observations=_newest(release, digest) if digest else [],
        drift=[said_of(each) for each in drifting],
    )


def _newest(release: Release, digest: str) -> list[WeightsObservation]:
    rows = WeightsObservation.objects.filter(organization=release.organization, expected_sha256=digest)
    return list(rows.select_related("observer").order_by("-observed_at")[:SHOWN])
