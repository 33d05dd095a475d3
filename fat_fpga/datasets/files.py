"""Finding and reading the files of a data set, with errors that say what to do."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterable
from pathlib import Path

from fat_fpga.errors import DataError


def find_folder(folder: Path, sub_folders: Iterable[str], any_of: Iterable[str], what: str) -> Path:
    """Return ``folder`` or its first sub-folder that holds one of the files ``any_of``.

    Raises:
        DataError: there is no such folder, or none of the files.
    """
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder; expected the folder with the {what} files")
    any_of = tuple(any_of)
    for candidate in (folder, *(folder / name for name in sub_folders)):
        if any((candidate / name).is_file() for name in any_of):
            return candidate
    raise DataError(
        f"{folder}: no {what} files here; expected {' or '.join(any_of)} in it or in {', '.join(sub_folders)}"
    )


def read_bytes(path: Path) -> bytes:
    """Read a whole file; one whose name ends in ``.gz`` is decompressed.

    Raises:
        DataError: the file is missing, unreadable, or its compressed content is damaged.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or error})") from error
    if path.suffix != ".gz":
        return content
    try:
        return gzip.decompress(content)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path}: damaged gzip file ({error}); copy or download it again") from error
