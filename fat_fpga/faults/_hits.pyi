"""Hits of errors at a rate, and changes of words in memory."""

from typing import Annotated

import numpy
from numpy.typing import NDArray


def draw(keys: NDArray[numpy.uint64], counters: NDArray[numpy.int64], scale: float, cells: NDArray[numpy.int64], nearness: float) -> tuple[NDArray[numpy.int64], NDArray[numpy.int64], NDArray[numpy.int64]] | None:
    """
    Lanes ``key * counters + counter``, cells that are hit, and where each key ends; None where a logarithm of another library could round a distance otherwise.
    """

def edit(address: int, width: int, rows: int, size: int, row: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)], cell: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)], keep: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)], flip: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)]) -> None:
    """
    Words at an address of memory, [rows, size] of so many bytes each, become ``word & keep ^ flip``. A row of -1 is every row. IndexError where a word is not there.
    """
