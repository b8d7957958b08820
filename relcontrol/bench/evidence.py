"""`manage.py bench evidence`: the log while it grows, its proofs, all of it verified, and weight files hashed."""

from collections.abc import Iterator
from dataclasses import replace

from relcontrol.bench.appends import append_table
from relcontrol.bench.evidence_chain import chain_table
from relcontrol.bench.evidence_export import export_table
from relcontrol.bench.evidence_hashing import hashing_table
from relcontrol.bench.evidence_proofs import proof_table
from relcontrol.bench.generator import Size, generate
from relcontrol.bench.options import Options
from relcontrol.bench.surroundings import settle
from relcontrol.bench.tables import Table
from relcontrol.clock import now

EXPORTED = 10_000  # receipts of the export that verify.py is given
EACH_RELEASE = 100  # receipts of a large log


def evidence(options: Options) -> Iterator[Table]:
    """Everything, in the order in which evidence comes to be."""
    yield append_table(options)
    organization = generate(slug="log", size=Size(max(1, options.size // EACH_RELEASE), options.size), now=now())
    settle()
    yield proof_table(organization, options)
    yield chain_table(organization)
    yield export_table(replace(options, size=min(EXPORTED, options.size)))
    yield hashing_table(options)
