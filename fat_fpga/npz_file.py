"""Reading numpy's files: what a header says is checked before an array is allocated, and nothing is unpickled."""

from __future__ import annotations

import io
import math
import zipfile
from collections.abc import Collection
from os import PathLike
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
KINDS = "biufU"
"""Kinds of dtypes that files of ours and of data have: booleans, integers, floats, text."""
_HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}


class UnreadableError(ValueError):
    """A file is no numpy file, is damaged, or holds what it may not; the message says which array and why."""


def read_npz(path: str | PathLike[str], only: Collection[str] | None = None) -> dict[str, Array]:
    """The arrays of an ``.npz`` file, by name.

    Args:
        only: the names that are read; all by default.

    Raises:
        UnreadableError: it is none, or damaged, or has arrays of other kinds than numbers and text, or too large ones.
        OSError: it cannot be read.
    """
    arrays = {}
    try:
        with Path(path).open("rb") as file:
            if file.read(len(np.lib.format.MAGIC_PREFIX)) == np.lib.format.MAGIC_PREFIX:
                raise UnreadableError("expected an .npz file, it is a single array (.npy)")
        with zipfile.ZipFile(path) as archive:
            for member in archive.infolist():
                name = member.filename.removesuffix(".npy")
                if name in arrays:
                    raise UnreadableError(f"the array {name!r} is in it twice")
                if only is not None and name not in only:
                    continue
                with archive.open(member) as part:
                    arrays[name] = _read(part, member.file_size, f"the array {name!r}")
    except (UnreadableError, OSError):
        raise
    except Exception as error:  # a damaged archive can raise nearly anything
        raise UnreadableError(f"it is no .npz file, or damaged ({error or type(error).__name__})") from error
    return arrays


def read_npy(path: str | PathLike[str]) -> Array:
    """The array of an ``.npy`` file; errors as of `read_npz`."""
    path = Path(path)
    with path.open("rb") as file:
        try:
            return _read(file, path.stat().st_size, "its array")
        except (UnreadableError, OSError):
            raise
        except Exception as error:
            raise UnreadableError(f"it is no .npy file, or damaged ({error or type(error).__name__})") from error


def _read(file: IO[bytes], size: int, name: str) -> Array:
    """The array in a file, or a member of an archive, of ``size`` bytes."""
    head = file.read(min(size, 1 << 16))
    stream = io.BytesIO(head)
    version = np.lib.format.read_magic(stream)
    if version not in _HEADERS:
        raise UnreadableError(f"{name} has format {version[0]}.{version[1]}, expected 1.0 or 2.0")
    shape, fortran, dtype = _HEADERS[version](stream)
    if dtype.kind not in KINDS or dtype.hasobject:
        raise UnreadableError(f"{name} is of type {dtype}, expected numbers or text")
    needed, there = math.prod(shape) * dtype.itemsize, size - stream.tell()
    if any(length < 0 for length in shape) or len(shape) > 8:
        raise UnreadableError(f"{name} has the shape {list(shape)[:9]}, which no array of ours has")
    if needed != there:
        raise UnreadableError(
            f"{name} should have {needed:,} bytes, of shape {list(shape)} and type {dtype}; it has {there:,}"
        )
    array: Array = np.empty(math.prod(shape), dtype)
    if needed:
        flat: Any = memoryview(array.view(np.uint8))  # type: ignore[arg-type]
        start = head[stream.tell() :]
        flat[: len(start)] = start
        position = len(start)
        while position < needed:
            part = file.read(min(needed - position, 1 << 24))
            if not part:
                raise UnreadableError(f"{name} ends after {position:,} of {needed:,} bytes")
            flat[position : position + len(part)] = part
            position += len(part)
    return array.reshape(shape, order="F" if fortran else "C")
