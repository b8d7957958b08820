"""GDPR (Regulation (EU) 2016/679): the right to erasure. Pure."""

from typing import Final

from audit.events import Event
from audit.requirement_map.requirement import Requirement

FRAME: Final = "GDPR, Regulation (EU) 2016/679"

REQUIREMENTS: Final = (
    Requirement(
        id="gdpr-17",
        frame=FRAME,
        clause="Article 17: right to erasure",
        asks="Personal data of somebody who may ask for it is erased without undue delay, unless a reason of the "
        "article stands against it, such as a duty of law or the defence of claims.",
        events=(Event.DISCLOSURE_ERASED, Event.RETENTION_EXPIRED),
        fields=("predicate.commitments", "predicate.actor.id", "predicate.occurred_at"),
        pages=(("Privacy", "settings-privacy"), ("Audit", "audit")),
        shows="That the key of a subject was destroyed with every copy of what her requests said, when, and at whose "
        "word. Receipts hold pseudonyms, digests and salted commitments, so the chain verifies after an erasure.",
        not_shown="Copies that had left before: exports that were handed out, backups, logs of model providers. "
        "Whoever restores a backup erases again. No act erases the names of members in what opens receipts; reasons "
        "that people wrote into overrides stay in clear.",
    ),
)
