"""Arrays of a MATLAB v5 file, read by scipy in a child process with limits."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from fat_fpga.datasets import read_matlab
from fat_fpga.errors import DataError
from fat_fpga.npz_file import UnreadableError, read_npy

SECONDS = 300
MEMORY = 4 * 2**30
"""Bytes: SVHN's largest file, of 73,257 images, unpacks to 225 MB; scipy's libraries map about 1 GB."""


def read_x_and_y(path: Path) -> tuple[NDArray[Any], NDArray[Any]]:
    """The arrays ``X`` and ``y`` of a MATLAB file.

    Raises:
        DataError: the file is missing or damaged, or has no such arrays of numbers.
    """
    program = [sys.executable, read_matlab.__file__]
    one_thread = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    with tempfile.TemporaryDirectory() as folder:
        command = [*program, str(path.absolute()), folder, str(MEMORY)]
        try:
            done = subprocess.run(
                command, capture_output=True, env={**os.environ, **one_thread}, timeout=SECONDS, check=False,
                stdin=subprocess.DEVNULL,
            )  # fmt: skip
        except subprocess.TimeoutExpired as error:
            raise _unreadable(path, f"it is not read in {SECONDS} s") from error
        said = done.stdout.decode("utf-8", "replace").strip()
        if done.returncode < 0:
            raise _unreadable(path, f"the reader ended with {signal.Signals(-done.returncode).name}")
        if done.returncode:
            raise _unreadable(path, said or "the reader failed")
        arrays = {}
        for name in ("X", "y"):
            if not (Path(folder) / f"{name}.npy").is_file():
                found = f"found {said.split()}"
                raise DataError(f"{path}: expected the arrays X and y of SVHN's cropped digits, {found}")
            try:
                arrays[name] = read_npy(Path(folder) / f"{name}.npy")
            except (OSError, UnreadableError) as error:
                raise DataError(f"{path}: {name} must be an array of numbers ({error})") from error
    return arrays["X"], arrays["y"]


def _unreadable(path: Path, why: str) -> DataError:
    return DataError(f"{path}: not a readable MATLAB v5 file ({why}); copy or download it again")
