"""What is said of weights, to people: never more than was seen, and what it does not prove beside it."""

from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from audit.statement import AttestedWeights, ClosedApiWeights, NoWeights, UnnamedWeights
from audit.words import DISCLAIMERS, weights_disclaimer, weights_in_words
from tests.audit.weights.files import tiny_model

SEEN: dict[str, Any] = {"manifest_sha256": "1" * 64, "observed_manifest_sha256": "1" * 64}
OTHERS = SEEN | {"observed_manifest_sha256": "2" * 64}


@pytest.mark.parametrize(
    ("claim", "words", "limit"),
    [
        (ClosedApiWeights("openai", "gpt-4o"), "behind the closed API of openai", "claims nothing about them"),
        (UnnamedWeights("hf", "org/model"), "no digest", "nobody could compare"),
        (AttestedWeights(manifest_sha256="1" * 64), "seen by nobody", "Nobody has seen the files"),
        (AttestedWeights(assurance="files-at-load", **SEEN), "seen when they were loaded", "not that the server"),
        (AttestedWeights(assurance="files-sampled", **SEEN), "sampled since", "not drawn would not show"),
        (AttestedWeights(assurance="files-at-load", **OTHERS), "other files than the registered", "who changed them"),
        (NoWeights(), "no claim", ""),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_claim_is_said_with_its_limit(claim: Any, words: str, limit: str) -> None:
    assert words in weights_in_words(claim.as_json())
    assert limit in weights_disclaimer(claim.as_json())


def test_every_claim_but_that_of_no_release_has_its_limit() -> None:
    assert set(DISCLAIMERS) == {
        *("closed-api", "no-weights-digest", "declared", "files-at-load", "files-sampled", "drifted"),
    }


def test_a_statement_is_not_written_among_the_weights_that_it_is_about(tmp_path: Path) -> None:
    folder = tiny_model(tmp_path / "model")
    for place, complaint in ((folder, "lies among the weights"), (tmp_path / "none", "There is no folder")):
        with pytest.raises(CommandError, match=complaint):
            call_command(
                "attest-weights", str(folder), "--statement", str(place / "a.json"), "--key", str(tmp_path / "k")
            )
        assert not (place / "a.json").exists()


@pytest.mark.parametrize("text", ["0", "65", "0.5", "1e1", "-1", "²"])
def test_files_are_read_by_a_whole_number_of_workers(text: str) -> None:
    with pytest.raises(CommandError, match="read 1 to 64 files at once"):
        call_command("attest-weights", ".", "--print", "--processes", text)
