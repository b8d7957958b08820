"""Wake-ups: "look at this row now". A lost one changes nothing, as the reconciler looks every two seconds anyway."""

import logging

from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

logger = logging.getLogger(__name__)

WORK = "relcontrol.ticks.work"
# Replays are evidence about a canary that answers people now: they do not wait behind imports and reports.
QUEUES = {"replay": "replays"}


def wake_on_commit(kind: str, key: str) -> None:
    """Tell a worker of the job once this transaction has committed."""
    transaction.on_commit(lambda: wake(kind, key), robust=True)


def wake(kind: str, key: str) -> None:
    """Tell a worker of the job; a broker that does not answer is logged and nothing more."""
    try:
        current_app.send_task(WORK, args=[kind, key], queue=QUEUES.get(kind, "work"))
    except (OperationalError, OSError) as error:
        logger.warning("no wake-up for %s %s: %s", kind, key, error)
