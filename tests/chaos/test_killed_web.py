"""A web process killed in the middle of an upload: the suite is completed by a worker, or is plainly not there."""

import http.client
import threading
from contextlib import closing, suppress

import pytest

from gates.models import Suite, SuiteCase, SuiteImport
from relcontrol.clock import now
from relcontrol.jobs.leases import claimable
from relcontrol.ticks import work
from tests.chaos.evidence import CASES, events, lease_lapsed, suite_file
from tests.chaos.processes import free_port, kill, web_process
from tests.factories import service_token
from tests.gates.scene import Scene, scene
from tests.waiting import until


@pytest.fixture
def northgate(transactional_db: None) -> Scene:
    """An organization that other processes see."""
    return scene()


def _answers(port: int) -> bool:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=5)) as connection:
        try:
            connection.request("GET", "/healthz")
            return connection.getresponse().status == 200
        except OSError:
            return False


def _upload(port: int, token: str) -> None:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/x-ndjson"}
    with (
        closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection,
        suppress(OSError, http.client.HTTPException),  # what a client sees of a killed server
    ):
        connection.request("POST", "/v1/suites?name=large", suite_file(), headers)
        connection.getresponse()


@pytest.mark.parametrize("moment", ["asked", "reading", "any"])
def test_an_upload_cut_off_by_a_kill_is_completed_or_not_there(
    northgate: Scene, process_environment: dict[str, str], moment: str
) -> None:
    port, token = free_port(), service_token(northgate.organization, "gates:write")
    seen = {
        "asked": SuiteImport.objects.all(),
        "reading": SuiteImport.objects.filter(progress_done__gt=0),
        "any": SuiteImport.objects.exclude(state="queued"),
    }
    with web_process(process_environment, port) as web:
        until(lambda: _answers(port), 60, "the web process answers")
        client = threading.Thread(target=_upload, args=(port, token))
        client.start()
        until(seen[moment].exists, 30, f"the import is seen: {moment}")
        kill(web)
        client.join(timeout=30)
    job = SuiteImport.objects.get()
    assert SuiteCase.objects.count() in {0, CASES}
    lease_lapsed(job)
    for waiting in claimable(SuiteImport.objects.all(), now()):
        work("suite-import", waiting.pk)
    job.refresh_from_db()
    assert (job.state, Suite.objects.count(), SuiteCase.objects.count()) == ("done", 1, CASES)
    assert events(northgate.organization, "suite.imported") == 1


def test_an_upload_that_never_arrived_whole_leaves_nothing(
    northgate: Scene, process_environment: dict[str, str]
) -> None:
    port, token = free_port(), service_token(northgate.organization, "gates:write")
    with web_process(process_environment, port) as web:
        until(lambda: _answers(port), 60, "the web process answers")
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        connection.putrequest("POST", "/v1/suites?name=large")
        connection.putheader("Authorization", f"Bearer {token}")
        connection.putheader("Content-Length", "100000")
        connection.endheaders(b"{")
        kill(web)
        connection.close()
    assert not SuiteImport.objects.exists()
    assert events(northgate.organization, "suite.imported") == 0
