"""``python -m benchmarks.roofline``: work and bytes of a faulty inference against what one core can do.

Three things are brought together: what an incremental algorithm has to compute at least, counted on real faults
(`benchmarks.roofline_work`); what the core can do, measured (`benchmarks.roofline_machine`); and the time that the
native engine takes, CPU time of one thread, as a slope between two numbers of images. Counting takes minutes; the
counts are kept in ``benchmarks/roofline.json``, with all that is measured, and ``--keep-counts`` takes them from there.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache
from math import sqrt
from pathlib import Path
from random import Random
from statistics import stdev
from time import process_time
from typing import Any

from benchmarks.campaigns import SAMPLE, faults_of
from benchmarks.roofline_figure import write_figure
from benchmarks.roofline_machine import UNITS, CompilerError, peaks
from benchmarks.roofline_work import VECTOR, Work, room_of, whole, work
from fat_fpga.datasets import load
from fat_fpga.engines.native_engine import ENVIRONMENT, NativeEngine, instruction_sets
from fat_fpga.engines.session import Session
from fat_fpga.faults import Fault, fault_space
from fat_fpga.network import Network, load_network
from fat_fpga.text import align

RESULTS = Path(__file__).parent / "roofline.json"
CASES = (
    *(("cnv_w1a1", kind, "") for kind in ("channel", "pixel", "element", "pe", "weight", "threshold", "accumulator")),
    ("cnv_w2a2", "channel", ""),
    ("resnet8_w4a4", "channel", ""),
    *(("cnv_w1a1", kind, layer) for kind in ("channel", "threshold") for layer in ("conv0", "conv1", "conv2", "conv3",
                                                                                   "conv4", "conv5", "fc7")),
)  # fmt: skip
"""Network, kind of fault, and the layer that all faults are of; empty for faults of the whole network."""
IMAGES = (8, 40)
"""Of the two campaigns that are timed."""


@dataclass(frozen=True)
class Case:
    """A kind of fault on a network.

    Attributes:
        faults, images: what was counted: so many faults, drawn from those that are timed, on so many images.
        work: for a faulty inference, mean over faults and images.
        error: standard error of the mean number of additions, by the spread from one fault to another.
        full: multiply-accumulates of a fault-free inference.
        room: bits that a weight takes in a vector: 1, 2 or 8.
        layer: that all faults are of; empty for faults of the whole network.
        microseconds: that the engine takes for a faulty inference; 0 where it has not been measured.
        fault_free: of these, what the fault-free run of the image takes, divided by the faults that share it.
    """

    network: str
    kind: str
    faults: int
    images: int
    work: Work
    error: float
    full: int
    room: int
    layer: str = ""
    microseconds: float = 0
    fault_free: float = 0

    @property
    def name(self) -> str:
        """Kind, and layer."""
        return f"{self.kind} {self.layer}".strip()

    @property
    def intensity(self) -> float:
        """Operations for a byte; 0 where nothing is to be computed."""
        return self.work.operations / max(1, self.work.bytes)

    def addition_rate(self, machine: dict[str, float]) -> float:
        """Additions a second: of bits, half as many of two bits, or of bytes."""
        return machine["byte_additions"] if self.room == 8 else machine["bit_additions"] / self.room

    def at_peak(self, machine: dict[str, float], whole_vectors: bool = False) -> float:
        """Microseconds of all operations at the peak rates; comparisons and others are of bytes.

        With ``whole_vectors`` each column begins a vector of its own, however much of that it fills.
        """
        rest = (self.work.comparisons + self.work.others) / machine["byte_additions"]
        additions = self.work.vectors * VECTOR / self.room if whole_vectors else self.work.additions
        return 1e6 * (additions / self.addition_rate(machine) + rest)

    def at_bandwidth(self, machine: dict[str, float], cache: str = "l2") -> float:
        """Microseconds of reading all bytes from a cache."""
        return 1e6 * self.work.bytes / machine[cache]

    def share(self, machine: dict[str, float]) -> float:
        """Of the roof: what the measured time would be at the peak rates, with whole vectors and bytes from L2."""
        return max(self.at_peak(machine, whole_vectors=True), self.at_bandwidth(machine)) / self.microseconds


@cache
def opened(name: str) -> Session:
    """The native engine with one thread, ready for a bundled network."""
    return NativeEngine(1).open(load_network(name))


def faults_in(network: Network, kind: str, layer: str) -> list[Fault]:
    """The faults that are timed: those of a kind, of one layer if it is named, or a sample of them."""
    return fault_space(network, kind, layers=[layer]).sample(SAMPLE) if layer else faults_of(network, kind)


def counted(session: Session, faults: Sequence[Fault], images: int) -> tuple[Work, float]:
    """Mean work of a faulty inference, and the standard error of its additions.

    Each fault meets ``images`` images, one fault the next ones after those of the fault before, of those between the
    two numbers of images that are timed.
    """
    data = load("demo:cifar10", limit=IMAGES[1]).images[IMAGES[0] :]
    parts = [data[start : start + images] for start in range(0, len(data) - images + 1, images)]
    fault_free = [session.trace(part, None) for part in parts]
    found = []
    for number, fault in enumerate(faults):
        at = number % len(parts)
        found.append(work(session.network, fault, session.trace(parts[at], fault), fault_free[at]) * (1 / images))
    spread = stdev([one.additions for one in found]) if len(found) > 1 else 0
    return sum(found, Work()) * (1 / len(found)), spread / sqrt(len(found))


def case_of(name: str, kind: str, layer: str, faults: int, images: int) -> Case:
    """Count a kind of fault on a bundled network, on ``faults`` of those that are timed, in random order."""
    session = opened(name)
    network = session.network
    drawn = faults_in(network, kind, layer)
    drawn = Random(0).sample(drawn, min(faults, len(drawn)))
    mean, error = counted(session, drawn, images)
    return Case(name, kind, len(drawn), images, mean, error, whole(network), max(map(room_of, network.units)), layer)


def timed(case: Case, seconds: float) -> Case:
    """The case with its microseconds of CPU: slopes, by the best round of each number of images; there are as many
    rounds as fit into the seconds, and at least one."""
    session = opened(case.network)
    faults = faults_in(session.network, case.kind, case.layer)
    data = load("demo:cifar10", limit=IMAGES[1])
    session.run(data.images[:2], data.labels[:2], faults)

    def slope(asked: Sequence[Fault]) -> float:
        best, begun = dict.fromkeys(IMAGES, float("inf")), process_time()
        while best[IMAGES[0]] == float("inf") or process_time() - begun < seconds:
            for count in IMAGES:
                started = process_time()
                session.run(data.images[:count], data.labels[:count], asked)
                best[count] = min(best[count], process_time() - started)
        return 1e6 * (best[IMAGES[1]] - best[IMAGES[0]]) / (IMAGES[1] - IMAGES[0]) / len(faults)

    return replace(case, microseconds=slope(faults), fault_free=slope([]))


def work_table(cases: Sequence[Case]) -> str:
    """What a faulty inference has to compute."""
    head = ["network", "kind", "additions", "+-", "comparisons", "others", "bytes", "ops/byte", "full MACs", "avoided"]
    rows = [
        [case.network, case.name, f"{case.work.additions:,.0f}", f"{case.error:,.0f}", f"{case.work.comparisons:,.0f}",
         f"{case.work.others:,.0f}", f"{case.work.bytes:,.0f}", f"{case.intensity:.1f}", f"{case.full:,}",
         f"{case.full / max(1, case.work.additions):,.0f} x"]
        for case in cases
    ]  # fmt: skip
    return align([head, *rows], left=(0, 1))


def time_table(cases: Sequence[Case], machine: dict[str, float]) -> str:
    """Microseconds at the peak rates, and those that the engine takes."""
    head = ["network", "kind", "at peak", "whole vectors", "from L1", "from L2", "measured", "fault-free", "share"]
    rows = []
    for case in cases:
        bounds = [case.at_peak(machine), case.at_peak(machine, whole_vectors=True)]
        bounds += [case.at_bandwidth(machine, cache) for cache in ("l1", "l2")]
        times = [*bounds, case.microseconds, case.fault_free]
        rows.append([case.network, case.name, *(f"{time:.3f}" for time in times), f"{case.share(machine):.1%}"])
    return align([head, *rows], left=(0, 1))


def machine_table(machine: dict[str, float]) -> str:
    """What the core can do."""
    return align([["a second of one core", "10^9"], *([UNITS[n], f"{v / 1e9:,.1f}"] for n, v in machine.items())])


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.roofline", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    sets = [name for name in instruction_sets() if name in ("avx512", "avx2")] or instruction_sets()
    parser.add_argument("--faults", type=int, default=3000, help="faults of each kind that are counted (default: 3000)")
    parser.add_argument("--images", type=int, default=2, help="images that each of them is counted on (default: 2)")
    parser.add_argument("--seconds", type=float, default=1, help="CPU time that each is timed for (default: 1)")
    parser.add_argument("--set", choices=sets, default=sets[0], help="instruction set (default: %(default)s)")
    parser.add_argument("--keep-counts", action="store_true", help="measure only; work is that of the results file")
    parser.add_argument(
        "--results", type=Path, default=RESULTS, metavar="FILE", help="default: benchmarks/roofline.json"
    )
    parser.add_argument("--figure", type=Path, metavar="FILE", help="draw it there, as .svg or .png")
    args = parser.parse_args(arguments)
    if min(args.faults, args.images) < 1 or args.images > IMAGES[1] - IMAGES[0]:
        parser.error(f"expected 1 fault and image or more, and at most {IMAGES[1] - IMAGES[0]} images")
    os.environ[ENVIRONMENT] = args.set
    if args.keep_counts:
        if not args.results.is_file():
            parser.error(f"--keep-counts: expected the results of an earlier run, no file {args.results}")
        cases = read(json.loads(args.results.read_text()))
    else:
        cases = [case_of(*case, args.faults, args.images) for case in CASES]
    try:
        machine = peaks(args.set)
    except CompilerError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    cases = [timed(case, args.seconds) for case in cases]
    args.results.write_text(json.dumps(written(cases, machine, args.set), indent=2) + "\n")
    print(f"{work_table(cases)}\n\n{machine_table(machine)}\n\n{time_table(cases, machine)}\n\n{args.set}, one core")
    if args.figure is not None:
        write_figure([case for case in cases if not case.layer], machine, args.figure)
    return 0


def written(cases: Sequence[Case], machine: dict[str, float], instruction_set: str) -> dict[str, Any]:
    """What the results file holds."""
    return {"instruction_set": instruction_set, "machine": machine, "cases": [asdict(case) for case in cases]}


def read(results: dict[str, Any]) -> list[Case]:
    """The cases of a results file."""
    return [Case(**{**case, "work": Work(**case["work"])}) for case in results["cases"]]


if __name__ == "__main__":
    sys.exit(main())
