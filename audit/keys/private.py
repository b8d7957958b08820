"""Where the private halves of signing keys are: files of mode 0600 in settings.KEY_DIR, or a variable of the machine.

The first key of a purpose is `<purpose>.pem`, each later one `<purpose>-<first 16 characters of its id>.pem`. Where
RELCONTROL_KEY_<PURPOSE> is set, it holds one PEM or several, one after the other, and files are not looked at. A
process remembers what it has loaded and looks again for what it does not know: a rotation needs no restart.
"""

import os
import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Final

from django.conf import settings

from audit.keys.signing import SigningKey, load_signing_key, new_private_pem
from relcontrol import environment
from relcontrol.environment import MisconfiguredError, write_once

NAMED_BY: Final = 16  # hexadecimal digits of the id in the name of a file
PEM: Final = re.compile(r"-----BEGIN [^-]+-----.+?-----END [^-]+-----", re.DOTALL)

_loaded: dict[tuple[Path, str, str], SigningKey] = {}


def private_key(purpose: str, keyid: str) -> SigningKey:
    """The private half of a key on the keyring. Raises `MisconfiguredError` where this machine does not hold it."""
    folder = settings.KEY_DIR
    known = _loaded.get((folder, purpose, keyid))
    if known is None:
        known = next((key for key in _held(purpose, folder) if key.keyid == keyid), None)
        if known is None:
            raise MisconfiguredError(_missing(purpose, folder, keyid))
        _loaded[folder, purpose, keyid] = known
    return known


def first_key(purpose: str) -> SigningKey:
    """The first key of a purpose, made where there is none; for a keyring on which no key of the purpose is yet."""
    if given := environment.text(variable(purpose)):
        return next(_of_variable(given, purpose))
    file = settings.KEY_DIR / f"{purpose}.pem"
    if not file.exists():
        _write(file, new_private_pem())
    return _read(file, purpose)


def next_key(purpose: str, used: Collection[str]) -> SigningKey:
    """The key that follows: one that is held here and not among the ids in `used`, else one that is made now.

    It lies in its file before the keyring names it. Whoever is killed between the two leaves a file that nothing signs
    with, and that the next rotation takes.
    """
    if prepared := unused_keys(purpose, used):
        return prepared[0]
    if environment.text(variable(purpose)):
        raise MisconfiguredError(
            f"{variable(purpose)} holds no key that is not on the keyring already. Append the next one to it, as "
            "`openssl genpkey -algorithm ed25519` makes it, start every process again, and then rotate."
        )
    pem = new_private_pem()
    key = load_signing_key(pem, purpose=purpose)
    _write(file_of(purpose, key.keyid), pem)
    return key


def unused_keys(purpose: str, used: Collection[str]) -> list[SigningKey]:
    """Keys that are held here and not among the ids in `used`; the first of them follows at the next rotation."""
    return [key for key in _held(purpose, settings.KEY_DIR) if key.keyid not in used]


def file_of(purpose: str, keyid: str) -> Path:
    """Where the private half of a later key is kept."""
    folder: Path = settings.KEY_DIR
    return folder / f"{purpose}-{keyid[:NAMED_BY]}.pem"


def variable(purpose: str) -> str:
    """The variable that stands in the place of the files."""
    return f"RELCONTROL_KEY_{purpose.upper()}"


def _held(purpose: str, folder: Path) -> Iterator[SigningKey]:
    if given := environment.text(variable(purpose)):
        yield from _of_variable(given, purpose)
        return
    for file in (folder / f"{purpose}.pem", *sorted(folder.glob(f"{purpose}-*.pem"))):
        if file.exists():
            yield _read(file, purpose)


def _of_variable(given: str, purpose: str) -> Iterator[SigningKey]:
    for pem in PEM.findall(given) or [given]:
        yield _load(pem.encode(), purpose, variable(purpose))


def _read(file: Path, purpose: str) -> SigningKey:
    return _load(file.read_bytes(), purpose, str(file))


def _load(pem: bytes, purpose: str, source: str) -> SigningKey:
    try:
        return load_signing_key(pem, purpose=purpose)
    except ValueError as error:
        raise MisconfiguredError(f"{source}: {error}") from error


def _write(file: Path, pem: bytes) -> None:
    """Whole, with its name, on the disk itself: a key that the database names must outlive a loss of power."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_once(file, pem)
    folder = os.open(file.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _missing(purpose: str, folder: Path, keyid: str) -> str:
    if environment.text(variable(purpose)):
        return f"{variable(purpose)} does not hold the {purpose} key {keyid}, which is in use. Append its PEM to it."
    return (
        f"The private half of the {purpose} key {keyid} is missing, but the key is in use. Put its file, {purpose}.pem "
        f"or {file_of(purpose, keyid).name}, into {folder} (RELCONTROL_KEYS names the folder) or set "
        f"{variable(purpose)}."
    )
