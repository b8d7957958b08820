"""relctl: release control from a pipeline or a shell, over the REST API (api.md).

One file for CI to fetch alone: it needs Python 3.11 and nothing else. Exit codes: 0 pass, 1 fail, 2 usage, 3 held or
insufficient. The token comes from the environment or a file, since everybody can read a command line.
"""

import argparse
import hashlib
import http.client
import json
import os
import re
import subprocess
import sys
import time
import uuid
from base64 import b64decode
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple
from urllib import parse, request

PASS, FAIL, USAGE, HELD = range(4)  # exit codes; held: or insufficient, or not checked
NO_ANSWER = 0
SUCCESS = OK, CREATED, ACCEPTED = 200, 201, 202
RETRIED = (NO_ANSWER, 429, 503)
BACKOFF_SECONDS = (0.5, 1.0, 2.0, 4.0)
POLL_SECONDS = 1.0
LONGEST_WAIT = 30  # seconds that the server holds an answer
READY_TRIES, READY_SECONDS, READY_WITHIN = 15, 2.0, 30.0  # for gateways: how often, how far apart, how long in all
FOLLOW_SECONDS, TOLD_AGAIN = 2.0, 15  # how often a rollout is looked at; numbers alone are told at every so many looks
VERDICTS = {"gate_pass": PASS, "gate_fail": FAIL, "gate_hold": HELD}
ENDINGS = {"completed": PASS, "halted": FAIL, "aborted": FAIL}
MOST_DECIMALS = 9
ADDRESS = re.compile(r"(?P<scheme>https?)://(?P<host>[\w.-]+|\[[\da-fA-F:]+\])(:\d+)?(/[\w./~-]*)?", re.ASCII)
TOKEN = re.compile(r"rc_[a-z0-9]{8,}\.[\w-]{20,}")
MEDIA = {"jsonl": "application/x-ndjson", "csv": "text/csv", "yaml": "application/yaml", "yml": "application/yaml"}

Facts = list[tuple[str, str]]
quoted = partial(parse.quote, safe="")


class Outcome(NamedTuple):
    """What a command came to: a sentence, facts below it, the raw answer for --json, and the exit code."""

    title: str
    facts: Facts
    raw: bytes
    code: int
    page: str = ""  # Markdown for the summary page, where the server made it; else title and facts go there


Run = Callable[[argparse.Namespace], Outcome]


class RelctlError(Exception):
    """Ends the command: a sentence, the lines below it, and the exit code; `problem` is the server's word for it."""

    def __init__(self, message: str, *, lines: Iterable[str] = (), code: int = FAIL, problem: str = "") -> None:
        self.lines, self.code, self.problem = (message, *(f"  {line}" for line in lines)), code, problem


usage = partial(RelctlError, code=USAGE)


def printable(value: object) -> str:
    """One line for a terminal or a build log: no token, and no control character that could act there."""
    text = TOKEN.sub("rc_…", value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def tell(line: str) -> None:
    """Progress, warnings and errors; stdout belongs to the result."""
    sys.stderr.write(f"{printable(line)}\n")


class Answer(NamedTuple):
    """What the server said; status NO_ANSWER, and the reason as body, where it said nothing."""

    status: int
    body: bytes
    headers: Mapping[str, str]

    def members(self, *needed: str) -> dict[str, Any]:
        """The JSON object in the body, empty where there is none; it must have what is `needed`."""
        try:
            value = json.loads(self.body)
        except (ValueError, RecursionError):
            value = None
        members = value if isinstance(value, dict) else {}
        if missing := [name for name in needed if name not in members]:
            raise RelctlError(f"The answer has no {', '.join(missing)}. Is this the address of relcontrol?")
        return members

    def trouble(self) -> str:
        """What is wrong, where the server does not say it in a problem document."""
        place = self.headers.get("Location", "")
        said = (
            f"No answer ({self.body.decode()})"
            if self.status == NO_ANSWER
            else f"It answered HTTP {self.status} {place}"
        )
        return f"{said.strip()}. Is RELCONTROL_URL right, and relcontrol up?"


class Client:
    """The API at one address with one token. One deadline holds for the whole command."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self._url = (arguments.url or os.environ.get("RELCONTROL_URL", "")).strip().rstrip("/").removesuffix("/v1")
        address = ADDRESS.fullmatch(self._url)
        if address is None:
            raise usage("Set RELCONTROL_URL or --url to the address of relcontrol, such as http://127.0.0.1:8000.")
        file = arguments.token_file
        token = content(file).decode("ascii", "replace") if file else os.environ.get("RELCONTROL_TOKEN", "")
        if not token.isascii() or not token.strip().isprintable() or len(token.split()) != 1:
            raise usage("Set RELCONTROL_TOKEN, or name a file with --token-file, to a token and nothing else.")
        if address["scheme"] == "http" and address["host"] not in {"127.0.0.1", "[::1]", "localhost"}:
            tell(f"Warning: the token goes to {address['host']} unencrypted; use https.")
        self._headers = {"Authorization": f"Bearer {token.strip()}", "User-Agent": "relctl"}
        self._key = quoted(arguments.idempotency_key or str(uuid.uuid4()))
        self._pause, self._timeout = arguments.pause, arguments.timeout
        self._deadline = time.monotonic() + arguments.timeout
        # A bare director follows no redirect, which would take the token along, and raises on no status.
        self._opener = request.OpenerDirector()
        for handler in (request.ProxyHandler, request.HTTPHandler, request.HTTPSHandler):
            self._opener.add_handler(handler())

    def call(self, path: str, body: bytes | None = None, media: str = "application/json") -> Answer:
        """GET /v1/…, or POST where there is a body, with an Idempotency-Key: both may be tried again."""
        posted = {"Content-Type": media, "Idempotency-Key": self._key} if body is not None else {}
        asking = request.Request(f"{self._url}/v1/{path}", body, self._headers | posted)  # noqa: S310 - see ADDRESS
        answer, pauses = self._once(asking), list(BACKOFF_SECONDS)
        while answer.status in RETRIED and pauses:
            pause, asked = pauses.pop(0), answer.headers.get("Retry-After", "")
            self.wait(float(asked) if asked.isascii() and asked.isdecimal() else pause, answer.trouble())
            answer = self._once(asking)
        if answer.status not in SUCCESS:
            raise refused(answer.members(), answer.trouble())
        return answer

    def wait(self, seconds: float, reason: str) -> None:
        """Pause, unless that would pass the deadline."""
        if seconds > self._deadline - time.monotonic():
            raise RelctlError(f"{reason} Gave up after {self._timeout:g} s; --timeout SECONDS waits longer.")
        self._pause(seconds)

    def finished(self, place: str, answer: Answer) -> Answer:
        """The last answer of the job at `place`, which is asked until it is over; progress goes to stderr."""
        line = ""
        while (members := answer.members("state"))["state"] in {"queued", "running"}:
            shown, line = line, f"{place} is {members['state']}: {standing(members)}."
            if line != shown:
                tell(line)
            self.wait(POLL_SECONDS, f"{line} The server goes on; the same --idempotency-key takes it up again.")
            answer = self.call(place)
        if members["state"] != "done":
            raise refused(dict(*objects([members.get("problem")])), f"{place} ended in state {members['state']}.")
        return answer

    def _once(self, asking: request.Request) -> Answer:
        try:
            with self._opener.open(asking, timeout=max(1.0, self._deadline - time.monotonic())) as response:
                return Answer(response.status, response.read(), response.headers)
        except (OSError, http.client.HTTPException) as error:
            return Answer(NO_ANSWER, (str(error) or type(error).__name__).encode(), {})


def standing(members: Mapping[str, Any]) -> str:
    """How far a job is: its steps, and where it makes calls its phase and what they have cost."""
    made = members.get("evaluation") or {}
    progress, spent = made or members.get("progress") or {}, made.get("spent") or {"judge": members.get("spent")}
    if made.get("waits_for"):
        return f"waits for the run of the previous release, {made['waits_for']}"
    phase = f"{made['phase']} " if made.get("phase") else ""
    cost = "; ".join(f"{name} {bill(each)}" for name, each in spent.items() if each and each.get("calls"))
    return f"{phase}{progress.get('done')} of {progress.get('of')}{cost and f' ({cost})'}"


def bill(spent: Mapping[str, Any]) -> str:
    """`31 calls, 10400 tokens, cost 0.0123, 4 from the cache`."""
    tokens = (spent.get("input_tokens") or 0) + (spent.get("output_tokens") or 0)
    known = f", {spent['cached']} from the cache" if spent.get("cached") else ""
    unpriced = f" beside {spent['unpriced']} calls without a price" if spent.get("unpriced") else ""
    return f"{spent.get('calls')} calls, {tokens} tokens, cost {spent.get('cost')}{unpriced}{known}"


def refused(problem: dict[str, Any], otherwise: str) -> RelctlError:
    """A problem document (RFC 9457) as a sentence, then every field or row that is wrong, then the present state."""
    marks = ", ".join(f"{name} {problem[name]}" for name in ("code", "status", "request_id") if problem.get(name))
    lines = [f"{item.get('field') or 'request'}: {item.get('message')}" for item in objects(problem.get("errors"))]
    state = problem.get("state")
    for name, value in state.items() if isinstance(state, dict) else ():
        lines += [f"now {name}: {printable(entry)}" for entry in (value if isinstance(value, list) else [value])]
    said = str(problem.get("detail") or otherwise) + (f" ({marks})" if marks else "")
    return RelctlError(said, lines=lines, problem=str(problem.get("code", "")))


def objects(value: object) -> list[dict[str, Any]]:
    """The JSON objects in a list, whatever else was sent."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def content(name: str) -> bytes:
    """The bytes of a file, or of stdin for `-`."""
    return sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()


def value_of(name: str) -> dict[str, Any]:
    """A file that holds one JSON object; .txt and .md are the system text of a prompt, to the last byte."""
    try:
        if Path(name).suffix.lower() in {".txt", ".md"}:
            return {"kind": "prompt_template", "system": content(name).decode()}
        value = json.loads(content(name))
    except (ValueError, RecursionError) as error:
        raise usage(f"{name} cannot be understood: {error}.") from error
    if not isinstance(value, dict):
        raise usage(f"{name} must hold one JSON object.")
    return value


def write_whole(target: Path, body: bytes) -> None:
    """The whole file or none: written beside its place, then renamed."""
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        part.write_bytes(body)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def picked(members: dict[str, Any], *names: str) -> Facts:
    """The named members that are there, and the components that change, as facts."""
    changed = ", ".join(str(change.get("component")) for change in objects(members.get("changes")))
    shown = {name: members.get(name) for name in names} | {"changes": changed or None}
    return [(name, str(value)) for name, value in shown.items() if value is not None]


def given(arguments: argparse.Namespace, prefix: str) -> dict[str, Any]:
    """The options that were given and whose `dest` begins so: `body.` marks the fields of a request."""
    options = {name.removeprefix(prefix): value for name, value in vars(arguments).items() if name.startswith(prefix)}
    return {name: value for name, value in options.items() if value is not None}


PARSER = argparse.ArgumentParser("relctl", description=__doc__, epilog="relctl COMMAND --help shows an example.")
COMMANDS = PARSER.add_subparsers(dest="command", metavar="COMMAND", required=True)


def names(text: str) -> list[str]:
    """`a,b`."""
    return text.split(",")


def scale(text: str) -> list[float]:
    """`LOW,HIGH`."""
    low, high = map(float, text.split(","))
    return [low, high]


def group(name: str, about: str) -> Any:
    """A command that has commands of its own."""
    parser = COMMANDS.add_parser(name, help=about, description=about, allow_abbrev=False)
    return parser.add_subparsers(dest="action", metavar="ACTION", required=True)


def command(run: Run, example: str, *, online: bool = True, within: Any = None) -> Callable[..., argparse.Action]:
    """A subcommand named like its function, without its group's name; returns what adds options to it."""
    name = run.__name__ if within is None else run.__name__.partition("_")[2].replace("_", "-")
    parser = (within or COMMANDS).add_parser(
        name, help=(run.__doc__ or "").partition("\n")[0], description=run.__doc__, allow_abbrev=False
    )
    parser.epilog = f"example: {example}"
    parser.set_defaults(run=run)
    parser.add_argument("--json", action="store_true", help="print the raw answer")
    if online:
        parser.add_argument("--url", help="address of relcontrol; else RELCONTROL_URL")
        parser.add_argument("--token-file", metavar="FILE", help="file with the token; else RELCONTROL_TOKEN holds it")
        parser.add_argument("--timeout", metavar="SECONDS", type=float, default=300.0, help="give up after it (300)")
        parser.add_argument("--idempotency-key", metavar="KEY", help="to repeat an earlier call safely")
    return parser.add_argument


class Pairs(argparse.Action):
    """NAME=VALUE, repeatable, each name once."""

    def __call__(self, parser: object, namespace: object, text: object, option: object = None) -> None:
        """Add one pair to those that are there."""
        name, sign, value = str(text).partition("=")
        pairs = getattr(namespace, self.dest) or {}
        if not name or not sign or name in pairs:
            raise argparse.ArgumentError(self, "give NAME=VALUE, and each name once")
        setattr(namespace, self.dest, pairs | {name: value})


def register(arguments: argparse.Namespace) -> Outcome:
    """Register a release: the request file with the flags over it, and the artifacts of both."""
    body = (value_of(arguments.file) if arguments.file else {}) | given(arguments, "body.")
    for ref, name in (arguments.artifacts or {}).items():
        body["artifacts"] = [*(body.get("artifacts") or []), {"ref": ref, "value": value_of(name)}]
    answer = Client(arguments).call("releases", json.dumps(body).encode())
    members = answer.members("release_id", "manifest_sha256")
    facts = picked(members, "manifest_sha256", "bundle_sha256", "standing", "delivery")
    for finding in objects((members.get("fast_gate") or {}).get("findings")):
        facts.append((f"fast gate {finding.get('severity')}", f"{finding.get('code')}: {finding.get('message')}"))
    title = "Registered" if answer.status == CREATED else "Already registered, nothing changed"
    return Outcome(f"{title}: {members['release_id']}", facts, answer.body, PASS)


add = command(register, "relctl register --file release.json --previous rel_01jd --artifact templates/qa@v2=prompt.md")
add("--file", metavar="FILE", help="the request as JSON, - for stdin; flags replace its fields")
add("--application", dest="body.application", metavar="SLUG", help="may be left out where there is only one")
add("--model", dest="body.model_ref", metavar="REF", help="hf:org/repo@rev, openai:name or endpoint:name/model")
add("--model-kind", dest="body.model_kind", metavar="KIND", help="where the ref does not tell")
add("--weights-sha256", dest="body.weights_sha256", metavar="SHA256", help="digest of open weights")
add("--adapter", dest="body.adapter_ref", metavar="REF", help="adapter on the model")
add("--prompt", dest="body.prompt_template_ref", metavar="REF", help="prompt template, NAME@VERSION")
add("--preprocessing", dest="body.preprocessing_ref", metavar="REF", help="preprocessing, NAME@VERSION")
add("--dataset", dest="body.dataset_version", metavar="SUITE", help="suite by name or digest")
add("--previous", dest="body.previous_release", metavar="ID", help="baseline, by id or manifest SHA-256")
add("--expected-sha256", dest="body.expected_manifest_sha256", metavar="SHA256", help="refuse any other manifest")
for flag, field in (("--routing", "routing"), ("--generation", "generation"), ("--component", "components")):
    add(flag, dest=f"body.{field}", metavar="NAME=VALUE", action=Pairs, help="repeatable")
add("--acknowledge", dest="body.acknowledged_changes", metavar="A,B", type=names, help="changes")
add("--rebase", dest="body.rebase", action="store_true", default=None, help="same bundle on the present stable release")
add("--artifact", dest="artifacts", metavar="REF=FILE", action=Pairs, help="make it too: JSON, or a .txt/.md prompt")


def suite(arguments: argparse.Namespace) -> Outcome:
    """Upload a scored-QA suite."""
    media = MEDIA.get(arguments.format or Path(arguments.file).suffix.lower().lstrip("."), MEDIA["jsonl"])
    client, query = Client(arguments), parse.urlencode(given(arguments, "query."))
    answer = client.call(f"suites?{query}", content(arguments.file), media)
    if answer.status == ACCEPTED:  # a large one is imported in the background
        answer = client.finished(f"suite-imports/{quoted(answer.members('import_id')['import_id'])}", answer)
    members = answer.members("suite_id", "cases")
    facts = picked(members, "name", "dataset_version", "sha256", "cases", "graded_answers")
    facts += [(f"slice {slug}", str(cases)) for slug, cases in (members.get("slices") or {}).items()]
    return Outcome(f"Suite is in: {members['suite_id']}", facts, answer.body, PASS)


add = command(suite, "relctl suite scored-qa.jsonl --name scored-qa-legal-v3 --grade-scale 1,5")
add("file", metavar="FILE", help="JSON lines, CSV or YAML, - for stdin")
add("--name", dest="query.name", metavar="NAME", required=True, help="what manifests name as dataset_version")
add("--grade-scale", dest="query.grade_scale", metavar="LOW,HIGH", help="scale of the human grades, such as 1,5")
add("--format", choices=("jsonl", "csv", "yaml"), help="else by the file's name; jsonl")


def gate(arguments: argparse.Namespace) -> Outcome:
    """Judge a release: exit code 0 passed, 1 failed, 3 held or insufficient.

    On the results in a file; without one relcontrol answers and judges the suite itself, within the budget.
    """
    client, wait = Client(arguments), arguments.wait
    evaluated = given(arguments, "evaluation.") | (
        {"budget": budget} if (budget := given(arguments, "budget.")) else {}
    )
    if arguments.results and evaluated:
        raise usage(f"{', '.join(sorted(evaluated))}: only without --results, where relcontrol makes the calls.")
    order = (order_of(arguments.results) if arguments.results else evaluated) | given(arguments, "body.")
    sent = f"Sending {counted(len(order.get('results') or []), 'result')} to be judged."
    tell(sent if arguments.results else "relcontrol answers and judges the suite itself.")
    wait = max(0, min(LONGEST_WAIT * bool(arguments.results) if wait is None else wait, LONGEST_WAIT))
    path = f"releases/{quoted(arguments.release)}/gate-runs?wait={min(wait, max(0, int(arguments.timeout) - 1))}"
    answer = client.call(path, json.dumps(order, ensure_ascii=False).encode())
    place = f"gate-runs/{quoted(answer.members('gate_run_id')['gate_run_id'])}"
    answer = client.finished(place, answer)
    members = answer.members("gate_run_id", "verdict", "reasons", "slices")
    dry = ", a dry run without effect" if members.get("dry_run") else ""
    title = f"{str(members['verdict']).replace('_', ' ').capitalize()}: {members.get('release')}{dry}"
    facts = [("reason", str(reason)) for reason in members["reasons"]]
    facts += [(f"slice {part.get('slice')}", slice_line(part)) for part in objects(members["slices"])]
    facts += evaluation_facts(members.get("evaluation") or {})
    facts += picked(members, "gate_run_id", "gate_run_sha256", "manifest_sha256", "suite", "parity", "receipt")
    page = scorecards(client, place, arguments, title)
    return Outcome(title, facts, answer.body, VERDICTS.get(str(members["verdict"]), HELD), page)


def evaluation_facts(evaluation: Mapping[str, Any]) -> Facts:
    """What the calls of an evaluation cost, and why it stopped early where it did."""
    spent = evaluation.get("spent") or {}
    facts = [(f"spent on {name}", bill(each)) for name, each in spent.items() if each]
    return facts + picked(dict(evaluation), "stopped", "without_previous")


def budget_of(arguments: argparse.Namespace) -> dict[str, Any]:
    """What calls may cost, where that was said."""
    return {"budget": budget} if (budget := given(arguments, "budget.")) else {}


def budgeted(add: Callable[..., argparse.Action]) -> None:
    """The options that bound what calls may cost."""
    add("--budget-cases", dest="budget.cases", metavar="N", type=int, help="answers at most")
    add("--budget-tokens", dest="budget.tokens", metavar="N", type=int, help="tokens at most, read and written")
    add("--budget-cost", dest="budget.cost", metavar="AMOUNT", help="money at most, such as 2.50, by endpoint prices")


add = command(gate, "relctl gate 3f9ac41b22e0 --results results.jsonl --judge external:legal-judge@9 --junit gate.xml")
add("release", metavar="RELEASE", help="id, manifest SHA-256, or at least 12 digits of it")
add("--results", metavar="FILE", help="JSON lines, a JSON list of rows, or the whole request as JSON")
add("--suite", dest="body.suite", metavar="SUITE", help="the manifest's, where left out")
add("--judge", dest="body.judge", metavar="NAME", help="for slices that name none, such as external:legal-judge@9")
add("--scale", dest="body.scale", metavar="LOW,HIGH", type=scale, help="of the scores: 0,1, or --scale=-1,1")
add("--grade-scale", dest="body.grade_scale", metavar="LOW,HIGH", type=scale, help="of the human grades, such as 1,5")
add("--parity", dest="body.parity", metavar="SHA256", help="bundle or preprocessing that made the answers")
add("--branch", dest="body.branch", metavar="NAME", help="for the record")
add("--commit", dest="body.commit", metavar="SHA", help="for the record")
add("--feature-snapshot", dest="body.feature_snapshot", metavar="DIGEST", help="what the answers were made with")
add("--dry-run", dest="body.dry_run", action="store_true", default=None, help="compute and show, without effect")
add("--samples", dest="evaluation.samples", metavar="N", type=int, help="without --results: answers to each case")
add("--concurrency", dest="evaluation.concurrency", metavar="N", type=int, help="without --results: calls at once (8)")
add("--fresh", dest="evaluation.fresh", action="store_true", default=None, help="ask again for known answers")
budgeted(add)
add("--wait", metavar="SECONDS", type=int, help="let the server hold its answer (30 with --results, else 0)")
add("--junit", metavar="FILE", type=Path, help="write the scorecard as JUnit XML")
add("--markdown", metavar="FILE", type=Path, help="write the scorecard as Markdown")


def order_of(name: str) -> dict[str, Any]:
    """The request in a results file: as it stands, or its rows as `results`. A row is an object without `results`."""
    body = content(name)
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        value = [row_of(name, number, line) for number, line in enumerate(body.splitlines(), 1) if line.strip()]
    if isinstance(value, dict):
        return value if "results" in value else {"results": [value]}
    if not isinstance(value, list) or not value:
        raise usage(f"{name} holds no results: write JSON lines, one object for each answer.")
    return {"results": value}


def row_of(name: str, number: int, line: bytes) -> Any:
    """One line of JSON lines."""
    try:
        return json.loads(line)
    except (ValueError, RecursionError) as error:
        raise usage(f"{name} line {number} cannot be understood: {error}.") from error


def counted(number: object, noun: str) -> str:
    """`1 answer`, `84 answers`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def slice_line(part: dict[str, Any]) -> str:
    """`fail: agreement 0.41 of 0.65 (84 answers), quality …`, the answer to each question with what it was held to."""
    questions = {name: part.get(name) or {} for name in ("agreement", "quality", "change")}
    found = questions["agreement"]
    shown = [
        ("agreement", found.get("rho"), found.get("threshold"), f" ({counted(found.get('n'), 'answer')})"),
        ("quality", questions["quality"].get("mean"), questions["quality"].get("floor"), ""),
        ("change", questions["change"].get("mean_difference"), None, ""),
    ]
    said = [
        f"{name} {beside(value, limit)}{more} {questions[name].get('verdict')}"
        for name, value, limit, more in shown
        if questions[name]
    ]
    return f"{part.get('verdict')}: {', '.join(said) or 'no results'}"


def beside(value: object, limit: object) -> str:
    """A number, and the limit that it is held to, with as many decimals as show on which side of it it lies."""
    if not isinstance(value, int | float):
        return "unknown"
    if not isinstance(limit, int | float):
        return f"{value:.2f}"
    exact = round(value, MOST_DECIMALS)
    texts = (f"{exact:.{decimals}f}" for decimals in range(2, MOST_DECIMALS + 1))
    return f"{next(text for text in texts if (float(text) >= limit) == (exact >= limit))} of {limit:g}"


def scorecards(client: Client, place: str, arguments: argparse.Namespace, title: str) -> str:
    """Write the scorecards that were asked for; returns the Markdown one, where a summary page wants it too."""
    files = {".md": arguments.markdown, ".xml": arguments.junit}
    wanted = {suffix for suffix, target in files.items() if target}
    page = ""
    try:
        for suffix in sorted(wanted | ({".md"} if os.environ.get("GITHUB_STEP_SUMMARY") else set())):
            body = client.call(place + suffix).body
            page = body.decode("utf-8", "replace") if suffix == ".md" else page
            if suffix in wanted:
                write_whole(files[suffix], body)
    except (RelctlError, OSError) as error:
        trouble = f"{title}. But its scorecard could not be had: {error}"
        if wanted:
            raise RelctlError(trouble) from error
        tell(f"Warning: {trouble}")
    return page


JUDGE = group("judge", "Make judges, list them, and measure them against your experts.")
PANEL = group("panel", "Have experts grade answers: start panels, bring grades in, follow and close them.")


def judge_create(arguments: argparse.Namespace) -> Outcome:
    """Make a judge of a file that holds the request: a model, rules, or a composition of judges."""
    body = value_of(arguments.file) | given(arguments, "body.")
    answer = Client(arguments).call("judges", json.dumps(body).encode())
    members = answer.members("judge_id", "name")
    title = "Made" if answer.status == CREATED else "Already there, nothing changed"
    facts = [*picked(members, "judge_id", "kind", "sha256"), ("scale", shown_scale(members))]
    return Outcome(f"{title}: {members['name']}", facts, answer.body, PASS)


add = command(judge_create, "relctl judge create rubric.json --name llm:rubric@2", within=JUDGE)
add("file", metavar="FILE", help="the request as JSON, - for stdin: name, endpoint, model, prompt, scale, …")
add("--name", dest="body.name", metavar="KIND:NAME@VERSION", help="in place of the file's")


def judge_list(arguments: argparse.Namespace) -> Outcome:
    """List the judges, newest first."""
    rows = listed(Client(arguments), "judges")
    facts = [(str(row.get("name")), f"{row.get('kind')}, {shown_scale(row)}") for row in rows]
    return Outcome(f"Judges: {len(rows)}", facts, json.dumps({"results": rows}).encode(), PASS)


add = command(judge_list, "relctl judge list", within=JUDGE)


def judge_calibrate(arguments: argparse.Namespace) -> Outcome:
    """Measure a judge against a suite's graded answers, slice by slice, and wait for it.

    Exit code: 0 it may decide every slice, 1 it disagrees with your experts on one, 3 it is not proven on one.
    """
    client, body = Client(arguments), given(arguments, "body.") | budget_of(arguments)
    if arguments.scores:
        body["scores"] = order_of(arguments.scores)["results"]
    answer = client.call(f"judges/{quoted(arguments.judge)}/calibrations", json.dumps(body).encode())
    answer = client.finished(f"calibrations/{quoted(answer.members('calibration_id')['calibration_id'])}", answer)
    members = answer.members("calibration_id", "judge", "slices")
    slices = objects(members["slices"])
    facts = [(f"slice {part.get('slice')}", calibration_line(part)) for part in slices]
    facts += picked({"injections": (members.get("injections") or {}).get("sentence")}, "injections")
    facts += [("spent", bill(members["spent"]))] if members.get("spent") else []
    facts += picked(members, "calibration_id", "judge_sha256", "suite", "receipt")
    outcomes = {str(part.get("outcome")) for part in slices}
    code = FAIL if "fail" in outcomes else PASS if outcomes == {"pass"} else HELD
    passed = sum(part.get("outcome") == "pass" for part in slices)
    return Outcome(f"{members['judge']} may decide {passed} of {len(slices)} slices", facts, answer.body, code)


add = command(judge_calibrate, "relctl judge calibrate llm:rubric@1 --suite scored-qa-legal-v3", within=JUDGE)
add("judge", metavar="JUDGE", help="its name or id")
add("--suite", dest="body.suite", metavar="SUITE", required=True, help="the suite whose answers experts have graded")
add("--slices", dest="body.slices", metavar="A,B", type=names, help="all that have grades, where left out")
add("--scores", metavar="FILE", help="of an external: judge: rows of case_id, answer_id and score, as JSON lines")
add("--no-rescores", dest="body.rescores", action="store_false", default=None, help="leave its own noise unmeasured")
budgeted(add)


def calibration_line(part: Mapping[str, Any]) -> str:
    """`pass: ρ 0.71 of 0.65 (84 answers), 86 % of the ceiling`, and why not where it did not pass."""
    share = part.get("share_of_ceiling")
    ceiling = f", {share:.0%} of the ceiling" if isinstance(share, int | float) else ""
    why = "" if part.get("outcome") == "pass" else "".join(f" {reason}" for reason in part.get("reasons") or [])
    of = counted(part.get("n"), "answer")
    line = f"{part.get('outcome')}: ρ {beside(part.get('rho'), part.get('threshold'))} ({of})"
    return f"{line}{ceiling}.{why}" if why else line + ceiling


def panel_create(arguments: argparse.Namespace) -> Outcome:
    """Start a panel of a file that holds the request: name, rubric, source, suite, slices, raters, scale."""
    return started_panel(arguments, value_of(arguments.file))


add = command(panel_create, "relctl panel create panel.json --raters ann@example.com,bo@example.com", within=PANEL)
add("file", metavar="FILE", help="the request as JSON, - for stdin")


def panel_have_graded(arguments: argparse.Namespace) -> Outcome:
    """Have answers of a gate run graded: some of every level of the judge's score."""
    return started_panel(arguments, {"source": "run", "run": arguments.run_id, "rubric": arguments.rubric})


have = command(
    panel_have_graded,
    "relctl panel have-graded grn_01jd --name 'Check of r12' --rubric 'Is it right?' --raters ann@example.com",
    within=PANEL,
)
have("run_id", metavar="RUN", help="the gate run, by id")
have("--rubric", metavar="TEXT", required=True, help="what raters are to hold an answer to")
for each in (add, have):
    each("--name", dest="body.name", metavar="NAME", required=each is have, help="what people call the panel")
    each(
        "--raters", dest="body.raters", metavar="A,B", type=names, required=each is have, help="their e-mail addresses"
    )
    each("--raters-per-answer", dest="body.raters_per_answer", metavar="N", type=int, help="how many grade each (2)")
    each("--slices", dest="body.slices", metavar="A,B", type=names, help="answers of these only")
    each(
        "--count", dest="body.count", metavar="N", type=int, help="how many answers; of each slice where some are named"
    )
have("--scale", dest="body.scale", metavar="LOW,HIGH", type=scale, default=[1.0, 5.0], help="of the grades: 1,5")


def started_panel(arguments: argparse.Namespace, body: dict[str, Any]) -> Outcome:
    """Start it, with the flags over what is asked."""
    answer = Client(arguments).call("panels", json.dumps(body | given(arguments, "body.")).encode())
    return panel_outcome(answer, "Started")


def panel_outcome(answer: Answer, title: str) -> Outcome:
    """A panel, and how far each rater is."""
    members = answer.members("panel_id", "state")
    facts = picked(members, "name", "state", "suite", "run", "answers", "receipt") + progress_facts(members)
    return Outcome(f"{title}: {members['panel_id']}", facts, answer.body, PASS)


def progress_facts(members: Mapping[str, Any]) -> Facts:
    """Each rater's counts; no grade is told while a panel is open."""
    return [
        (f"rater {row.get('name')}", f"{row.get('rated')} graded, {row.get('skipped')} skipped of {row.get('of')}")
        for row in objects(members.get("raters"))
    ]


def panel_list(arguments: argparse.Namespace) -> Outcome:
    """List the panels, newest first."""
    rows = listed(Client(arguments), "panels")
    facts = [(str(row.get("panel_id")), f"{row.get('state')}: {row.get('name')}") for row in rows]
    return Outcome(f"Panels: {len(rows)}", facts, json.dumps({"results": rows}).encode(), PASS)


add = command(panel_list, "relctl panel list", within=PANEL)


def panel_import(arguments: argparse.Namespace) -> Outcome:
    """Bring in grades that were given elsewhere: rows of case_id, answer_id, rater and grade; all or none."""
    media = MEDIA.get(arguments.format or Path(arguments.file).suffix.lower().lstrip("."), MEDIA["jsonl"])
    answer = Client(arguments).call(f"panels/{quoted(arguments.panel)}/import", content(arguments.file), media)
    members = answer.members("added", "known")
    return Outcome(f"{members['added']} grades are in", picked(members, "added", "known", "raters"), answer.body, PASS)


add = command(panel_import, "relctl panel import pan_01jd grades.csv", within=PANEL)
add("panel", metavar="PANEL", help="its id, pan_…")
add("file", metavar="FILE", help="JSON lines or CSV, - for stdin")
add("--format", choices=("jsonl", "csv"), help="else by the file's name; jsonl")


def panel_progress(arguments: argparse.Namespace) -> Outcome:
    """Show how far every rater is: exit code 0 where all have decided, 3 where somebody has not."""
    answer = Client(arguments).call(f"panels/{quoted(arguments.panel)}/progress")
    members = answer.members("rated", "of", "complete")
    title = f"{members['rated']} of {members['of']} grades are in"
    facts = picked(members, "answers", "rated", "skipped", "waiting") + progress_facts(members)
    return Outcome(title, facts, answer.body, PASS if members["complete"] is True else HELD)


add = command(panel_progress, "relctl panel progress pan_01jd", within=PANEL)
add("panel", metavar="PANEL", help="its id, pan_…")


def panel_close(arguments: argparse.Namespace) -> Outcome:
    """Close a panel: the grades of a suite's answers become its ratings."""
    body = json.dumps(given(arguments, "body.")).encode()
    return panel_outcome(Client(arguments).call(f"panels/{quoted(arguments.panel)}/close", body), "Closed")


add = command(panel_close, "relctl panel close pan_01jd", within=PANEL)
add("panel", metavar="PANEL", help="its id, pan_…")
add("--anyway", dest="body.anyway", action="store_true", default=None, help="although grades are missing")


def listed(client: Client, path: str) -> list[dict[str, Any]]:
    """Every row of a list, page by page."""
    rows: list[dict[str, Any]] = []
    cursor: object = ""
    while cursor is not None:
        members = client.call(f"{path}?{parse.urlencode({'limit': 200, 'cursor': cursor})}").members("results", "next")
        rows += objects(members["results"])
        cursor = members["next"]
    return rows


def shown_scale(judge: Mapping[str, Any]) -> str:
    """`scores from 1 to 5`."""
    low, high = (judge.get("scale") or ["?", "?"])[:2]
    return f"scores from {low} to {high}"


def override(arguments: argparse.Namespace) -> Outcome:
    """Ask for an override of a failed or held gate: exit code 0 active, 3 waiting for approval.

    There is no command to approve it: another release manager does that, in the browser or with a token of her own.
    """
    flags = {"--force-gate-override": arguments.force, "--override-reason": arguments.reason}
    if missing := [flag for flag, value in flags.items() if value is None]:
        raise usage(f"An override takes --force-gate-override and --override-reason TEXT; add {' and '.join(missing)}.")
    body = {"forceGateOverride": arguments.force, "overrideReason": arguments.reason} | given(arguments, "body.")
    answer = Client(arguments).call(f"releases/{quoted(arguments.release)}/override", json.dumps(body).encode())
    members = answer.members("override_id", "state", "gate_override_sha256")
    facts = picked(members, "state", "gate_override_sha256", "requested_by", "expires_at", "gate_run_id")
    facts += [("covers", str(slug)) for slug in members.get("slices") or []]
    active = members["state"] == "active"
    if not active:
        facts.append(("must approve", "a release manager other than the requester, in the browser or by her own token"))
    return Outcome(f"Override {members['override_id']}", facts, answer.body, PASS if active else HELD)


add = command(
    override, "relctl override 3f9ac41b22e0 --force-gate-override --override-reason 'Typo fix in the banner.'"
)
add("release", metavar="RELEASE", help="id, manifest SHA-256, or at least 12 digits of it")
add("--force-gate-override", dest="force", action="store_true", default=None, help="needed")
add("--override-reason", dest="reason", metavar="TEXT", help="needed, 20 characters or more; receipts keep it for ever")
add("--slices", dest="body.slices", metavar="A,B", type=names, help="slices that it covers; all that did not pass")
add(
    "--accept", dest="body.accepted_levels", metavar="SLICE=LEVEL", action=Pairs, help="quality from 0 to 1; repeatable"
)
add("--expires-in", dest="body.expires_in_seconds", metavar="SECONDS", type=int, help="the policy's, where left out")


def roll(arguments: argparse.Namespace) -> Outcome:
    """Roll a release out in checkpoints of traffic, once every gateway has it ready.

    With --wait: exit code 0 completed, 1 halted or aborted, 3 not over when --timeout is, such as held for a review.
    """
    client, body = Client(arguments), json.dumps(given(arguments, "body.")).encode()
    answer = started(client, f"releases/{quoted(arguments.release)}/roll", body)
    if (members := answer.members()).get("dry_run"):
        return would_start(members, answer)
    key = str(answer.members("rollout_id")["rollout_id"])
    if arguments.wait:
        return followed(client, key)
    return Outcome(f"Rollout {key}", picked(members, "state", "next_checkpoint_at"), answer.body, PASS)


add = command(roll, "relctl roll 3f9ac41b22e0 --dwell-5 600 --reason 'Prompt v15' --wait --timeout 7200")
add("release", metavar="RELEASE", help="id, manifest SHA-256, or at least 12 digits of it")
add("--strategy", dest="body.strategy", choices=("canary", "shadow"), default="canary", help="canary")
for percent in (5, 25, 100):
    for flag, unit in (("dwell", "seconds"), ("requests", "requests")):
        field = f"dwell_{percent}pct_seconds" if flag == "dwell" else f"requests_{percent}pct"
        add(
            f"--{flag}-{percent}", dest=f"body.{field}", metavar="N", type=int, help=f"{unit} at {percent} %%, at least"
        )
add("--dry-monitors", dest="body.dry_monitors", metavar="A,B", type=names, help="of errors,latency,quality: no effect")
add("--weights-drift", dest="body.weights_drift", choices=("halt", "review", "ignore"), help="on other weights: halt")
add("--dry-run", dest="body.dry_run", action="store_true", default=None, help="check and show, without effect")
add("--reason", dest="body.reason", metavar="TEXT", help="for the record")
add("--wait", action="store_true", help="follow the rollout to its end, telling what it waits for")


def started(client: Client, path: str, body: bytes) -> Answer:
    """The answer to a start; while gateways are not ready it is asked again, within bounds."""
    until, said = time.monotonic() + READY_WITHIN, ""
    for _ in range(READY_TRIES):
        try:
            return client.call(path, body)
        except RelctlError as error:
            if error.problem != "rollout_not_ready" or time.monotonic() > until:
                raise
            shown, said = said, error.lines[0]
            if said != shown:
                tell(f"Not ready yet: {said}")
            client.wait(READY_SECONDS, said)
    return client.call(path, body)


def would_start(members: dict[str, Any], answer: Answer) -> Outcome:
    """What a dry run found."""
    goes = members.get("would_start") is True
    facts = [("why not", str(reason)) for reason in members.get("why_not") or []]
    facts += [("checkpoint", checkpoint_line(step)) for step in objects(members.get("checkpoints"))]
    return Outcome(f"A dry run: it would {'' if goes else 'not '}start", facts, answer.body, PASS if goes else FAIL)


def checkpoint_line(step: dict[str, Any]) -> str:
    """`5 % for 600 s and 100 requests, at least`."""
    return f"{step.get('percent')} % for {step.get('dwell_seconds')} s and {step.get('requests')} requests, at least"


def followed(client: Client, key: str) -> Outcome:
    """The rollout when it is over, or when the deadline is; what it waits for goes to stderr."""
    answer, told, looks = client.call(f"rollouts/{quoted(key)}"), ("", ""), 0
    tell(f"Rollout {key} goes on by itself; relctl only looks.")
    while (state := str(answer.members("state")["state"])) not in ENDINGS:
        line, looks = moving(answer.members()), looks + 1
        if line[0] != told[0] or (line != told and looks % TOLD_AGAIN == 0):
            tell(line[1])
            told = line
        try:
            client.wait(FOLLOW_SECONDS, line[1])
        except RelctlError as error:
            tell(error.lines[0])
            return rollout_outcome(answer, f"Rollout {key} is not over: {state.replace('_', ' ')}", HELD)
        answer = client.call(f"rollouts/{quoted(key)}")
    return rollout_outcome(answer, f"Rollout {key}: {state}", ENDINGS[state])


def moving(members: dict[str, Any]) -> tuple[str, str]:
    """Where a rollout stands and what it waits for: as a key that no number changes, and as a line."""
    waiting = members.get("waiting_for") or {}
    unmet = [each for each in objects(waiting.get("conditions")) if each.get("met") is not True]
    state = str(members["state"]).replace("_", " ")
    where = f"{state}, checkpoint {members.get('checkpoint')} ({members.get('percent')} %), next {waiting.get('next')}"
    said = " ".join(str(each.get("sentence")) for each in unmet) or "Nothing is missing."
    return " ".join([where, *(str(each.get("key")) for each in unmet)]), f"{where}: {said}"


def rollout_outcome(answer: Answer, title: str, code: int = PASS) -> Outcome:
    """A rollout with the reasons for its state, and what it waits for."""
    members = answer.members("rollout_id", "state")
    waiting = members.get("waiting_for") or {}
    facts = picked(members, "state", "checkpoint", "percent", "release", "manifest_sha256", "version")
    facts += [("because", str(reason)) for reason in members.get("reasons") or []]
    for each in objects(waiting.get("conditions")):
        if each.get("met") is not True:
            facts.append(("waits for", f"{each.get('sentence')}" + (f" ({each['eta']})" if each.get("eta") else "")))
    facts += picked(members, "next_checkpoint_at", "halts_at", "ended_at")
    return Outcome(title, facts, answer.body, code)


def status(arguments: argparse.Namespace) -> Outcome:
    """Show a release: standing, delivery, whether it may be deployed or why not. Of a rollout: what it waits for."""
    if arguments.subject.startswith("rol_"):
        answer = Client(arguments).call(f"rollouts/{quoted(arguments.subject)}")
        return rollout_outcome(answer, f"Rollout {answer.members('rollout_id')['rollout_id']}")
    answer = Client(arguments).call(f"releases/{quoted(arguments.subject)}")
    members = answer.members("release_id", "standing", "delivery", "deployable")
    facts = [("deployable", "yes" if members["deployable"] is True else "no")]
    facts += [("why not", str(reason)) for reason in members.get("why_not") or []]
    facts += picked(members, "standing", "delivery", "application", "route", "manifest_sha256", "previous_release")
    return Outcome(f"Release {members['release_id']}", facts, answer.body, PASS)


add = command(status, "relctl status 3f9ac41b22e0")
add("subject", metavar="RELEASE|ROLLOUT", help="id, manifest SHA-256 or 12 digits of it; of a rollout its id, rol_…")


def pause(arguments: argparse.Namespace) -> Outcome:
    """Hold a rollout where it is; its monitors go on, and 24 hours later it halts."""
    return ordered(arguments)


def resume(arguments: argparse.Namespace) -> Outcome:
    """Let a held rollout go on; takes a person's token."""
    return ordered(arguments)


def promote(arguments: argparse.Namespace) -> Outcome:
    """Take a rollout one checkpoint further now; takes a person's token."""
    return ordered(arguments)


def halt(arguments: argparse.Namespace) -> Outcome:
    """End a rollout: all traffic goes back to the stable release, for good."""
    return ordered(arguments)


def ordered(arguments: argparse.Namespace) -> Outcome:
    """Carry out the command of this name."""
    path = f"rollouts/{quoted(arguments.rollout)}/{arguments.command}"
    answer = Client(arguments).call(path, json.dumps(given(arguments, "body.")).encode())
    members = answer.members("rollout_id", "state")
    return rollout_outcome(answer, f"Rollout {members['rollout_id']}: {str(members['state']).replace('_', ' ')}")


for order in (pause, resume, promote, halt):
    add = command(order, f"relctl {order.__name__} rol_01jd --reason 'I read fifty answers.'")
    add("rollout", metavar="ROLLOUT", help="its id, rol_…")
    add("--reason", dest="body.reason", metavar="TEXT", required=True, help="for the record; receipts keep it for ever")
    add("--expected-version", dest="body.expected_version", metavar="N", type=int, help="refuse if it has moved on")


def rollback(arguments: argparse.Namespace) -> Outcome:
    """Roll a route back to what it served before, or with --rehearse find out whether that would work.

    A rollout on the route is aborted. With --wait: every moment until the last gateway has it and nothing of what was
    left is in flight. Exit code: 0 done, 3 not known of every gateway; of a rehearsal 1 if something stands in the way.
    """
    client, path = Client(arguments), f"routes/{quoted(arguments.route)}/rollback"
    answer = client.call(path, json.dumps(given(arguments, "body.")).encode())
    members = answer.members("rollback_id", "rehearsed", "left", "target")
    found = [("stands in the way", str(finding)) for finding in members.get("findings") or []]
    facts = picked(members, "rollback_id", "left", "target", "generation", "receipt")
    if members["rehearsed"] is True:
        title = "A rehearsal: " + ("something stands in the way" if found else "the rollback would work")
        return Outcome(title, [*found, *facts], answer.body, FAIL if found else PASS)
    where = f"back to {members['target']}" if members["target"] else "back to nothing: the route answers 503"
    if arguments.wait:
        return come_through(client, arguments.route, members, f"Rolled {where}", facts)
    return Outcome(f"Rolled {where}", [*facts, *moments(members)], answer.body, PASS)


def come_through(client: Client, route: str, members: dict[str, Any], title: str, facts: Facts) -> Outcome:
    """The rollback once the server has its second receipt, or as it is when the deadline is."""
    tell(f"{title}. The server follows it; relctl only looks.")
    while True:
        answer = client.call(f"routes/{quoted(route)}")
        fresh = answer.members("last_rollback")["last_rollback"] or {}
        if fresh.get("rollback_id") != members["rollback_id"]:
            return Outcome(f"{title}; a later rollback has followed", facts, answer.body, HELD)
        shown = [*facts, *moments(fresh), *picked(fresh, "reconciled_receipt")]
        if fresh.get("reconciled_receipt"):
            through = all(each.get("at") for each in objects(fresh.get("timeline")))
            end = "every gateway has it" if through else "it is not known of every gateway"
            return Outcome(f"{title}; {end}", shown, answer.body, PASS if through else HELD)
        try:
            client.wait(FOLLOW_SECONDS, "Not every gateway has come through yet.")
        except RelctlError as error:
            tell(error.lines[0])
            return Outcome(f"{title}; not every gateway has come through yet", shown, answer.body, HELD)


def moments(members: dict[str, Any]) -> Facts:
    """`decided: after 181.2 s, at 2026-…`, of a rollback's timeline."""
    return [
        (str(each.get("word")), f"after {each['seconds_since_trigger']:.1f} s, at {each['at']}. {each.get('said')}")
        if each.get("at")
        else (str(each.get("word")), f"not yet. {each.get('said')}")
        for each in objects(members.get("timeline"))
    ]


add = command(rollback, "relctl rollback rte_01jd --reason 'Answers on licences are wrong.' --rehearse")
add("route", metavar="ROUTE", help="its id, rte_…")
add("--reason", dest="body.reason", metavar="TEXT", required=True, help="for the record; receipts keep it for ever")
add("--to", dest="body.to", metavar="RELEASE", help="any release that was stable on the route; else the previous one")
add("--rehearse", dest="body.rehearse", action="store_true", default=None, help="check everything, change nothing")
add(
    "--wait", action="store_true", help="follow it until every gateway has it and nothing of what was left is in flight"
)


def lineage(arguments: argparse.Namespace) -> Outcome:
    """Show what made an answer: release, prompt, gate run, approvers, and what differs from the last good release.

    Exit code 1 where something is wrong with it: another fingerprint than was judged, a value out of time, a receipt.
    """
    answer = Client(arguments).call(f"lineage/{quoted(arguments.request)}")
    members = answer.members("request_id", "trace", "served", "fingerprints")
    served, features = members["served"] or {}, objects(members.get("features"))
    wrong = [str(each) for each in members.get("problems") or []]
    wrong += [str(each.get("sentence")) for each in features if each.get("verdict") in {"future", "stale"}]
    wrong += [str(members["fingerprints"]["sentence"])] if members["fingerprints"].get("verdict") == "other" else []
    facts = [("wrong", each) for each in wrong] + picked(served, "release", "manifest_sha256", "weights", "commit")
    for each in objects(served.get("components")):
        facts.append((str(each.get("title")), str(each.get("ref") or each.get("digest") or printable(each["value"]))))
    facts += picked(served.get("gate_run") or {}, "gate_run_id", "verdict")
    facts += [("approved by", f"{each.get('name')} {each.get('did')}") for each in objects(members.get("approved_by"))]
    good = members.get("last_known_good") or {}
    facts += [("last good release", str(good["release"]))] if good else []
    facts += [("differs in", str(each.get("component"))) for each in objects(good.get("changes"))]
    facts += [("receipt", str(each.get("receipt"))) for each in objects(members.get("receipts"))]
    title = f"Request {members['request_id']}: {served.get('release') or 'no release that is registered here'}"
    return Outcome(title, facts, answer.body, FAIL if wrong else PASS)


add = command(lineage, "relctl lineage 5f0c0b1e9a6d4a0db6d6f2f6c8f0a1b2")
add("request", metavar="REQUEST_ID", help="an answer's x-request-id")


def serving(arguments: argparse.Namespace) -> Outcome:
    """Show what a route served at a time and who approved it, by the receipts: exit code 1 where one does not verify.

    Exit code 3 where the route served nothing.
    """
    query = f"?{parse.urlencode({'at': arguments.at})}" if arguments.at else ""
    answer = Client(arguments).call(f"routes/{quoted(arguments.route)}/serving{query}")
    members = answer.members("at", "serving", "approved_by", "receipts", "verified")
    served = members["serving"] or {}
    facts = [("does not verify", str(problem)) for problem in members.get("problems") or []]
    facts += picked(served, "manifest_sha256", "since", "until", "reason")
    facts += [("approved by", f"{each.get('name')} {each.get('did')}") for each in objects(members["approved_by"])]
    facts += [(str(each.get("event")), str(each.get("receipt"))) for each in objects(members["receipts"])]
    name = served.get("release") or served.get("manifest_sha256") or "nothing"
    code = FAIL if members["verified"] is not True else PASS if served else HELD
    return Outcome(f"At {members['at']} it served {name}", facts, answer.body, code)


add = command(serving, "relctl serving rte_01jd --at 2026-03-15T14:03:00Z")
add("route", metavar="ROUTE", help="its id, rte_…")
add("--at", metavar="TIME", help="RFC 3339; now without it")


def observe(arguments: argparse.Namespace) -> Outcome:
    """Show how what a route serves is watched: whether automatic rollback is armed, and how each slice stands.

    Exit code: 0 every slice is at or above its floor, 1 one is below it, 3 nothing is watched or armed.
    """
    path = f"routes/{quoted(arguments.route)}/quality?limit=1"
    answer = Client(arguments).call(path)
    members = answer.members("route_id", "watching", "slices")
    slices = objects(members["slices"])
    armed, below = sum(each.get("armed") is True for each in slices), any(each.get("streak") for each in slices)
    facts = [(str(each.get("slice")), observed_line(each)) for each in slices]
    facts += picked(members.get("cost") or {}, "calls_per_day", "tokens_per_day", "money_per_day")
    facts += picked(members, "release_id", "looked_at")
    if members["watching"] is not True or not slices:
        return Outcome("Nothing is watched on this route", facts, answer.body, HELD)
    code = FAIL if below else PASS if armed else HELD
    return Outcome(f"Automatic rollback is armed on {armed} of {len(slices)} slices", facts, answer.body, code)


def observed_line(part: Mapping[str, Any]) -> str:
    """`below its floor for 2 windows in a row, 0.44 of 0.55 over 18 answers; armed`, or why it is not."""
    last = part.get("last_window") or {}
    streak = part.get("streak")
    below = f"below its floor for {streak} window{'s' if streak != 1 else ''} in a row, " if streak else ""
    value = "no quality yet" if last.get("mean") is None else beside(last["mean"], part.get("floor"))
    over = f" over {last.get('n')} answers" if last else ""
    armed = "armed" if part.get("armed") is True else str(part.get("why") or "not armed yet")
    return f"{below}{value}{over}; {armed}"


add = command(observe, "relctl observe rte_01jd")
add("route", metavar="ROUTE", help="its id, rte_…")


def erase(arguments: argparse.Namespace) -> Outcome:
    """Erase a subject: her key, and every copy of what her requests said. It cannot be undone.

    Whom comes from a file or stdin, since everybody can read a command line. Erasing again changes nothing.
    """
    if (arguments.subject_file is None) == (arguments.request is None):
        raise usage("Say whom: with --subject-file, or with --request, and not with both.")
    whom = {"request_id": arguments.request}
    if arguments.subject_file is not None:
        whom = {"subject": content(arguments.subject_file).decode("utf-8", "replace").rstrip("\r\n")}
    answer = Client(arguments).call("subjects/erase", json.dumps(whom | {"reason": arguments.reason}).encode())
    members = answer.members("erasure_id", "gone", "receipt")
    gone = [(name.replace("_", " "), str(count)) for name, count in members["gone"].items()]
    facts = [*gone, *picked(members, "subject_digest", "erased_at", "receipt")]
    return Outcome(f"Erased: {members['erasure_id']}", facts, answer.body, PASS)


add = command(erase, "relctl erase --subject-file - --reason 'Asked for by letter.' <whom.txt")
add("--subject-file", metavar="FILE", help="what requests call her, as they write it; - for stdin")
add("--request", metavar="REQUEST_ID", help="an answer's x-request-id: whoever asked it")
add("--reason", metavar="TEXT", required=True, help="for the record, which keeps it: do not name her")


def export(arguments: argparse.Namespace) -> Outcome:
    """Export receipts for an auditor: ask, wait until they are ready, download the JSON, or the ZIP of everything."""
    scope, client = given(arguments, "scope."), Client(arguments)
    if len(scope) != 1:
        raise usage("Give exactly one of --organization, --application, --release and --person.")
    keys = fetch_trust(client, arguments.trust_out) if arguments.trust_out else []
    asked = {"scope": scope, "report": arguments.zip} | given(arguments, "body.")
    answer = client.call("exports", json.dumps(asked).encode())
    place = f"exports/{quoted(answer.members('export_id')['export_id'])}"
    answer = client.finished(place, answer)
    document = client.call(f"{place}.{'zip' if arguments.zip else 'json'}").body
    write_whole(arguments.output, document)
    facts = [("export", place), ("sha256", hashlib.sha256(document).hexdigest()), *keys]
    return Outcome(f"Export written to {arguments.output}", facts, answer.body, PASS)


add = command(export, "relctl export --organization -o export.json --trust-out trust.json")
add("--organization", dest="scope.organization", action="store_true", default=None, help="every receipt")
add("--application", dest="scope.application", metavar="SLUG", help="the receipts of one application")
add("--release", dest="scope.release", metavar="ID", help="the receipts of one release")
add("--person", dest="scope.person", metavar="WHO", help="what one person or token did: id, name or address")
add("--opens", dest="body.opens", choices=("all", "impersonal", "nothing"), help="what its reader may open; all")
add("--zip", action="store_true", help="the ZIP: the JSON, its report, all evidence, and the verifiers")
add("--from", dest="body.from", metavar="TIME", help="RFC 3339, such as 2026-01-31T00:00:00Z")
add("--to", dest="body.to", metavar="TIME", help="RFC 3339")
add("-o", "--output", metavar="FILE", type=Path, required=True, help="where the export goes")
add("--trust-out", metavar="FILE", type=Path, help="fetch the trust file too; then compare its fingerprints")


def fetch_trust(client: Client, target: Path) -> Facts:
    """Write GET /v1/trust to `target`. The fingerprints are computed here: SHA-256 of the raw public key."""
    answer, fingerprints = client.call("trust"), []
    for key in objects(answer.members("keys")["keys"]):
        text = str(key.get("public_key"))
        digest = hashlib.sha256(b64decode(text)).hexdigest() if re.fullmatch(r"[A-Za-z\d+/]{43}=", text) else "no key"
        if digest != key.get("keyid"):
            raise RelctlError(f"Key {key.get('keyid')} in the trust file is not what it says: it is {digest}.")
        fingerprints.append((f"key {key.get('purpose')}", digest))
    if target.exists() and target.read_bytes() != answer.body:
        raise RelctlError(f"{target} is there and differs from what the server says. Keep the one that you trust.")
    write_whole(target, answer.body)
    tell("Warning: trust on first use. Compare the fingerprints with ones that you got another way than from there.")
    return fingerprints


def verify(arguments: argparse.Namespace) -> Outcome:
    """Verify an export offline with verify.py, whose verdict is the exit code."""
    here = Path(__file__).resolve().parent
    verifier = (here.parent / "audit" if (here / "__init__.py").is_file() else here) / "verify.py"
    if not verifier.is_file():
        raise usage(f"There is no {verifier}. Fetch it once, from GET /v1/verify.py of relcontrol.")
    options = [f"--{name}={value}" for name, value in given(arguments, "verify.").items()]
    call = [sys.executable, "-I", str(verifier), *options, *(["--json"] * arguments.json), "--", arguments.file]
    code = subprocess.run(call, check=False).returncode  # noqa: S603 - the verifier beside us, no shell
    if code not in {PASS, FAIL, USAGE, HELD}:
        raise RelctlError(f"{verifier} broke with exit code {code}: nothing is verified.")
    verdicts = ("every check holds", "a check failed", "it could not start", "something was not checked")
    return Outcome(f"Verifier: {verdicts[code]}", [], b"", code)


add = command(verify, "relctl verify export.zip --trust trust.json", online=False)
add("file", metavar="FILE", help="an export: its ZIP or its JSON")
add("--trust", dest="verify.trust", metavar="FILE", help="the trust file; without it authenticity is not checked")
add("--head", dest="verify.head", metavar="HEAD", help="a head that you hold: SEQ:HASH, or a file with it or signed")


def fenced(command: str, lines: Iterable[str]) -> str:
    """Lines as Markdown in which nothing acts."""
    text = "\n".join(printable(line).replace("```", "'''") for line in lines)
    return f"### relctl {command}\n\n```text\n{text}\n```\n"


def summarise(text: str) -> None:
    """The result in the build's summary page, where CI offers one."""
    try:
        with Path(os.environ.get("GITHUB_STEP_SUMMARY") or os.devnull).open("a", encoding="utf-8") as page:
            page.write(TOKEN.sub("rc_…", text))
    except OSError as error:
        tell(f"Warning: the step summary could not be written: {error}.")


def main(argv: Sequence[str] | None = None, *, pause: Callable[[float], None] = time.sleep) -> int:
    """Run one command: the result on stdout or what is wrong on stderr, both in the summary; the exit code."""
    words = sys.argv[1:] if argv is None else argv
    try:
        if any(TOKEN.search(word) for word in words):
            raise usage("Everybody on this machine can read a token on a command line: withdraw it; use --token-file.")
        arguments = PARSER.parse_args(words, argparse.Namespace(pause=pause))
        title, facts, raw, code, page = arguments.run(arguments)
        lines = [title, *(f"  {name:<17}  {value}" for name, value in facts)]
        text = TOKEN.sub("rc_…", raw.decode()) if arguments.json else "\n".join(map(printable, lines))
        sys.stdout.write(f"{text}\n" if text else "")
    except (RelctlError, OSError, KeyboardInterrupt) as error:
        lines, code = getattr(error, "lines", [str(error) or "Interrupted."]), getattr(error, "code", USAGE)
        page = ""
        for line in (f"relctl: {lines[0]}", *lines[1:]):
            tell(line)
    summarise(page or fenced(" ".join(words[:1]), lines))
    return int(code)


if __name__ == "__main__":
    sys.exit(main())
