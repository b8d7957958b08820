"""How an agent talks to relcontrol: over the REST API with a token, like relctl, without a database."""

import json
from argparse import Namespace
from collections.abc import Callable
from typing import Any

from audit.weights.oms import SignedStatement, read_bundle
from audit.weights.predicates import WeightsError
from relcontrol.relctl import Client, RelctlError


class Control:
    """The control plane at one address. Raises `RelctlError` with its words where it refuses or does not answer."""

    def __init__(self, *, url: str, token_file: str | None, timeout: float, pause: Callable[[float], None]) -> None:
        self._arguments = Namespace(url=url, token_file=token_file, timeout=timeout, pause=pause, idempotency_key=None)

    def origin(self) -> str:
        """The organization that observations are meant for."""
        return str(self._client().call("trust").members("origin")["origin"])

    def statement(self, weights_sha256: str) -> SignedStatement | None:
        """A statement about this digest whose signature and files hold; None where there is none."""
        try:
            members = self._client().call(f"weights/{weights_sha256}").members("statements")
        except RelctlError as error:
            if error.problem == "not_found":
                return None
            raise
        for each in members["statements"]:
            try:
                signed = read_bundle(each["bundle"])
            except (WeightsError, KeyError, TypeError):
                continue
            if signed.statement.predicate.weights_sha256 == weights_sha256:
                return signed
        return None

    def send(self, envelope: dict[str, Any], statement: dict[str, Any] | None) -> dict[str, Any]:
        """Hand an observation over; what the control plane made of it."""
        body = {"envelope": envelope} | ({"statement": statement} if statement else {})
        return self._client().call("weights/observations", json.dumps(body).encode()).members("drifted", "releases")

    def _client(self) -> Client:
        """One for each call, with a deadline and an Idempotency-Key of its own."""
        return Client(self._arguments)
