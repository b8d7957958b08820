"""verify.py as an auditor runs it over a ZIP: with and without packages, with heads as text and as signed notes."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from audit import verify
from relcontrol import relctl
from tests.audit.evidence.bundles import release, story, trust, whole
from tests.audit.evidence.logs import FOREIGN_LOG_KEY, Log
from tests.audit.evidence.mutated_chains import note, remade
from tests.audit.pure.chains import ORIGIN

PROGRAM = Path(verify.__file__)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an export as ZIP, a trust file, and heads."""
    folder = tmp_path_factory.mktemp("desk")
    (folder / "export.zip").write_bytes(whole(10).zip())
    (folder / "trust.json").write_text(json.dumps(trust()))
    (folder / "head.txt").write_text(note(10))
    return folder


def run(desk: Path, *arguments: str, bare: bool = False) -> subprocess.CompletedProcess[str]:
    """In a process of its own. `bare`: the standard library is all there is."""
    flags = ["-I", "-S"] if bare else ["-I"]
    command = [sys.executable, *flags, str(PROGRAM), *arguments]
    return subprocess.run(command, cwd=desk, capture_output=True, text=True, timeout=60, check=False)


def test_with_its_packages_everything_holds(desk: Path) -> None:
    done = run(desk, "export.zip", "--trust", "trust.json")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count(" holds ") == len(verify.CHECKS)


def test_without_packages_it_says_what_it_did_not_check(desk: Path) -> None:
    done = run(desk, "export.zip", "--trust", "trust.json", "--head", "head.txt", bare=True)
    assert (done.returncode, done.stderr) == (3, "")
    assert "pip install rfc3161-client" in done.stdout
    assert "the package cryptography" in done.stdout
    assert "to the head that you hold, seq 10" in done.stdout


def test_relctl_verifies_a_zip(desk: Path, capfd: pytest.CaptureFixture[str]) -> None:
    arguments = ["verify", str(desk / "export.zip"), "--trust", str(desk / "trust.json")]
    assert relctl.main(arguments) == 0
    assert "every check holds" in capfd.readouterr().out


def head(log: Log, **more: object) -> str:
    return log.checkpoint(**more).note  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (head(story(3), key=FOREIGN_LOG_KEY), "no log key"),
        (head(Log("relcontrol.test/other"), size=3), "another log"),
        (head(story(3)).replace(ORIGIN, "x", 1), "no log key"),
        (head(story(3)) + "x", "the known head"),
        ("a\n\nb\n", "the known head"),
        ("12", "SEQ:HASH"),
    ],
    ids=["foreign key", "other log", "renamed", "tail", "no note", "no hash"],
)
def test_a_head_that_cannot_be_used_is_no_verdict(text: str, says: str) -> None:
    with pytest.raises(verify.TrustError, match=says):
        verify.read_known_head(text, trust())


def test_a_signed_head_needs_a_trust_file() -> None:
    with pytest.raises(verify.TrustError, match="--trust"):
        verify.read_known_head(note(), None)


def test_a_time_stamp_without_its_root_is_not_checked() -> None:
    report = verify.verify_file(whole(10).document(), trust(tsa_roots=[]))
    time = next(verdict for verdict in report.verdicts if verdict.check == verify.TIME)
    assert (time.outcome, "names no time-stamping authority" in time.proves) == (verify.NOT_CHECKED, True)


@pytest.mark.parametrize("length", [4, 10])
def test_a_known_anchor_makes_a_release_whole_up_to_it(length: int) -> None:
    """The head that the auditor holds is the receipt of the anchor, which commits to the release's head."""
    bundle = release(length, trust=trust(witnesses=[]))
    log = story(length)
    held = verify.Head(4, log.hashes[3])
    report = verify.verify_file(bundle.document(), bundle.trust, held)
    completeness = next(verdict for verdict in report.verdicts if verdict.check == verify.COMPLETENESS)
    assert completeness.outcome == verify.HOLDS
    assert "told by seq 4, which is the head that you hold" in completeness.proves


def test_a_known_signed_head_makes_a_release_whole_up_to_the_anchor_in_it() -> None:
    bundle = release(10, trust=trust(witnesses=[]))
    held = verify.read_known_head(story(7).checkpoint().note, bundle.trust)
    report = verify.verify_file(bundle.document(), bundle.trust, held)
    completeness = next(verdict for verdict in report.verdicts if verdict.check == verify.COMPLETENESS)
    assert "the log that you hold the head of, 7 receipts" in completeness.proves


def test_a_remade_chain_is_not_said_to_be_whole_by_a_head_before_the_fork() -> None:
    """A head of one receipt is on both chains: what it proves ends there, and the verdict says so."""
    log = remade(12)
    report = verify.verify_file(
        whole(12, receipts=log.envelopes, anchors=[], checkpoints=[], openings=[], attestations=[]).document(),
        trust(),
        verify.Head(1, log.hashes[0]),
    )
    completeness = next(verdict for verdict in report.verdicts if verdict.check == verify.COMPLETENESS)
    assert (completeness.outcome, "seq 1." in completeness.proves) == (verify.HOLDS, True)
    assert "Not what was issued after that head" in completeness.does_not_prove
