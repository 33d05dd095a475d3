"""Read a pickle that holds plain containers and numpy arrays, and nothing that runs code.

A pickle names the functions that rebuild its objects, so loading a foreign one with `pickle.load` runs whatever it
names. This reader resolves only the few names that the CIFAR-10 files need, each to a function that does only that.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from fat_fpga.errors import DataError


def _empty_array(kind: type, shape: tuple[int, ...], _type_code: object) -> np.ndarray[Any, Any]:
    """Stand in for numpy's ``_reconstruct``, which always starts from an empty array; its state follows."""
    if kind is not np.ndarray or tuple(shape) != (0,):
        raise pickle.UnpicklingError("an array is stored in an unusual way")
    return np.ndarray((0,), np.int8)


def _latin1(text: str, encoding: str = "latin1") -> bytes:
    """Stand in for ``_codecs.encode``, through which Python 3 writes bytes in protocol 2."""
    if encoding != "latin1":
        raise pickle.UnpicklingError(f"bytes are stored as {encoding!r} text")
    return text.encode("latin1")


def _no_bytes() -> bytes:
    """Stand in for ``bytes``, by which protocol 2 writes an empty byte string; called without arguments only."""
    return b""


_ADMITTED: dict[tuple[str, str], Callable[..., Any]] = {
    ("numpy.core.multiarray", "_reconstruct"): _empty_array,
    ("numpy._core.multiarray", "_reconstruct"): _empty_array,
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
    ("_codecs", "encode"): _latin1,
    ("__builtin__", "bytes"): _no_bytes,
}


class _PlainUnpickler(pickle.Unpickler):
    def find_class(self, module_name: str, global_name: str) -> Callable[..., Any]:
        try:
            return _ADMITTED[module_name, global_name]
        except KeyError:
            raise pickle.UnpicklingError(f"it asks for {module_name}.{global_name}, which data never needs") from None


def load_plain_pickle(path: Path) -> dict[str, Any]:
    """Load a pickled dictionary of plain values and numpy arrays; byte-string keys become text.

    Raises:
        DataError: the file is missing, truncated, no pickle, no dictionary, or names anything else to be built.
    """
    try:
        with path.open("rb") as file:
            content = _PlainUnpickler(file, encoding="bytes").load()
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or error})") from error
    except Exception as error:  # a damaged pickle can raise nearly anything
        raise DataError(f"{path}: not a readable pickle ({error}); copy or download the file again") from error
    if not isinstance(content, dict):
        raise DataError(f"{path}: expected a pickled dictionary, got {type(content).__name__}")
    return {key.decode("latin1") if isinstance(key, bytes) else str(key): value for key, value in content.items()}
