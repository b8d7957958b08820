"""README.txt of an export's ZIP: what lies in it, how to verify it in two commands, and the same checks by hand. Pure.

A test runs the commands as they stand here, with a shell and openssl, against a real ZIP (tests/audit/exports/).
"""

from collections.abc import Mapping, Sequence
from typing import Any

INTRODUCTION = """\
relcontrol export {export_id}
{rule}

Signed receipts of release decisions, and what is needed to verify them without
trusting whoever issued them.

  chain    {origin}
  made     {created_at}
  opens    {opens}

Do not believe this file, nor verify.py and verify.html beside it: whoever could
forge receipts could forge these. Take the verifier from the relcontrol project,
and trust.json from the organization by another way than this ZIP, once. What
counts is what your own verifier says with your own trust file.


Verify it, in two commands
--------------------------

    python3 -I verify.py {export_id}.zip --trust trust.json
    python3 -I verify.py {export_id}.zip --trust trust.json \\
      --head SEQ:HASH

The second adds a head that you hold from earlier (or --head FILE, a checkpoint):
only such a head, or a witness, shows that the chain was not rolled back and made
anew; -I keeps Python from running what lies beside it. Python 3.11 is all that it
needs; with the package rfc3161-client it checks time stamps too. Or open your own
copy of verify.html in a browser, without any network, and drop the ZIP on it.
Exit code: 0 all hold, 1 something failed, 2 a file that cannot be used, 3
something was not checked.


What lies in it
---------------

{files}

All loose files say again what export.json says; the verifier compares them.
"""

FILES = (
    ("manifest.json", "signed: size and SHA-256 of every other file"),
    ("export.json", "the export itself, one signed document"),
    ("receipts.jsonl", "the receipts, one DSSE envelope in a line"),
    ("openings.json", "what opens commitments of receipts to you"),
    ("keys/", "public keys, and the keyring that the root signed"),
    ("checkpoints/", "signed heads of the log (C2SP notes)"),
    ("anchors/", "what outsiders answered: time stamps, cosignatures"),
    ("proofs/", "inclusion of receipts in checkpoints (C2SP tlog-proof)"),
    ("attestations/", "signed statements about weight files (OpenSSF)"),
    ("report.pdf", "the report for people, export.json embedded"),
    ("schema.json", "the JSON Schema of a receipt"),
    ("verify.html", "the verifier for a browser; use your own copy"),
    ("verify.py", "the verifier; use your own copy"),
)

BY_HAND = """\


By hand: sha256sum and openssl 3
--------------------------------

The commands are for a POSIX shell, in the folder into which you unpacked this.
Keys are those of your own trust.json: put the public_key of the named key id
between the quotation marks.

1. The manifest is signed by the export key
   {export_key}

    public_key='...'
    { printf '\\060\\052\\060\\005\\006\\003\\053\\145\\160\\003\\041\\000'
      printf %s "$public_key" | base64 -d; } > key.der
    openssl pkey -pubin -inform DER -in key.der -out export-key.pem
    sed -E 's/.*"payload":"([^"]*)".*/\\1/' manifest.json | base64 -d > payload
    sed -E 's/.*"sig":"([^"]*)".*/\\1/' manifest.json | base64 -d > signature
    { printf 'DSSEv1 38 application/vnd.relcontrol.export+json '
      printf '%d ' $(wc -c < payload); cat payload; } > signed
    openssl pkeyutl -verify -rawin -pubin -inkey export-key.pem \\
      -sigfile signature -in signed

2. Every file is the one that the manifest names

    grep -oE '"[^"]+":\\{"sha256":"[0-9a-f]{64}"' payload \\
      | sed -E 's/"([^"]+)":\\{"sha256":"([0-9a-f]+)"/\\2  \\1/' > SHA256SUMS
    sha256sum -c SHA256SUMS
"""

RECEIPT = """
3. The first receipt is signed by the receipts key whose id is printed first. Its
   hash is the SHA-256 of its payload; the chain's next receipt has it as "prev"

    sed -n 1p receipts.jsonl > receipt
    sed -E 's/.*"keyid":"([^"]*)".*/\\1/' receipt
    public_key='...'
    { printf '\\060\\052\\060\\005\\006\\003\\053\\145\\160\\003\\041\\000'
      printf %s "$public_key" | base64 -d; } > key.der
    openssl pkey -pubin -inform DER -in key.der -out receipts-key.pem
    sed -E 's/.*"payload":"([^"]*)".*/\\1/' receipt | base64 -d > payload
    sed -E 's/.*"sig":"([^"]*)".*/\\1/' receipt | base64 -d > signature
    { printf 'DSSEv1 28 application/vnd.in-toto+json '
      printf '%d ' $(wc -c < payload); cat payload; } > signed
    openssl pkeyutl -verify -rawin -pubin -inkey receipts-key.pem \\
      -sigfile signature -in signed
    sha256sum payload
"""

CHECKPOINT = """
4. A checkpoint is signed by the log key, that of its time if your trust.json has
   several. Its lines: the chain, how many receipts it covers, and the root of the
   log over these

    public_key='...'
    { printf '\\060\\052\\060\\005\\006\\003\\053\\145\\160\\003\\041\\000'
      printf %s "$public_key" | base64 -d; } > key.der
    openssl pkey -pubin -inform DER -in key.der -out log-key.pem
    sed '/^$/,$d' {checkpoint} > text
    sed '1,/^$/d' {checkpoint} | sed -n '1s/.* //p' \\
      | base64 -d | tail -c 64 > signature
    openssl pkeyutl -verify -rawin -pubin -inkey log-key.pem \\
      -sigfile signature -in text
"""

STAMP = """
5. A time stamp was given to that checkpoint: all that it covers existed by then.
   tsa-roots.pem holds the certificates under tsa_roots of your trust.json

    openssl ts -verify -data {checkpoint} -in {stamp} -CAfile tsa-roots.pem
    openssl ts -reply -in {stamp} -text
"""

UNANCHORED = """
Nothing here was anchored: no checkpoint, so no outside clock and no witness.
"""

LIMITS = """

What this does not show
-----------------------

Signatures show who holds a key, not that what was signed is true. Times are the
issuer's own but for time stamps. From inside an export nobody can see whether the
end of the chain was cut off: only a later head that you hold, or a witness, shows
that. Of a model behind a closed API nothing is claimed about its weights.
"""


def readme(manifest: Mapping[str, Any], names: Sequence[str]) -> str:
    """The text, for the export with this manifest (its signed payload) and these files."""
    stamps = [name for name in names if name.endswith(".tsr")]
    checkpoints = [name for name in names if name.startswith("checkpoints/")]
    checkpoint = _stamped(stamps[0]) if stamps else checkpoints[-1] if checkpoints else ""
    pieces = [_introduction(manifest, names), _filled(BY_HAND, export_key=manifest["signer"]["keyid"])]
    pieces += [RECEIPT] if manifest["counts"]["receipts"] else []
    pieces += [_filled(CHECKPOINT, checkpoint=checkpoint) if checkpoint else UNANCHORED]
    pieces += [_filled(STAMP, checkpoint=checkpoint, stamp=stamps[0])] if stamps else []
    return "".join([*pieces, LIMITS])


def _introduction(manifest: Mapping[str, Any], names: Sequence[str]) -> str:
    told = [
        f"  {name:<16} {meaning}"
        for name, meaning in FILES
        if name == "manifest.json" or any(given.startswith(name) for given in names)
    ]
    said = {name: str(manifest[name]) for name in ("export_id", "origin", "created_at", "opens")}
    rule = "=" * len(f"relcontrol export {said['export_id']}")
    return _filled(INTRODUCTION, files="\n".join(told), rule=rule, **said)


def _stamped(stamp: str) -> str:
    """The checkpoint of a time stamp: `anchors/12-rfc3161-1.tsr` is of `checkpoints/12.txt`."""
    return f"checkpoints/{stamp.removeprefix('anchors/').partition('-')[0]}.txt"


def _filled(text: str, **values: str) -> str:
    """Braces belong to the shell, so only these names are replaced."""
    for name, value in values.items():
        text = text.replace(f"{{{name}}}", value)
    return text
