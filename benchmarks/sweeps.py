"""Native engine on samples of a sweep against plain PyTorch: CPU time, one thread of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from time import process_time

import torch

from benchmarks.plain_torch import images_per_second
from benchmarks.subjects import subject
from fat_fpga.datasets import load
from fat_fpga.engines.native_engine import NativeEngine
from fat_fpga.faults import AnyFault, parse_fault

SWEEPS = (
    ("cnv_w1a1", "weight", "1e-05", 150),
    ("cnv_w1a1", "weight", "0.001", 30),
    ("cnv_w1a1", "activation", "1e-05", 30),
)
"""Networks, kinds whose bits flip, rates, samples."""
IMAGES = 1000
"""All bundled ones: errors in memories are drawn once for all images, so few images would measure the drawing."""


@dataclass(frozen=True)
class SweepResult:
    """Images of samples and plain float32 images, each by a second of CPU time; medians over the rounds.

    Attributes:
        ratio_to_torch: how many times as fast as forward passes of PyTorch, which are given no errors.
        faulty_per_second: samples times images, with all that it takes: drawing errors, and the run without them.
        torch_per_second: images.
    """

    ratio_to_torch: float
    faulty_per_second: float
    torch_per_second: float


def sweep(name: str, kind: str, rate: str, samples: int, rounds: int) -> SweepResult:
    """Samples of flipped bits at a rate, on the bundled images; both take turns."""
    data = load("demo:cifar10", limit=IMAGES)
    session = NativeEngine(1).open(subject(name))
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    plain, native = [], []
    try:
        for turn in range(rounds):
            plain.append(images_per_second(name.split("_")[0], clock=process_time))
            faults = _patterns(kind, rate, range(turn * samples, (turn + 1) * samples))
            started = process_time()
            session.run(data.images, data.labels, faults)
            native.append(samples * len(data.images) / (process_time() - started))
    finally:
        torch.set_num_threads(threads)
    ratio = median(n / p for n, p in zip(native, plain, strict=True))
    return SweepResult(round(ratio, 1), round(median(native)), round(median(plain)))


def _patterns(kind: str, rate: str, samples: range) -> Sequence[AnyFault]:
    """Other samples at each turn, so that nothing that was drawn is kept."""
    return [parse_fault(f"*/{kind}[*].bit[*] ^ 1 ~ {rate} @ sample[{sample}]") for sample in samples]
