"""HIPAA Security Rule, 45 CFR 164.312: technical safeguards, (a) to (e). Pure."""

from typing import Final

from audit.events import Event
from audit.requirement_map.requirement import Requirement

FRAME: Final = "HIPAA Security Rule, 45 CFR 164.312"

REQUIREMENTS: Final = (
    Requirement(
        id="hipaa-164-312-a",
        frame=FRAME,
        clause="164.312(a): access control",
        asks="Only people and programs with granted rights get at health information, each known by a name or number "
        "of their own.",
        events=(Event.MEMBER_CHANGED, Event.TOKEN_CHANGED, Event.APPLICATION_CHANGED),
        fields=("predicate.actor.id", "predicate.actor.kind", "predicate.actor.auth"),
        pages=(("People", "settings-people"), ("Service tokens", "settings-tokens")),
        shows="Every grant and withdrawal of a role, a token or an application key, and under which id each act was "
        "done. What requests said is encrypted with a key for each subject.",
        not_shown="Who merely looked: reading a page leaves no receipt. There is no emergency access: whoever has the "
        "server has the data. A session ends 12 hours after the sign-in, not after a time of inactivity.",
    ),
    Requirement(
        id="hipaa-164-312-b",
        frame=FRAME,
        clause="164.312(b): audit controls",
        asks="Activity in systems with health information is recorded and can be examined.",
        events=(
            Event.RELEASE_REGISTERED,
            Event.ROLLOUT_STARTED,
            Event.ROUTE_CHANGED,
            Event.ENDPOINT_CHANGED,
            Event.POLICY_CHANGED,
            Event.EXPORT_ISSUED,
        ),
        fields=("predicate.event", "predicate.actor.id", "predicate.issued_at", "predicate.chain.seq"),
        pages=(("Audit", "audit"), ("Exports", "exports"), ("Verify", "verify")),
        shows="Every change that decides what serves and who may change it, in one signed order; search, "
        "verification of a range, and exports that verify elsewhere.",
        not_shown="Reading, and what happens in other systems. Requests to the gateway are in traces, not in the "
        "chain.",
    ),
    Requirement(
        id="hipaa-164-312-c",
        frame=FRAME,
        clause="164.312(c): integrity",
        asks="Health information is protected from being altered or destroyed improperly, and that it was not can be "
        "corroborated.",
        events=(Event.ANCHOR_MADE, Event.KEY_ROTATED, Event.KEY_REVOKED),
        fields=(
            "predicate.chain.prev",
            "predicate.chain.last_anchor",
            "predicate.commitments",
            "predicate.signer.keyid",
        ),
        pages=(("Anchors", "anchors"), ("Keys", "settings-keys"), ("Health", "settings-health")),
        shows="That receipts, and what opens them, are as they were signed. Whoever holds the keys could write the "
        "chain anew: time stamps show back-dating, a witness the change. The chain is checked again by itself every "
        "day.",
        not_shown="The integrity of traces and of records in other systems: they are not signed one by one.",
    ),
    Requirement(
        id="hipaa-164-312-d",
        frame=FRAME,
        clause="164.312(d): person or entity authentication",
        asks="Whoever seeks access is verified to be the one claimed.",
        events=(Event.MEMBER_CHANGED, Event.TOKEN_CHANGED),
        fields=("predicate.actor.auth", "predicate.actor.session", "predicate.actor.signature_meaning"),
        pages=(("People", "settings-people"), ("Your own tokens", "settings-own-tokens")),
        shows="How the actor of each receipt was known: a session, a token, a command on the server. Dangerous acts "
        "ask for the password again.",
        not_shown="That the password was in the right hands. There is no second factor here; put a proxy that asks for "
        "one in front where you need it.",
    ),
    Requirement(
        id="hipaa-164-312-e",
        frame=FRAME,
        clause="164.312(e): transmission security",
        asks="Health information is guarded on networks against unauthorized access and against changes.",
        events=(Event.ENDPOINT_CHANGED,),
        fields=("predicate.signer.keyid",),
        pages=(("Endpoints", "settings-endpoints"), ("Keys", "settings-keys")),
        shows="Which addresses model servers had when. The routing that gateways follow is signed, so that a change on "
        "the way is refused.",
        not_shown="Encryption on the wire: TLS is ended by the proxy in front (RELCONTROL_HTTPS says that there is "
        "one) and chosen by the address of an endpoint. No receipt says that it was on.",
    ),
)
