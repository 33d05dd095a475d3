"""Writing files whole or not at all."""

from __future__ import annotations

import os
import re
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def check_writable(path: str | os.PathLike[str], *inputs: str | os.PathLike[str]) -> Path:
    """The path, if a file can be written there; OSError before any long work if not.

    An existing file must be writable itself; a new one needs a writable folder that exists. A symbolic link stands for
    what it points to.

    Args:
        inputs: files that are read for it, which it must not be.
    """
    path = Path(path)
    for source in inputs:
        if path.exists() and Path(source).exists() and path.samefile(source):
            raise FileExistsError(17, "cannot write there, it is read here and would be lost", str(path))
    path = path.resolve() if path.is_symlink() else path
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


def readable(name: str) -> str:
    """A file's name as text: bytes that are no UTF-8 become replacement characters, so that it can be stored."""
    return re.sub("[\ud800-\udfff]", "\ufffd", name)


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """A temporary path beside ``path`` that becomes ``path`` when the block ends well, and vanishes if not.

    Links are followed, and the mode of a file that is replaced is kept. What is no file (a device, a pipe) is not
    replaced: it takes what was written.
    """
    path = check_writable(path)
    if path.exists() and not path.is_file():
        with tempfile.TemporaryDirectory() as folder:
            yield (temporary := Path(folder) / path.name)
            with temporary.open("rb") as source, path.open("wb") as target:
                shutil.copyfileobj(source, target)
        return
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        yield temporary
        if path.exists():
            temporary.chmod(stat.S_IMODE(path.stat().st_mode))
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
