"""The files of a folder of weights, by the standard's rules and a little stricter: nothing is passed over in silence.

A link to a folder is always refused, even where links are followed: the standard's own reader does not look into it, so
what is below would be served and never hashed. So are broken links, sockets and devices.
"""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from audit.weights.predicates import Listing, WeightsError, is_text, order_of


def names_in(folder: Path, listing: Listing) -> list[str]:
    """Every file below the folder, relative to it with `/` between the parts, in the standard's order."""
    if not folder.is_dir():
        raise WeightsError(f"{folder} is no folder. Name the folder that the model server loads.")
    names = sorted(_below(folder, "", listing), key=order_of)
    if not names:
        raise WeightsError(f"{folder} has no files to look at. Name the folder that the model server loads.")
    return names


def _below(folder: Path, prefix: str, listing: Listing) -> Iterator[str]:
    try:
        with os.scandir(folder / prefix) as entries:
            found = sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        raise WeightsError(f"{folder / prefix} cannot be read: {error.strerror}. Run this as whoever may.") from None
    for entry in found:
        name = f"{prefix}{entry.name}"
        if listing.ignores(name):
            continue
        if not is_text(name):
            raise WeightsError(f"The name of {entry.name!r} is no UTF-8, so a statement cannot hold it. Rename it.")
        if _is_folder(entry, listing):
            yield from _below(folder, f"{name}/", listing)
        else:
            yield name


def _is_folder(entry: os.DirEntry[str], listing: Listing) -> bool:
    """Whether to look below; raises for what is neither a file nor a folder."""
    if entry.is_symlink():
        if not listing.allow_symlinks:
            raise WeightsError(f"{entry.path} is a link. Follow links to files with --follow-links, or copy the file.")
        try:
            aim = entry.stat().st_mode
        except OSError:
            raise WeightsError(f"{entry.path} is a link to nothing. Remove it, or put back what it named.") from None
        if not stat.S_ISREG(aim):
            raise WeightsError(f"{entry.path} is a link to a folder, or to no file. Only links to files are followed.")
        return False
    if entry.is_dir(follow_symlinks=False):
        return True
    if not entry.is_file(follow_symlinks=False):
        raise WeightsError(f"{entry.path} is neither a file nor a folder, so it has no digest. Remove it.")
    return False
