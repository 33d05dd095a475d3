"""Recordings of spoken words as features: 13 MFCC, their deltas and double deltas, 39 numbers for each of 254 steps.

This is what TiGRU takes (Reagen et al., DAC 2018, Table 1: 39 x 254). The paper gives the shape alone; the rest is the
usual choice: windows of 25 ms every 10 ms, 26 mel bands, deltas over 9 windows, each feature brought to mean 0 and
deviation 1 within its recording. What a recording has no window for is 0; what is beyond 254 windows (2.54 s) is left
out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fat_fpga.datasets.dataset import Dataset
from fat_fpga.datasets.extra import extra
from fat_fpga.datasets.feature_cache import cached
from fat_fpga.datasets.part import Part
from fat_fpga.errors import DataError
from fat_fpga.progress import progress_bar

COEFFICIENTS, STEPS = 13, 254
FEATURES = 3 * COEFFICIENTS
BANDS, WIDTH = 26, 9
WINDOW, HOP = 0.025, 0.01
"""Seconds."""
DIGITS = tuple(map(str, range(10)))
"""Classes of the data sets of spoken digits."""
EXTRA, WHAT = "speech", "reading recordings"
SHORTEN = "; recordings that shorten has compressed have to be unpacked first: sph2pipe -p -f wav IN OUT"
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Recording:
    """A file, the label of what is said in it, and what it is held out together with."""

    path: Path
    label: int
    group: str


def spoken_digits(name: str, folder: Path, part: Part, recordings: Sequence[Recording], rate: int) -> Dataset:
    """Features [N, 39, 254] of those of the recordings that ``part`` chooses.

    Args:
        name: of the data set; recordings: of the file that the part is of, in their order.
        rate: as in `features_of`.

    Raises:
        DataError: the part holds none; or as `features_of`.
    """
    told = f"{name}:{part.split or part.file}{part.text}"
    chosen = [recordings[index] for index in part.of([one.group for one in recordings])]
    if not chosen:
        raise DataError(f"{folder}: {told} holds no recordings; at least one is needed")
    values, labels = features_of(chosen, rate)
    return Dataset(told, values, labels, DIGITS)  # type: ignore[arg-type]


def features_of(recordings: Sequence[Recording], rate: int) -> tuple[Floats, NDArray[np.int64]]:
    """Features float32 [N, 39, 254] and labels int64 [N]. They are kept on disk, see `feature_cache`.

    Args:
        rate: samples a second that each recording has to have.

    Raises:
        DataError: librosa or soundfile is missing; a file is not readable, has another rate, or several channels.
    """
    librosa = extra("librosa", "librosa", WHAT, EXTRA)
    recipe = f"librosa {librosa.__version__}, {FEATURES} x {STEPS}, {BANDS} bands, {WINDOW} s, {HOP} s, {WIDTH}, {rate}"

    def computed() -> Floats:
        bar = progress_bar(True, iterable=recordings, desc=WHAT, unit=" files", delay=2, leave=False)
        return np.stack([features(read(one.path, rate), rate) for one in (recordings if bar is None else bar)])

    found = cached([one.path for one in recordings], recipe, computed)
    return found, np.array([one.label for one in recordings], np.int64)


def read(path: Path, rate: int) -> Floats:
    """The samples of a recording of one channel, float32 in [-1, 1]: WAV, or NIST SPHERE without compression.

    Raises:
        DataError: soundfile is missing, or the file is not readable or has another form.
    """
    soundfile = extra("soundfile", "soundfile", WHAT, EXTRA)
    try:
        samples, found = soundfile.read(path, dtype="float32", always_2d=True)
    except Exception as error:  # whatever libsndfile meets in a damaged file
        why = " ".join(str(error).split()) or type(error).__name__
        raise DataError(f"{path}: not a readable recording ({why}){SHORTEN}") from error
    if found != rate or samples.shape[1] != 1:
        raise DataError(
            f"{path}: expected {rate:,} samples a second of one channel, got {found:,} of {samples.shape[1]}: take the "
            "official files"
        )
    if not len(samples):
        raise DataError(f"{path}: has no samples; copy or download it again")
    one: Floats = samples[:, 0]
    return one


def features(samples: Floats, rate: int) -> Floats:
    """Features float32 [39, 254] of a recording of ``rate`` samples a second."""
    librosa = extra("librosa", "librosa", WHAT, EXTRA)
    window, hop = round(WINDOW * rate), round(HOP * rate)
    transform = 1 << (window - 1).bit_length()
    mfcc = librosa.feature.mfcc(
        y=samples, sr=rate, n_mfcc=COEFFICIENTS, n_mels=BANDS, n_fft=transform, win_length=window, hop_length=hop
    )
    deltas = [librosa.feature.delta(mfcc, order=order, width=WIDTH, mode="nearest") for order in (1, 2)]
    return padded(np.concatenate([mfcc, *deltas]))


def padded(found: NDArray[Any]) -> Floats:
    """Features [39, any] with mean 0 and deviation 1 over time, then cut or filled with zeros to 254 steps."""
    mean, deviation = found.mean(axis=1, keepdims=True), found.std(axis=1, keepdims=True)
    scaled = (found - mean) / np.where(deviation > 0, deviation, 1)
    result = np.zeros((len(found), STEPS), np.float32)
    result[:, : found.shape[1]] = scaled[:, :STEPS]
    return result
