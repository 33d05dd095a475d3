"""Kernels of a foreign processor, in an emulator, against predictions that were made here: ``make test-arm``.

python -m tests.engines.emulated_cases cases.pickle --pairs 2000
build/arm/python -m tests.engines.emulated cases.pickle neon portable
"""

from __future__ import annotations

import os
import pickle
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fat_fpga.engines.images import Images
from fat_fpga.engines.native_engine import ENVIRONMENT, NativeEngine, instruction_sets
from fat_fpga.engines.native_session import UPDATE
from fat_fpga.faults import AnyFault
from fat_fpga.network import Network

TRACED = 5  # faults of each case whose streams are compared, too
THREADS = 2


@dataclass(frozen=True)
class Case:
    """What the kernels are given, and what the reference engine makes of it.

    Attributes:
        predictions: [faults, images], of the reference engine.
        updates: values of ``FAT_FPGA_UPDATE`` that each instruction set runs the faults with.
    """

    name: str
    network: Network
    images: Images
    faults: Sequence[AnyFault]
    predictions: npt.NDArray[np.int32]
    updates: tuple[str, ...]


def check(case: Case, sets: Sequence[str]) -> None:
    """AssertionError where an instruction set predicts otherwise, or gives other streams than the set before."""
    labels = np.zeros(len(case.images), np.int64)
    traced = (*case.faults[: TRACED // 2], *case.faults[TRACED // 2 - TRACED :])
    for update in case.updates:
        before: list[dict[str, npt.NDArray[np.int32]]] = []
        for instruction_set in sets:
            os.environ[ENVIRONMENT], os.environ[UPDATE] = instruction_set, update
            session = NativeEngine(THREADS).open(case.network)
            note = f"{case.name}, {instruction_set}, {update}"
            got = session.run(case.images, labels, case.faults, predictions=True)
            np.testing.assert_array_equal(got.predictions, case.predictions, note)
            streams = [session.trace(case.images, fault) for fault in traced]
            for ours, theirs in zip(streams, before or streams, strict=True):
                assert list(ours) == list(theirs)
                for name, stream in ours.items():
                    np.testing.assert_array_equal(stream, theirs[name], f"{note}: {name}")
            before = streams


def main() -> None:
    cases: list[Case] = pickle.loads(Path(sys.argv[1]).read_bytes())
    sets = sys.argv[2:]
    if sets != instruction_sets():
        sys.exit(f"expected a processor that runs {', '.join(sets)}; this one runs {', '.join(instruction_sets())}")
    for case in cases:
        check(case, sets)
    pairs = sum(len(case.faults) for case in cases)
    print(f"{len(cases)} networks, {pairs:,} pairs of network and fault, each in {', '.join(sets)}: exact")


if __name__ == "__main__":
    main()
