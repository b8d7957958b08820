"""`manage.py bench pages`: server time and queries of every page and API list, large beside small.

What a large organization costs beyond a small one is what grows; the limit is 100 ms.
"""

import re
import time
from collections.abc import Iterator

from audit.models import Export, Receipt
from gates.models import SuiteImport
from relcontrol.accounts.models import Membership, Organization, Token
from relcontrol.api.pages import cursor_of
from relcontrol.bench import figures
from relcontrol.bench.addresses import addresses
from relcontrol.bench.generator import Size, generate
from relcontrol.bench.options import Options
from relcontrol.bench.population import onlooker, populate
from relcontrol.bench.surroundings import settle
from relcontrol.bench.tables import Table
from relcontrol.bench.visits import LIMIT_S, Measured, measure
from relcontrol.clock import now
from releases.models import Release

SHARE_OF_RELEASES = 10
SMALL = 40
OF_EACH, OF_EACH_SMALL = 30, 3
MOST_IN_RANGE = 200
PREFIX = 12
OK = 200
SHOWN_SQL = 400
MARKS = re.compile(r"\(%s(?:, %s)+\)")
COLUMNS = ("address", "ms", "processor", "small", "queries", "small", "in queries", "flags")


def pages(options: Options) -> Iterator[Table]:
    """Seed two organizations, visit everything, then explain what was flagged."""
    releases = max(1, options.size // SHARE_OF_RELEASES)
    began = time.perf_counter()
    large = generate(slug="large", size=Size(releases, options.size), now=now())
    seeded = time.perf_counter() - began
    small = generate(slug="small", size=Size(SMALL // SHARE_OF_RELEASES, SMALL), now=now())
    of_each = max(OF_EACH_SMALL, min(OF_EACH, options.size // SMALL))
    populate(large, of_each)
    populate(small, OF_EACH_SMALL)
    settle()
    visits = list(_visits(large, small, options))
    measured = [visit for visit in visits if visit.status == OK]
    left_out = ", ".join(f"{visit.address.name} ({visit.status})" for visit in visits if visit.status != OK)
    yield Table(
        f"Pages and API lists: {figures.count(releases)} releases, {figures.count(options.size)} receipts",
        COLUMNS,
        [_row(one) for one in measured],
        [
            f"Medians of {options.runs} after one that warms up. SLOW: over {LIMIT_S * 1000:.0f} ms.",
            "Processor: of this process and its database session, whatever else the machine does.",
            "GROWS: more queries for more rows.",
            f"Small: {SMALL} receipts. People, tokens, slices, suites: {of_each} each, in the small {OF_EACH_SMALL}.",
            f"Seeded with a chain that verifies: {figures.rate(options.size, seeded)} in {figures.seconds(seeded)}.",
            f"Not measured, because they answer a GET with something else: {left_out or 'none'}.",
        ],
        [f"{visit.address.name} answered {visit.status}" for visit in visits if visit.status >= 500],
    )
    if flagged := [one for one in measured if one.is_slow or one.grows]:
        yield _explained(flagged)


def _visits(large: Organization, small: Organization, options: Options) -> Iterator[Measured]:
    viewer = onlooker(large)
    onlooker(small)
    pairs = zip(addresses(_values(large)), addresses(_values(small)), strict=True)
    for at_large, at_small in pairs:
        yield measure(viewer, at_large, at_small, options.runs)


def _values(organization: Organization) -> dict[str, str]:
    """What stands for each parameter of a path or a query: rows from the middle of the history."""
    receipts = Receipt.objects.filter(organization=organization)
    receipt = receipts.get(seq=max(1, receipts.count() // 2))
    releases = Release.objects.filter(organization=organization).order_by("pk")
    release = releases[releases.count() // 2]
    member = Membership.objects.filter(organization=organization).latest("pk")
    return {
        "organization": organization.slug,
        "receipt": receipt.receipt_hash,
        "seq": str(receipt.seq),
        "seq_cursor": cursor_of(receipt.seq),
        "actor": receipt.actor,
        "middle": f"{receipt.issued_at:%Y-%m-%dT%H:%M:%SZ}",
        "middle_day": f"{receipt.issued_at:%Y-%m-%dT%H:%M}",
        "range": str(min(MOST_IN_RANGE, receipts.count())),
        "release": release.pk,
        "other_release": releases[releases.count() // 2 - 1].pk,
        "release_cursor": cursor_of(release.pk),
        "manifest_prefix": release.manifest_sha256[:PREFIX],
        "application": release.application.slug,
        "artifact": release.refs["prompt_template"],
        "prompt": "templates/answers",
        "slug": "slice-2",
        "suite": "suite-1",
        "endpoint": "endpoint-1",
        "member": member.pk,
        "token": Token.objects.filter(organization=organization).latest("pk").pk,
        "export": Export.objects.filter(organization=organization).latest("pk").pk,
        "suite_import": SuiteImport.objects.filter(organization=organization).latest("pk").pk,
    }


def _row(one: Measured) -> tuple[str, ...]:
    large, small = one.queries
    flags = [word for word, holds in (("SLOW", one.is_slow), ("GROWS", one.grows)) if holds]
    in_queries = sum(seconds for _, seconds in one.large[-1].statements)
    return (
        one.address.name,
        figures.milliseconds(one.seconds),
        figures.milliseconds(one.processor),
        figures.milliseconds(one.small_seconds),
        str(large),
        str(small),
        figures.milliseconds(in_queries),
        " ".join(flags),
    )


def _explained(flagged: list[Measured]) -> Table:
    """The statement to look at, for each flagged address."""
    rows, notes = [], []
    for one in flagged:
        statement, seconds, times = one.slowest()
        rows.append((one.address.name, figures.milliseconds(seconds), str(times)))
        notes.append(f"- {one.address.name}: {_shortened(statement)}")
    return Table("Flagged: the statement that takes most", ("address", "ms", "times"), rows, ["", *notes])


def _shortened(statement: str) -> str:
    """A statement without its columns and without a long list of parameters."""
    start, _, rest = statement.partition(" FROM ")
    shown = f"{start.split()[0]} … FROM {rest}" if rest and start.startswith("SELECT") else statement
    return MARKS.sub("(…)", shown)[:SHOWN_SQL]
