"""The list of models, the health, and that it says of itself that it is a demo."""

import subprocess
import sys

import pytest

from relcontrol.demo_models.behaviours import NAMES
from relcontrol.demo_models.streams import BREAKS_OFF
from relcontrol.runtime.folders import CHECKOUT
from tests.demo_models.client import Client


def test_models_are_listed(client: Client) -> None:
    document = client.ask("GET", "/v1/models").json()
    assert document["object"] == "list"
    assert [model["id"] for model in document["data"]] == list(NAMES)
    assert document["data"][0] == {
        "id": "demo-healthy",
        "object": "model",
        "created": 1_767_225_600,
        "owned_by": "relcontrol-demo",
    }


def test_a_model_is_shown_by_its_name_and_an_unknown_one_is_not_there(client: Client) -> None:
    assert client.ask("GET", "/v1/models/demo-slow").json()["id"] == "demo-slow"
    answer = client.ask("GET", "/v1/models/org/unknown")
    assert answer.status == 404
    assert answer.json()["error"]["param"] == "model"


def test_it_answers_for_its_health(client: Client) -> None:
    assert client.ask("GET", "/healthz").status == 200


def test_it_says_that_it_is_a_demo(client: Client) -> None:
    assert "no model answers here" in client.ask("GET", "/").json()["note"]


@pytest.mark.parametrize("name", ["django", "psycopg", "celery"])
def test_neither_framework_nor_driver_is_loaded_with_it(name: str) -> None:
    code = f"import sys, relcontrol.demo_models.app; sys.exit({name!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=CHECKOUT, check=False).returncode == 0


def test_the_message_that_is_left_out_of_the_log_is_still_that_of_uvicorn() -> None:
    code = "import inspect, uvicorn.protocols.http.httptools_impl as h; print(inspect.getsource(h))"
    source = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert BREAKS_OFF in source
