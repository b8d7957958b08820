"""The gateway's options: command line first, RELCONTROL_GATEWAY_* second. No database, no Django settings."""

import argparse
import json
import os
import re
import socket
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NoReturn

PREFIX: Final = "RELCONTROL_GATEWAY_"
PORT: Final = 8002
MEBIBYTE: Final = 1024 * 1024
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,89}")


@dataclass(frozen=True, slots=True)
class GatewayOptions:
    """What one gateway was started with; all values checked."""

    host: str
    port: int
    workers: int
    control: str
    token: str = field(repr=False)
    trust: dict[str, Any] = field(repr=False)
    data: Path
    region: str
    replica: str
    max_body: int
    timeout: float
    concurrency: int


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `manage.py gateway` and of `python -m releases.gateway`, in one place."""

    def option(name: str, default: object, said: str) -> None:
        variable = PREFIX + name.upper().replace("-", "_")
        parser.add_argument(f"--{name}", default=os.environ.get(variable, default), help=f"{said} [{variable}]")

    option("host", "127.0.0.1", "address to listen on")
    option("port", PORT, f"port to listen on, {PORT} by default")
    option("workers", 1, "processes on that port; each is a replica of its own")
    option("control", "", "address of the control plane's edge, such as http://127.0.0.1:8001")
    option("token-file", "", f"file with the bearer token of this gateway; or set {PREFIX}TOKEN")
    option("trust", "", "trust file, as GET /v1/trust gives it: whose routing is believed")
    option("data", "", "folder of this gateway: last good snapshot, spooled traces, metrics")
    option("region", "default", "name of the region, for rollbacks to report by")
    option("replica", socket.gethostname() or "gateway", "name of this gateway, unique in its organization")
    option("max-body", 32 * MEBIBYTE, "largest request in bytes")
    option("timeout", 600, "seconds for a whole answer")
    option("concurrency", 256, "requests at once of one application in each worker")


def gateway_options(given: argparse.Namespace) -> GatewayOptions:
    """The options, checked. Raises `ValueError` with a sentence that says what to set."""
    return GatewayOptions(
        host=given.host,
        port=_whole(given, "port", 0, 65_535),
        workers=_whole(given, "workers", 1, 128),
        control=_address(given.control),
        token=_token(given.token_file),
        trust=_trust(given.trust),
        data=_folder(given.data),
        region=_name(given, "region"),
        replica=_name(given, "replica"),
        max_body=_whole(given, "max_body", 1024, 1024 * MEBIBYTE),
        timeout=_whole(given, "timeout", 1, 86_400),
        concurrency=_whole(given, "concurrency", 1, 100_000),
    )


def read_options(arguments: Sequence[str], parser: argparse.ArgumentParser) -> GatewayOptions:
    """The options of a command line; ends the process with a sentence where they are wrong."""
    add_options(parser)
    try:
        return gateway_options(parser.parse_args(arguments))
    except (ValueError, OSError) as error:
        _refuse(parser, str(error))


def _refuse(parser: argparse.ArgumentParser, message: str) -> NoReturn:
    parser.exit(2, f"{parser.prog}: {message}\n")


def _whole(given: argparse.Namespace, name: str, low: int, high: int) -> int:
    text = str(getattr(given, name)).strip()
    if not text.isdecimal() or not low <= int(text) <= high:
        raise ValueError(f"--{name.replace('_', '-')} must be a whole number from {low} to {high}, not {text!r}.")
    return int(text)


def _name(given: argparse.Namespace, name: str) -> str:
    text = str(getattr(given, name))
    if not _NAME.fullmatch(text):
        raise ValueError(f"--{name} must be letters, digits, '.', '_' and '-', at most 90, not {text[:120]!r}.")
    return text


def _address(text: str) -> str:
    if not re.fullmatch(r"https?://[^\s/?#]+(/[^\s?#]*)?", text):
        raise ValueError("--control must be the address of the control plane's edge, such as http://127.0.0.1:8001.")
    return text.rstrip("/")


def _token(file: str) -> str:
    token = Path(file).read_text(encoding="utf-8").strip() if file else os.environ.get(f"{PREFIX}TOKEN", "").strip()
    if not re.fullmatch(r"[!-~]{8,500}", token):
        raise ValueError(f"No token: put this gateway's bearer token into --token-file or {PREFIX}TOKEN.")
    return token


def _trust(file: str) -> dict[str, Any]:
    if not file:
        raise ValueError("--trust must name the trust file: save what GET /v1/trust answers.")
    document = json.loads(Path(file).read_text(encoding="utf-8"))
    if not isinstance(document, dict):
        raise ValueError(f"--trust: {file} is no trust file; save what GET /v1/trust answers.")
    return document


def _folder(text: str) -> Path:
    if not text:
        raise ValueError("--data must name a folder of this gateway's own.")
    folder = Path(text).absolute()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder
