"""Where relcontrol keeps its state, and folders that nobody else can enter (standard library only).

Design rule: no permission outside a folder that we made is ever changed.
"""

import os
import stat
import tempfile
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]

# The kernel's sockaddr_un holds 108 bytes including the closing zero.
SOCKET_PATH_LIMIT = 107
LONGEST_PARENT = 60  # leaves room for the names of folder and socket

PRIVATE_MODE = 0o700


class UnsafeFolderError(RuntimeError):
    """A folder that must be private belongs to somebody else or is open to others."""


def data_folder() -> Path:
    """The folder of all local state: RELCONTROL_DATA, else `var` in the checkout."""
    given = os.environ.get("RELCONTROL_DATA", "").strip()
    return Path(given).expanduser().resolve() if given else CHECKOUT / "var"


def ensure_data_folder() -> Path:
    """The data folder, made with mode 0700 where it is missing. One that exists keeps its mode."""
    folder = data_folder()
    folder.mkdir(mode=PRIVATE_MODE, parents=True, exist_ok=True)
    return folder


def make_private_folder(folder: Path) -> Path:
    """Make `folder` with mode 0700, or accept the one of an earlier run after checking that it is ours."""
    folder.mkdir(mode=PRIVATE_MODE, parents=True, exist_ok=True)
    if not is_private(folder, os.geteuid()):
        raise UnsafeFolderError(
            f"{folder} must be a folder of this user with mode 0700. Remove it, or choose another RELCONTROL_DATA."
        )
    return folder


def is_private(folder: Path, owner: int) -> bool:
    """Whether `folder` is a real folder (no link) of user id `owner` that nobody else can enter."""
    try:
        status = folder.lstat()
    except FileNotFoundError:
        return False
    return stat.S_ISDIR(status.st_mode) and status.st_uid == owner and stat.S_IMODE(status.st_mode) == PRIVATE_MODE


def fits_socket(folder: Path, name: str) -> bool:
    """Whether a unix socket `name` in `folder` has an address that the kernel takes."""
    return len(os.fsencode(folder / name)) <= SOCKET_PATH_LIMIT


def short_private_folder() -> Path:
    """A new folder with mode 0700, an unpredictable name and a short path, for sockets of long checkouts."""
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    is_fit = bool(runtime) and len(os.fsencode(runtime)) <= LONGEST_PARENT and is_private(Path(runtime), os.geteuid())
    # mkdtemp makes an unpredictable name in /tmp and refuses one that exists.
    return Path(tempfile.mkdtemp(prefix="relcontrol-", dir=runtime if is_fit else "/tmp"))  # noqa: S108
