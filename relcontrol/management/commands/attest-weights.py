"""`manage.py attest-weights`: beside a model server, look at the weight files and say what is there."""

import argparse
import json
import os
import secrets
import signal
import time
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from audit.weights.agent import Job, Looked, Observer, load, signed
from audit.weights.claims import PREFIX
from audit.weights.control import Control
from audit.weights.observer_keys import ObserverKey, load_observer_key, new_observer_pem
from audit.weights.predicates import DIGEST, GIT_PATHS, Listing, WeightsError
from audit.weights.terminal import ProgressLine
from relcontrol import commands
from relcontrol.clock import now
from relcontrol.relctl import RelctlError, printable
from relcontrol.runtime.private_files import write_private

DIFFERS, USAGE = 1, 2
TIMEOUT_S = 30.0
SEEDS = 2**32
MOST_AT_ONCE = 64


class Command(commands.Command):
    """Needs no database: a folder, a key file that it makes, and the address of relcontrol with a token."""

    help = (
        "Hash the weight files beside a model server, sign what is there (OpenSSF Model Signing v1.0) and send it. "
        "Exit code 1 where the files are not the expected ones. The token (scope gateway:heartbeat) comes from "
        "RELCONTROL_TOKEN or --token-file."
    )
    example = "manage.py attest-weights /models/legal --expect sha256:9f… --control http://127.0.0.1:8000 --every 60"

    def add_arguments(self, parser: CommandParser) -> None:
        """What to look at, what is expected there, and whom to tell."""
        add = parser.add_argument
        add("folder", nargs="?", metavar="DIR", help="the folder that the model server loads")
        add("--expect", type=digest, metavar="SHA256", help="the digest that the release names")
        add("--control", "--url", metavar="URL", help="address of relcontrol (else RELCONTROL_URL)")
        add("--token-file", metavar="FILE", help="holds the token (else RELCONTROL_TOKEN)")
        add("--key", default="weights-observer.pem", metavar="FILE", help="made at the first start (%(default)s)")
        add("--print", action="store_true", dest="only_print", help="print the digest to register; send nothing")
        add("--print-key", action="store_true", help="print the public key to register; look at nothing")
        add("--statement", metavar="FILE", help="write the signed statement (a Sigstore bundle); send nothing")
        add(
            "--processes",
            type=at_once,
            default=min(os.cpu_count() or 1, MOST_AT_ONCE),
            metavar="N",
            help="files read at once (%(default)s)",
        )
        add("--sample", type=fraction, metavar="FRACTION", help="read a random part again, such as 0.05")
        add("--seed", type=int, help="of the sample (default: drawn, and printed)")
        add("--every", type=minutes, metavar="MINUTES", help="look again and again, until stopped")
        add("--follow-links", action="store_true", help="read the files that links name, as in Hugging Face's caches")
        add("--ignore", action="append", default=[], metavar="PATH", help="leave this path out; may be repeated")

    def handle(self, *args: Any, **options: Any) -> None:
        """Read, compare, tell."""
        try:
            self._run(options)
        except (WeightsError, OSError) as error:
            raise CommandError(str(error)) from error
        except RelctlError as error:
            raise CommandError("\n".join(map(printable, error.lines)), returncode=error.code) from error
        except KeyboardInterrupt:
            raise CommandError("Stopped. The same command goes on where this one left off.", returncode=130) from None

    def _run(self, options: dict[str, Any]) -> None:
        file = Path(options["key"])
        if options["print_key"]:
            self.stdout.write(self._key(file).public.pem.decode().strip())
            return
        job = self._job(options)
        if options["only_print"] or options["statement"]:
            self._print(options, job, file)
            return
        if options["expect"] is None:
            raise CommandError("Say with --expect which digest the release names; --print shows it.", returncode=USAGE)
        plane = Control(url=options["control"], token_file=options["token_file"], timeout=TIMEOUT_S, pause=time.sleep)
        observer = Observer(job=job, key=self._key(file), expected=options["expect"], plane=plane, clock=now)
        if options["every"] is None:
            self._look(observer, options)
        else:
            self._keep_looking(observer, options)

    def _key(self, file: Path) -> ObserverKey:
        if not file.exists():
            file.parent.mkdir(parents=True, exist_ok=True)
            write_private(file, new_observer_pem().decode())
            self.stderr.write(f"Made the key {file}. Register its public half once: attest-weights --print-key.")
        return load_observer_key(file.read_bytes())

    def _job(self, options: dict[str, Any]) -> Job:
        if options["folder"] is None:
            raise CommandError("Name the folder that the model server loads.", returncode=USAGE)
        folder, key = Path(options["folder"]), Path(options["key"])
        written = {"key": key} | ({"statement": Path(options["statement"])} if options["statement"] else {})
        for name, file in written.items():
            if file.resolve().is_relative_to(folder.resolve()):  # it would be one of them at the next reading
                said = f"The {name} {file} lies among the weights. Name another place with --{name}."
                raise CommandError(said, returncode=USAGE)
        if options["statement"] and not written["statement"].resolve().parent.is_dir():
            raise CommandError(f"There is no folder for the statement {written['statement']}.", returncode=USAGE)
        ignored = tuple(sorted({*GIT_PATHS, *(path.strip("/") for path in options["ignore"])}))
        listing = Listing(allow_symlinks=options["follow_links"], ignore_paths=ignored)
        journal = key.with_name(f"{key.name}.read")
        return Job(folder, listing, options["processes"], journal, ProgressLine(self.stderr))  # type: ignore[arg-type]

    def _print(self, options: dict[str, Any], job: Job, file: Path) -> None:
        """The digest, which takes no key; a statement is signed."""
        predicate = load(job).predicate
        if options["statement"]:
            bundle = json.dumps(signed(job, predicate, self._key(file)).bundle)
            Path(options["statement"]).write_text(f"{bundle}\n", encoding="utf-8")
        self.stdout.write(f"{PREFIX}{predicate.weights_sha256}")

    def _look(self, observer: Observer, options: dict[str, Any]) -> None:
        """Once. Other files than expected end it with exit code 1."""
        looked = self._looked(observer, options)
        if looked.drifted:
            raise CommandError(_drift(looked), returncode=DIFFERS)
        self.stdout.write(_said(looked))

    def _keep_looking(self, observer: Observer, options: dict[str, Any]) -> None:
        """Until it is stopped; what fails once is said, and tried again at the next turn."""
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        while True:
            try:
                looked = self._looked(observer, options if not observer.is_load_due() else options | {"sample": None})
                self.stdout.write(_drift(looked) if looked.drifted else _said(looked))
                self.stdout.flush()
            except (WeightsError, OSError) as error:
                self.stderr.write(str(error))
            except RelctlError as error:
                self.stderr.write("\n".join(map(printable, error.lines)))
            time.sleep(options["every"] * 60)

    def _looked(self, observer: Observer, options: dict[str, Any]) -> Looked:
        if options["sample"] is None:
            return observer.look_at_all()
        seed = secrets.randbelow(SEEDS) if options["seed"] is None else options["seed"]
        self.stderr.write(f"Reading a sample of {options['sample']:g}, drawn with --seed {seed}.")
        return observer.look_at_sample(options["sample"], seed)


def _said(looked: Looked) -> str:
    read, releases = looked.read, len(looked.answer["releases"])
    again = f" {read.resumed:,} of them had been read before an interruption." if read.resumed else ""
    return (
        f"{now():%Y-%m-%d %H:%M} UTC: {read.files:,} files, {read.bytes:,} bytes, are the registered ones "
        f"({looked.depth}); {releases} {'release is' if releases == 1 else 'releases are'} in use with them.{again}"
    )


def _drift(looked: Looked) -> str:
    """What to do comes first; then what differs."""
    seen = looked.read.predicate.weights_sha256
    advice = (
        f"{now():%Y-%m-%d %H:%M} UTC: these are not the registered weights. Take the model server out of service and "
        f"load the right files, or register a release with {PREFIX}{seen}. relcontrol has been told."
    )
    unknown = ["Nobody has handed in a statement, so it is not known which files differ."]
    lines = [advice, f"expected {looked.expected_sha256}", f"found    {seen}", *(looked.differences or unknown)]
    return "\n  ".join(lines)


def digest(text: str) -> str:
    """A digest from the command line, in hex."""
    found = text.strip().lower().removeprefix(PREFIX)
    if not DIGEST.fullmatch(found):
        raise argparse.ArgumentTypeError(f"a digest is sha256: and 64 hexadecimal digits, not {text!r}")
    return found


def fraction(text: str) -> float:
    """A share of the files from the command line."""
    return _number(text, 1.0, "a sample is a share of the files, more than 0 and at most 1")


def minutes(text: str) -> float:
    """Minutes from the command line."""
    return _number(text, 1440.0, "the time between two looks is more than 0 and at most 1,440 minutes")


def at_once(text: str) -> int:
    """How many files to read at once."""
    if not (text.isascii() and text.isdecimal() and 1 <= int(text) <= MOST_AT_ONCE):
        raise argparse.ArgumentTypeError(f"read 1 to {MOST_AT_ONCE} files at once, not {text!r}")
    return int(text)


def _number(text: str, most: float, rule: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value <= most:
        raise argparse.ArgumentTypeError(f"{rule}, not {text!r}")
    return value
