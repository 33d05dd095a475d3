"""Writing files whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def check_writable(path: str | os.PathLike[str]) -> Path:
    """The path, if a file can be written there; OSError before any long work if not.

    An existing file must be writable itself; a new one needs a writable folder that exists.
    """
    path = Path(path)
    if path.is_dir():
        raise IsADirectoryError(21, "cannot write there, it is a folder", str(path))
    folder = path.parent
    if not folder.is_dir():
        raise FileNotFoundError(2, "cannot write there, no such folder", str(folder))
    if not os.access(path if path.exists() else folder, os.W_OK):
        raise PermissionError(13, "cannot write there, no permission", str(path))
    return path


def make_folder(path: str | os.PathLike[str]) -> Path:
    """The folder, made with its parents if it is new; OSError if it cannot be one that is written to."""
    folder = Path(path)
    if folder.exists() and not folder.is_dir():
        raise NotADirectoryError(20, "cannot use it as a folder, it is a file", str(folder))
    folder.mkdir(parents=True, exist_ok=True)
    if not os.access(folder, os.W_OK):
        raise PermissionError(13, "cannot write there, no permission", str(folder))
    return folder


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """A temporary path beside ``path`` that becomes ``path`` when the block ends well, and vanishes if not."""
    path = check_writable(path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
