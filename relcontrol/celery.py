"""The Celery application: wake-ups for `worker` and `replayer`, periodic ticks for `ticker`.

Three queues, so that nothing waits behind what is slower: `ticks` for what decides about canaries every two seconds,
`replays` for what asks other servers or looks at much, `work` for long jobs.

State lives in rows; a message only says "look now". Without CELERY_BROKER_URL messages travel through a folder, polled
every tenth of a second; kombu's default of a second would carry eleven messages a second.
"""

import os

from celery import Celery
from kombu.transport import TRANSPORT_ALIASES

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "relcontrol.settings")

from django.conf import settings

TICK_SECONDS = 2.0

TRANSPORT_ALIASES["filesystem"] = "relcontrol.jobs.folder_broker:Transport"
app = Celery("relcontrol", broker=settings.CELERY_BROKER_URL)
app.set_default()  # for every thread: a Celery application is otherwise the current one of the thread that made it
app.conf.update(
    task_default_queue="work",
    task_ignore_result=True,
    task_acks_late=False,
    task_publish_retry=False,
    task_serializer="json",
    accept_content=["json"],
    broker_connection_retry_on_startup=True,
    broker_connection_timeout=2,
    worker_prefetch_multiplier=1,
    worker_hijack_root_logger=False,
    timezone="UTC",
    beat_schedule_filename=str(settings.DATA_DIR / "beat-schedule"),
)
if settings.CELERY_BROKER_URL.startswith("filesystem:"):
    folder = settings.DATA_DIR / "broker"
    for name in ("messages", "processed", "control"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    app.conf.broker_transport_options = {
        "data_folder_in": str(folder / "messages"),
        "data_folder_out": str(folder / "messages"),
        "processed_folder": str(folder / "processed"),
        "control_folder": str(folder / "control"),
        "polling_interval": 0.1,
    }

app.conf.beat_schedule = {
    "reconcile": {
        "task": "relcontrol.ticks.reconcile",
        "schedule": TICK_SECONDS,
        "options": {"queue": "ticks", "expires": TICK_SECONDS},
    },
    "check-chains": {
        "task": "relcontrol.ticks.check_chains",
        "schedule": 60.0,
        "options": {"queue": "replays", "expires": 60.0},
    },
    "anchors": {
        "task": "relcontrol.ticks.anchors",
        "schedule": 5.0,
        "options": {"queue": "replays", "expires": 5.0},
    },
    "expire-overrides": {
        "task": "relcontrol.ticks.expire_overrides",
        "schedule": 30.0,
        "options": {"queue": "ticks", "expires": 30.0},
    },
    "tidy": {
        "task": "relcontrol.ticks.tidy",
        "schedule": 600.0,
        "options": {"queue": "replays", "expires": 600.0},
    },
    "judges": {
        "task": "relcontrol.ticks.judges",
        "schedule": 600.0,
        "options": {"queue": "ticks", "expires": 600.0},
    },
    "rollouts": {
        "task": "relcontrol.ticks.rollouts",
        "schedule": TICK_SECONDS,
        "options": {"queue": "ticks", "expires": TICK_SECONDS},
    },
    "observers": {
        "task": "relcontrol.ticks.observers",
        "schedule": TICK_SECONDS,
        "options": {"queue": "replays", "expires": TICK_SECONDS},
    },
    "probes": {
        "task": "relcontrol.ticks.probes",
        "schedule": 60.0,
        "options": {"queue": "replays", "expires": 60.0},
    },
    "partitions": {
        "task": "relcontrol.ticks.partitions",
        "schedule": 600.0,
        "options": {"queue": "replays", "expires": 600.0},
    },
    "retention": {
        "task": "relcontrol.ticks.retention",
        "schedule": 600.0,
        "options": {"queue": "replays", "expires": 600.0},
    },
    "worker-heartbeat": {
        "task": "relcontrol.ticks.worker_heartbeat",
        "schedule": 5.0,
        "options": {"queue": "work", "expires": 5.0},
    },
    "replayer-heartbeat": {
        "task": "relcontrol.ticks.replayer_heartbeat",
        "schedule": 5.0,
        "options": {"queue": "replays", "expires": 5.0},
    },
}
app.autodiscover_tasks(["relcontrol"], related_name="ticks")
