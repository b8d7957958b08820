"""`manage.py bench rollback`: how long a bad release serves after it has completed its rollout (domain.md "Rollback").

First how long a rollback takes to reach the gateways; then the whole of it, in an installation of its own as `up`
starts it: people ask, the observer sees, nobody acts.
"""

from collections.abc import Iterator

from relcontrol.bench.options import Options
from relcontrol.bench.rollback_arrivals import arrivals
from relcontrol.bench.rollback_detection import detection
from relcontrol.bench.tables import Table


def rollback(options: Options) -> Iterator[Table]:
    """`options.size` replicas, `options.runs` rollbacks; quality windows of `options.seconds`, 60 in life."""
    yield from arrivals(options)
    yield from detection(options)
