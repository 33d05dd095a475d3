"""TIDIGITS (LDC93S10): ``train`` and ``test``, in each ``man``, ``woman``, ``boy``, ``girl``, in each a folder for
every speaker, in it ``1a.wav``, ``za.wav``, ``oa.wav``, ``73629a.wav``: what is said, and ``a`` or ``b`` for the first
or second time. NIST SPHERE, 20 kHz.

Recordings of one digit are used: ``1`` to ``9``, ``z`` (zero) and ``o`` (oh). Ares has ten classes and does not say
what becomes of eleven words; here zero and oh are both the digit 0.
"""

from __future__ import annotations

import re
from pathlib import Path

from fat_fpga.datasets.dataset import Dataset
from fat_fpga.datasets.files import Official
from fat_fpga.datasets.part import Part
from fat_fpga.datasets.speech import Recording, spoken_digits
from fat_fpga.errors import DataError

OFFICIAL = Official("TIDIGITS", "https://catalog.ldc.upenn.edu/LDC93S10")
NAME = re.compile(r"([1-9zo])[ab]\.wav", re.IGNORECASE)
RATE = 20000
LAYOUT = "expected train and test in it or below it, in them man/SPEAKER/1a.wav and the like"


def load_tidigits(folder: Path, part: Part) -> Dataset:
    """Load features [N, 39, 254] of the recordings of single digits below ``folder``, in the order of their paths.

    Args:
        part: which recordings; no others are read. A speaker of the training part is held out as a whole.

    Raises:
        DataError: an optional package is missing, or a file is missing, damaged, or not what it should be.
    """
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder; {LAYOUT}; {OFFICIAL.advice}")
    rows = []
    for path in sorted(folder.rglob("*")):
        name = NAME.fullmatch(path.name)
        above = [parent.lower() for parent in path.relative_to(folder).parts[:-1]]
        if name is None or len(above) < 3 or above[-3] != part.file:
            continue
        said = name[1].lower()
        rows.append(Recording(path, 0 if said in "zo" else int(said), "/".join(above[-2:])))
    if not rows:
        raise DataError(f"{folder}: no {part.file} part of TIDIGITS here; {LAYOUT}; {OFFICIAL.advice}")
    return spoken_digits("tidigits", folder, part, rows, RATE)
