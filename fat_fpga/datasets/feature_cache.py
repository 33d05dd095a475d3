"""Features that take long to compute are kept on disk, in ``$XDG_CACHE_HOME/fat_fpga``, by default
``~/.cache/fat_fpga``.

A file there is named by the files that it was computed from (path, size, time of change) and by how. It is never
needed: what is damaged, missing, or cannot be written is computed anew.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fat_fpga.errors import DataError
from fat_fpga.files import replacing
from fat_fpga.npz_file import UnreadableError, read_npy

Floats = NDArray[np.float32]


def cached(files: Sequence[Path], recipe: str, compute: Callable[[], Floats]) -> Floats:
    """What ``compute`` gives for these files, float32 [number of files, ...]; from disk where it is there.

    Args:
        recipe: how it is computed; another text, another result.

    Raises:
        DataError: a file is not there.
    """
    digest = hashlib.sha256(recipe.encode())
    for file in files:
        try:
            state = file.stat()
        except OSError as error:
            raise DataError(f"{file}: cannot be read ({error.strerror or error})") from error
        digest.update(f"{file.resolve()} {state.st_size} {state.st_mtime_ns}\n".encode(errors="surrogateescape"))
    path = folder() / f"features-{digest.hexdigest()[:32]}.npy"
    try:
        found = read_npy(path)
        if found.dtype == np.float32 and len(found) == len(files):
            return found
    except (UnreadableError, OSError):
        pass
    computed = compute()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as temporary, temporary.open("wb") as stream:
            np.save(stream, computed)
    except OSError:  # no place to keep it
        pass
    return computed


def folder() -> Path:
    """Where features are kept."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(base) if base else Path("~/.cache").expanduser()) / "fat_fpga"
