"""The proof of one receipt as a file: C2SP tlog-proof@v1, an inclusion proof with the checkpoint that it leads to."""

import base64
from collections.abc import Sequence

FIRST_LINE = "c2sp.org/tlog-proof@v1"


def proof_text(index: int, hashes: Sequence[bytes], note: str) -> str:
    """The file. `index` counts from 0, `hashes` go from the leaf's sibling upwards, `note` is the signed checkpoint."""
    lines = [FIRST_LINE, f"index {index}", *(base64.b64encode(one).decode("ascii") for one in hashes)]
    return "\n".join(lines) + f"\n\n{note}"
