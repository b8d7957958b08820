"""Problems of judges' replies lose what they quote, and nothing else."""

import pytest

from releases.privacy.problems import in_clear

QUOTE = 'She wrote: "I am Jane"'


@pytest.mark.parametrize(
    ("problem", "clear"),
    [
        (f"The reply is no JSON object: {QUOTE}", "The reply is no JSON object."),
        (f"The model refused to judge: {QUOTE}", "The model refused to judge."),
        (f"The score is no number: {QUOTE}", "The score is no number."),
        (
            f'The reply is not of the form {{"reason": text, "score": number}}: {{"a": {QUOTE}}}',
            'The reply is not of the form {"reason": text, "score": number}.',
        ),
        ("The score 7 is outside the scale from 1 to 5.", "The score 7 is outside the scale from 1 to 5."),
        ("It was not there at 12:30.", "It was not there at 12:30."),
        ("", ""),
    ],
)
def test_what_stands_behind_the_colon_goes(problem: str, clear: str) -> None:
    assert in_clear(problem) == clear
