"""LiteLLM's proxy beside the gateway: installed into an environment of its own below the data folder, never into ours.

pip takes it from where it is configured to; where that fails, the bench says so and goes on without.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from relcontrol.bench.gate_processes import HOST, free_port
from relcontrol.bench.gateway_processes import Process, running, until_ready
from relcontrol.runtime.folders import ensure_data_folder

PACKAGE: Final = "litellm[proxy]"
KEY: Final = "sk-bench"
INSTALL_SECONDS: Final = 900
START_SECONDS: Final = 300  # it imports for a long time
CONFIGURATION: Final = """\
model_list:
  - model_name: bench
    litellm_params: {{model: openai/bench, api_base: "http://{host}:{port}/v1", api_key: none}}
general_settings: {{master_key: {key}}}
litellm_settings: {{telemetry: false}}
"""
VERSION: Final = "from importlib.metadata import version; print(version('litellm'))"


class NotInstalledError(RuntimeError):
    """LiteLLM is not there and cannot be had."""


def installed() -> Path:
    """The folder of its programs. Raises `NotInstalledError` with what pip said."""
    folder = ensure_data_folder() / "bench-litellm"
    programs = folder / "bin"
    if not (programs / "litellm").exists():
        _run([sys.executable, "-m", "venv", str(folder)])
        _run([str(programs / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", PACKAGE])
    return programs


def version(programs: Path) -> str:
    """Which LiteLLM it is."""
    return _run([str(programs / "python"), "-c", VERSION]).strip()


@contextmanager
def proxy(programs: Path, folder: Path, upstream_port: int) -> Iterator[tuple[Process, int]]:
    """The proxy in front of the model server, with a key as the gateway has one, and its port."""
    port, file = free_port(), folder / "litellm.yaml"
    file.write_text(CONFIGURATION.format(host=HOST, port=upstream_port, key=KEY))
    command = [str(programs / "litellm"), "--config", str(file), "--host", HOST, "--port", str(port)]
    with running(command, _environment(programs)) as process:
        until_ready(process, port, "/health/liveliness", START_SECONDS)
        yield process, port


def _environment(programs: Path) -> dict[str, str]:
    """Nothing of ours, no telemetry, no list of prices from the network."""
    kept = {name: value for name, value in os.environ.items() if name in {"HOME", "LANG", "TMPDIR"}}
    path = os.pathsep.join([str(programs), os.environ.get("PATH", "")])
    return {**kept, "PATH": path, "LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_LOG": "ERROR"}


def _run(command: list[str]) -> str:
    try:
        done = subprocess.run(  # noqa: S603 - our own list, no shell
            command, capture_output=True, text=True, check=True, timeout=INSTALL_SECONDS
        )
    except subprocess.CalledProcessError as error:
        raise NotInstalledError(" ".join(error.stderr.split())[-200:]) from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotInstalledError(str(error)[:200]) from error
    return done.stdout
