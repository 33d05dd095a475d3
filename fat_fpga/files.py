"""Writing files whole or not at all."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import secrets
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from fat_fpga.locks import WRITING, Lock, hold

LONGEST = 200
"""Bytes of a file name that leave room for what a temporary name adds; file systems take 255."""
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""What a write says where there is no room, with no word of where."""
LARGEST_FILE = 2**30
"""Bytes of a file that is read whole as text."""


def read_file(path: str | os.PathLike[str], largest: int = LARGEST_FILE) -> bytes:
    """The content of a file; OSError if it is none (a folder, a device, a pipe), or larger than ``largest`` bytes."""
    path = Path(path)
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        what = "a folder" if stat.S_ISDIR(status.st_mode) else "a device or a pipe"
        raise OSError(22, f"expected a file, it is {what}", str(path))
    if status.st_size > largest:
        raise OSError(27, f"it has {status.st_size:,} bytes, expected at most {largest:,}", str(path))
    return path.read_bytes()


def is_readable(path: str | os.PathLike[str]) -> bool:
    """Whether there is something that can be read; a folder cannot."""
    return Path(path).exists() and not Path(path).is_dir()


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
def replacing(path: str | os.PathLike[str], *, new: bool = False) -> Iterator[Path]:
    """A temporary path beside ``path`` that becomes ``path`` when the block ends well, and vanishes if not.

    Links are followed, and the mode of a file that is replaced is kept. What is no file (a device, a pipe) is not
    replaced: it takes what was written. The content is on the disk before the name is. Of several processes that write
    the same path each has a temporary file of its own, and the last to end wins. What a killed process left is removed
    by the next that writes the same path.

    Args:
        new: the path must not exist, and of several processes the first wins.

    Raises:
        FileExistsError: ``new``, and there is such a file when the block ends.
        OSError: it cannot be written, as on a full disk; it names the path.
    """
    path = check_writable(path)
    try:
        with _device(path) if path.exists() and not path.is_file() else _regular(path, new) as temporary:
            yield temporary
    except OSError as error:
        if error.filename is None and error.errno in FULL:
            raise OSError(error.errno, os.strerror(error.errno), str(path)) from error
        raise


@contextmanager
def _device(path: Path) -> Iterator[Path]:
    """`replacing` where there is no file."""
    with tempfile.TemporaryDirectory() as folder:
        yield (temporary := Path(folder) / path.name)
        with temporary.open("rb") as source, path.open("wb") as target:
            shutil.copyfileobj(source, target)


@contextmanager
def _regular(path: Path, new: bool) -> Iterator[Path]:
    """`replacing` where there is a file, or nothing."""
    remove_leftovers(path)
    temporary, lock = _temporary(path)
    try:
        yield temporary
        if path.exists():
            temporary.chmod(stat.S_IMODE(path.stat().st_mode))
        with temporary.open("rb") as written:
            os.fsync(written.fileno())
        if new:
            _place(temporary, path)
        else:
            temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
        lock.release()


def remove_leftovers(path: Path) -> None:
    """Remove the temporary files that killed processes left beside ``path``; those of living ones stay."""
    pattern = re.compile(rf"\.{re.escape(_stem(path))}\.[0-9a-f]{{8}}\.tmp")
    found: list[Path] = []
    with suppress(OSError), os.scandir(path.parent) as entries:  # a folder may be one to write into alone
        found += [Path(entry.path) for entry in entries if pattern.fullmatch(entry.name)]
    for leftover in found:
        with suppress(OSError):
            lock = hold(leftover, WRITING)
            if lock is not None:
                if lock.certain:
                    leftover.unlink()
                lock.release()


def _temporary(path: Path) -> tuple[Path, Lock]:
    """A new empty file beside ``path``, and the lock that says that somebody is at it."""
    while True:
        temporary = path.with_name(f".{_stem(path)}.{secrets.token_hex(4)}.tmp")
        with suppress(FileExistsError, FileNotFoundError):  # somebody else's, or taken for a leftover before it is held
            os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o666))
            lock = hold(temporary, WRITING)
            if lock is not None:
                return temporary, lock


def _stem(path: Path) -> str:
    """The name of the file, or a hash of it where it leaves no room for more."""
    name = os.fsencode(path.name)
    return path.name if len(name) <= LONGEST else hashlib.sha256(name).hexdigest()[:16]


def _place(temporary: Path, path: Path) -> None:
    """Give the file its name, unless there is one of that name."""
    try:
        os.link(temporary, path)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR))
        temporary.replace(path)
