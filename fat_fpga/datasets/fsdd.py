"""The Free Spoken Digit Dataset: ``recordings/DIGIT_SPEAKER_INDEX.wav``, 8 kHz, one channel.

Recordings 0 to 4 of each digit and speaker are the test part, all others the training part, as its authors say.
"""

from __future__ import annotations

import re
from pathlib import Path

from fat_fpga.datasets.dataset import Dataset
from fat_fpga.datasets.files import Official, find_folder
from fat_fpga.datasets.part import Part
from fat_fpga.datasets.speech import DIGITS, Recording, spoken_digits
from fat_fpga.errors import DataError

OFFICIAL = Official("FSDD", "https://github.com/Jakobovski/free-spoken-digit-dataset")
FOLDERS = ("recordings", "free-spoken-digit-dataset/recordings")
NAME = re.compile(r"([0-9])_([A-Za-z]+)_([0-9]{1,4})\.wav")
RATE, TEST = 8000, 5


def load_fsdd(folder: Path, part: Part) -> Dataset:
    """Load features [N, 39, 254] of the recordings in ``folder``, in the order of index, speaker, and digit.

    Args:
        part: which recordings; no others are read.

    Raises:
        DataError: an optional package is missing, or a file is missing, damaged, or not what it should be.
    """
    found = find_folder(folder, FOLDERS, ("0_jackson_0.wav",), OFFICIAL)
    every = {}
    for path in found.glob("*.wav"):
        name = NAME.fullmatch(path.name)
        if name is None:
            raise DataError(f"{path}: expected names DIGIT_SPEAKER_INDEX.wav, as 0_jackson_0.wav")
        every[int(name[3]), name[2], int(name[1])] = path
    for speaker in sorted({speaker for _, speaker, _ in every}):
        count = 1 + max(index for index, one, _ in every if one == speaker)
        for index, digit in ((index, digit) for index in range(count) for digit in range(len(DIGITS))):
            if (index, speaker, digit) not in every:
                raise DataError(f"{found}: {digit}_{speaker}_{index}.wav is missing; copy the data set again")
    test = part.file == "test"
    rows = [
        Recording(path, digit, f"{digit} {speaker} {index}")
        for (index, speaker, digit), path in sorted(every.items())
        if (index < TEST) == test
    ]
    return spoken_digits("fsdd", found, part, rows, RATE)
