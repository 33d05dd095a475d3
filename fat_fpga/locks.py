"""Locks on files that end with their holder: a kill frees them, and nothing of them is left on the disk.

They are Linux's open file description locks, each on one byte far beyond the end of any file: content, and SQLite's own
locks, lie elsewhere. They work on network file systems, too. Where a system has no such locks, nobody can be told
who works on a file, and `Lock.certain` says so.
"""

from __future__ import annotations

import errno
import os
import struct
import sys
from dataclasses import dataclass
from pathlib import Path

if sys.platform != "win32":
    import fcntl

WRITING = 1 << 62
"""Held while a file is made, under its temporary name."""
WORKING = WRITING + 1
"""Held while a campaign works on its run file."""

_BUSY = (errno.EAGAIN, errno.EACCES)


@dataclass(frozen=True)
class Lock:
    """A lock that is held until ``release``, or until the process ends.

    Attributes:
        certain: whether the file system keeps others out; if not, the lock is only a wish.
    """

    file: int
    certain: bool

    def release(self) -> None:
        os.close(self.file)


def hold(path: str | os.PathLike[str], byte: int) -> Lock | None:
    """The lock on a file that exists; None if somebody else has it, who may be another part of this process.

    Raises:
        OSError: the file cannot be opened for writing.
    """
    while True:
        file = os.open(path, os.O_RDWR)
        taken = _take(file, byte)
        if taken is not False and _is_at(file, path):
            return Lock(file, certain=bool(taken))
        os.close(file)
        if taken is False:
            return None


def _take(file: int, byte: int) -> bool | None:
    """Whether the lock was free; None where there are no such locks."""
    if sys.platform == "win32":
        return None
    command = getattr(fcntl, "F_OFD_SETLK", None)
    if command is None:
        return None
    try:
        fcntl.fcntl(file, command, struct.pack("hhqqi0q", fcntl.F_WRLCK, os.SEEK_SET, byte, 1, 0))
    except OSError as error:
        return False if error.errno in _BUSY else None
    return True


def _is_at(file: int, path: str | os.PathLike[str]) -> bool:
    """Whether the open file is still what is at the path; another process may have replaced it meanwhile."""
    try:
        return os.path.samestat(os.fstat(file), Path(path).stat())
    except FileNotFoundError:
        return False
