from collections.abc import Sequence
import enum
from typing import Annotated

import numpy
from numpy.typing import NDArray


class Update(enum.Enum):
    automatic = 0

    sparse = 1

    popcount = 2

    bytes = 3

def supported() -> list[str]:
    """Instruction sets that this processor runs, best first."""

class FaultList:
    def __init__(self) -> None: ...

    def begin(self) -> None: ...

    def hold(self, stream: int, channels: tuple[int, int, int], rows: tuple[int, int], columns: tuple[int, int], value: int) -> None: ...

    def flip(self, stream: int, index: tuple[int, int, int], frame: int, masks: tuple[int, int, int], scale: tuple[int, int]) -> None: ...

    def weight(self, node: int, index: tuple[int, int, int, int], delta: int) -> None: ...

    def threshold(self, node: int, channel: int, index: int, value: int) -> None: ...

    def weights(self, node: int, indices: Annotated[NDArray[numpy.int32], dict(shape=(None, None), order='C', device='cpu', writable=False)], deltas: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)]) -> None: ...

    def thresholds(self, node: int, indices: Annotated[NDArray[numpy.int32], dict(shape=(None, None), order='C', device='cpu', writable=False)], values: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)]) -> None: ...

    def accumulators(self, node: int, channels: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)], masks: Annotated[NDArray[numpy.int64], dict(shape=(None, None), order='C', device='cpu', writable=False)], scale: tuple[int, int]) -> None: ...

    def flips(self, stream: int, frames: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)], indices: Annotated[NDArray[numpy.int32], dict(shape=(None, None), order='C', device='cpu', writable=False)], masks: Annotated[NDArray[numpy.int64], dict(shape=(None, None), order='C', device='cpu', writable=False)], scale: tuple[int, int]) -> None: ...

    def prepare(self, model: Model) -> None: ...

    def accumulator(self, node: int, channel: int, masks: tuple[int, int, int], scale: tuple[int, int]) -> None: ...

class Kind(enum.Enum):
    pool = 1

    sum = 2

    add = 3

    concat = 4

class Stream:
    def __init__(self, shape: tuple[int, int, int], frame: tuple[int, int, int, int], planes: int, pad_index: int, largest: int, levels: tuple[int, int, int]) -> None: ...

class Model:
    def __init__(self, image: Stream, table: Annotated[NDArray[numpy.int32], dict(shape=(None, None), order='C', device='cpu', writable=False)]) -> None: ...

    @property
    def update(self) -> Update: ...

    @update.setter
    def update(self, arg: Update, /) -> None: ...

    @property
    def by_chance(self) -> bool: ...

    @by_chance.setter
    def by_chance(self, arg: bool, /) -> None: ...

    def add_unit(self, source: int, out: Stream, weights: Annotated[NDArray[numpy.int8], dict(shape=(None, None, None, None), order='C', device='cpu', writable=False)], groups: int, stride: tuple[int, int], dilation: tuple[int, int], padding: tuple[int, int, int, int], thresholds: Annotated[NDArray[numpy.int32], dict(shape=(None, None), order='C', device='cpu', writable=False)] | None, integer_thresholds: Annotated[NDArray[numpy.int32], dict(shape=(None, None), order='C', device='cpu', writable=False)] | None, offset: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)], in_levels: tuple[int, int], out_levels: tuple[int, int]) -> None: ...

    def add_windows(self, kind: Kind, source: int, out: Stream, kernel: tuple[int, int], stride: tuple[int, int]) -> None: ...

    def add_join(self, kind: Kind, sources: Sequence[int], out: Stream, factors: Sequence[int]) -> None: ...

    def add_thresholding(self, source: int, out: Stream, thresholds: Annotated[NDArray[numpy.int32], dict(shape=(None, None), order='C', device='cpu', writable=False)], levels: tuple[int, int]) -> None: ...

    def set_ranks(self, ranks: Annotated[NDArray[numpy.int32], dict(shape=(None, None), order='C', device='cpu', writable=False)], low: int) -> None: ...

    def set_affine(self, factors: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)], offsets: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)]) -> None: ...

    def run(self, images: Annotated[NDArray[numpy.uint8], dict(shape=(None, None, None, None), order='C', device='cpu', writable=False)], first_frame: int, labels: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)], faults: FaultList, threads: int, golden: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu')], correct: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu')], changed: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu')], classes: Annotated[NDArray[numpy.int32], dict(shape=(None, None), order='C', device='cpu')] | None, top5: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu')] | None, outcomes: Annotated[NDArray[numpy.int64], dict(shape=(None, None), order='C', device='cpu')] | None, watched: Sequence[int]) -> None: ...

    def trace(self, image: Annotated[NDArray[numpy.uint8], dict(shape=(None, None, None), order='C', device='cpu', writable=False)], frame: int, faults: FaultList, streams: Sequence[Annotated[NDArray[numpy.int32], dict(shape=(None, None, None), order='C', device='cpu')]]) -> None: ...
