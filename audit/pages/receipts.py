"""Pages: one receipt by its hash, verified each time it is shown; its envelope as a file (ui.md screen 13)."""

import json
from typing import Any

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_safe

from audit import verify
from audit.anchors.covering import covering
from audit.anchors.wording import KINDS as KINDS_OF_ANCHORS
from audit.examination import Examination, examine
from audit.models import ChainHead, Receipt
from audit.names import Names, names_of
from audit.pages.explorer import releases_of, words_for
from audit.pages.lists import address
from audit.selectors import envelope_of, neighbours, receipt_named
from audit.words import delivery_in_words, weights_disclaimer, weights_in_words
from relcontrol.accounts.permissions import READ_AUDIT
from relcontrol.clock import now
from relcontrol.web.pages import PageRequest, page

HOW = {
    "session": "signed in to these pages",
    "token": "by a token",
    "command": "by a command on the server",
    "internal": "by itself",
}
VERDICTS = {  # of inputs, as gates, monitors, observers, anchors and keys write them; any other is open
    **dict.fromkeys(("pass", "ok", "met", "made", "current", "armed", "equal", "reached", "above"), "pass"),
    **dict.fromkeys(("fail", "failed", "breach", "violated", "revoked", "drifted", "below"), "fail"),
    **dict.fromkeys(("recorded", "retired", "not_measured"), "skip"),
}
DRY = "dry:"
SHORT_EVIDENCE = 40
UNCHECKED = verify.NOT_CHECKED
COUNTED = ("None", "One", "Two", "Three", "Four", "Five", "Six")


@require_safe
@page(READ_AUDIT)
def receipt(request: PageRequest, receipt: str) -> HttpResponse:
    """The permalink is the whole hash; a number, an id or a prefix leads there."""
    row = receipt_named(request.actor.organization, receipt)
    if receipt != row.receipt_hash:
        return HttpResponseRedirect(address(request, "receipt", receipt=row.receipt_hash))
    strip, openings = neighbours(row), list(row.openings.order_by("field"))
    covered = covering(row)
    examination = examine(row, strip, openings, covered)
    statement = read_statement(row)
    names = names_of(request.actor.organization, [row.actor])
    context = {
        "receipt": row,
        "words": words_for(
            row,
            names,
            releases_of(row.organization, [row]),
            {opening.field: opening.value for opening in openings},
        ),
        "examination": examination,
        "verdicts": [(verdict.check.capitalize(), verdict, KINDS[verdict.outcome]) for verdict in examination.verdicts],
        "lede": lede(examination),
        "tally": tally(examination),
        "examined_at": now(),
        "anchors": [(one, KINDS_OF_ANCHORS[one.kind]) for one in covered],
        "anchored": next((one.anchor for one in covered if one.at), None),
        "strip": strip,
        "previous": next((item for item in strip if item.seq == row.seq - 1), None),
        "following": next((item for item in strip if item.seq == row.seq + 1), None),
        "head": ChainHead.objects.get(organization=row.organization_id),
        "statement": statement,
        "said": said(statement["predicate"], names) if statement else [],
        "inputs": [(entry, *verdict_of(entry)) for entry in inputs_in(statement)],
        "openings": [(opening, json.dumps(opening.value)) for opening in openings],
        "size": len(bytes(row.payload)),
        "signature": envelope_of(row)["signatures"][0]["sig"],
        "crumbs": [("Audit", address(request, "audit")), (f"Receipt {row.seq:,}", None)],
    }
    return render(request, "audit/receipt.html", context)


@require_safe
@page(READ_AUDIT)
def envelope(request: PageRequest, receipt: str) -> HttpResponse:
    """The DSSE envelope as it is stored."""
    row = receipt_named(request.actor.organization, receipt)
    headers = {"Content-Disposition": f'attachment; filename="receipt-{row.seq}-{row.receipt_hash[:12]}.json"'}
    return HttpResponse(json.dumps(envelope_of(row)), content_type="application/json", headers=headers)


KINDS = {verify.HOLDS: "pass", verify.FAILS: "fail", verify.NOT_CHECKED: "skip"}


def read_statement(row: Receipt) -> dict[str, Any] | None:
    """The statement in the stored bytes, where they hold one of the right form, believed or not."""
    try:
        statement: dict[str, Any] = verify.read_json(bytes(row.payload))
        verify.check_statement(statement)
    except verify.FormError:
        return None
    return statement


def inputs_in(statement: dict[str, Any] | None) -> list[dict[str, Any]]:
    """What the decision rested on; evidence of more than a few words is told below its row."""
    found = statement["predicate"]["decision"]["inputs"] if statement else []
    return [{**entry, "is_long": len(entry["evidence"] or "") > SHORT_EVIDENCE} for entry in found]


def verdict_of(entry: dict[str, Any]) -> tuple[str, str]:
    """Shape and word of an input's verdict; one of a dry run had no effect, whatever it was."""
    said = str(entry["verdict"])
    kind = "skip" if said.startswith(DRY) else VERDICTS.get(said, "hold")
    word = said.replace("_", " ").replace(":", ": ")
    return kind, "OK" if said == "ok" else f"{word[:1].upper()}{word[1:]}"


def lede(examination: Examination) -> str:
    """Whether to believe it, in a sentence."""
    if examination.failures:
        return "Do not rely on it: what is stored here is not what was signed, or not where it belongs."
    if examination.broken:
        return "This receipt is as it was signed, but another on this strip is not, or not in its place."
    return f"Signed, {_in_time(examination)}. {_left(examination.unchecked)}"


def _in_time(examination: Examination) -> str:
    stamped = any(one.check == verify.TIME and one.outcome == verify.HOLDS for one in examination.verdicts)
    place = "in its place in the chain"
    return f"{place}, and older than the anchor that covers it" if stamped else f"and {place}"


def _left(unchecked: int) -> str:
    if not unchecked:
        return "All six checks hold."
    many = "One of the six checks" if unchecked == 1 else f"{COUNTED[unchecked]} of the six checks"
    return f"{many} cannot be made here."


def tally(examination: Examination) -> str:
    """The last line of the checklist, with the exit code that the offline verifier would end with."""
    held, unchecked = examination.holding, examination.unchecked
    failed = len(examination.verdicts) - held - unchecked
    words = [
        f"{COUNTED[count].lower()} {what}{'s' if count == 1 and what != UNCHECKED else ''}"
        for count, what in ((held, "hold"), (failed, "fail"), (unchecked, UNCHECKED))
        if count
    ]
    line = ", ".join(words)
    code = 1 if failed else 3 if unchecked else 0
    return f"{line[0].upper()}{line[1:]}: the offline verifier would end with code {code}."


def said(predicate: dict[str, Any], names: Names) -> list[tuple[str, str]]:
    """The parsed statement as label and value; what does not apply is left out."""
    actor, decision, policy = predicate["actor"], predicate["decision"], predicate["decision"]["policy"]
    rows = [
        ("Decision", decision["outcome"].replace("_", " ")),
        ("Application", predicate.get("application") or ""),
        ("Delivery", delivery_in_words(predicate["delivery"]) if "delivery" in predicate else ""),
        ("Decided by", f"policy {policy['id']}, revision {policy['revision']}" if policy else ""),
        ("Override", _override(decision["override"])),
        ("Recorded by", f"{names.of(actor['id'])}, {HOW.get(actor['auth'] or '', 'in a way not recorded')}"),
        ("Meaning", actor["signature_meaning"] or ""),
        ("Issued", _moment(predicate["issued_at"])),
        ("Occurred", _moment(predicate["occurred_at"]) if predicate["occurred_at"] != predicate["issued_at"] else ""),
        ("Weights", weights_in_words(predicate["weights"])),
        ("What that proves", weights_disclaimer(predicate["weights"])),
        ("Anchored after", predicate["chain"]["last_anchor"] or "no anchor yet"),
        ("Details kept until", (predicate["retention"]["until"] or "as long as relcontrol runs")[:10]),
        ("Written by", f"relcontrol {predicate['build']['version']}"),
    ]
    return [(label, value) for label, value in rows if value]


def _override(override: dict[str, Any] | None) -> str:
    return f"of {', '.join(override['slices'])}: “{override['reason']}”" if override else ""


def _moment(text: str) -> str:
    """`2026-11-20T13:27:52.418306Z` as people read it, with the microseconds that order receipts."""
    return f"{text[:10]} {text[11:].removesuffix('Z')} UTC"
