"""Finding and reading the files of a data set, with errors that say what to do."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from fat_fpga.errors import DataError


class Official(NamedTuple):
    """Where a data set comes from.

    Attributes:
        name: of the data set.
        site: its own page on the web.
        demo: images of it that come with the package, as a data specification; empty where there are none.
    """

    name: str
    site: str
    demo: str = ""

    @property
    def advice(self) -> str:
        """How to get the data, as the end of a message."""
        bundled = f"; images of it that come with the package: --data {self.demo}" if self.demo else ""
        return f"the official files are at {self.site}, to be unpacked into this folder{bundled}"


def find_folder(folder: Path, sub_folders: Iterable[str], any_of: Iterable[str], what: Official) -> Path:
    """Return ``folder`` or its first sub-folder that holds one of the files ``any_of``.

    Raises:
        DataError: there is no such folder, or none of the files; the message says where the official ones are.
    """
    any_of, sub_folders = tuple(any_of), tuple(sub_folders)
    layout = f"expected {' or '.join(any_of)} in it or in {', '.join(sub_folders)} below it"
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder; {layout}; {what.advice}")
    for candidate in (folder, *(folder / name for name in sub_folders)):
        if any((candidate / name).is_file() for name in any_of):
            return candidate
    raise DataError(f"{folder}: no {what.name} files here; {layout}; {what.advice}")


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
