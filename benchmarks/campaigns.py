"""Native engine on whole campaigns: every fault of a kind; a sample of the bits of the weight memory."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from time import perf_counter

from benchmarks.plain_torch import images_per_second
from benchmarks.subjects import subject
from fat_fpga.datasets import load
from fat_fpga.engines.native_engine import NativeEngine
from fat_fpga.faults import Fault, fault_space
from fat_fpga.network import Network, read_folding

SAMPLE = 10_000
"""Faults of a kind that has more."""


@dataclass(frozen=True)
class Result:
    """Ratio of faulty inferences a second to plain float32 images a second, medians over the rounds."""

    ratio_to_torch: float
    faulty_per_second: float
    torch_per_second: float


def faults_of(network: Network, kind: str) -> list[Fault]:
    """All faults of a kind, PEs under BNN-PYNQ's folding, or a sample of them."""
    pes = read_folding("bnn-pynq", network) if kind == "pe" else None
    return fault_space(network, kind, pes=pes).sample(SAMPLE)


def campaign(name: str, kind: str, images: int, rounds: int) -> Result:
    """The campaign of a kind of fault on a network and the first ``images`` bundled images.

    PyTorch and the native engine take turns, so that both meet the same weather on the machine.
    """
    network = subject(name)
    data = load("demo:cifar10", limit=images)
    faults = faults_of(network, kind)
    session = NativeEngine().open(network)
    plain, native = [], []
    for _ in range(rounds):
        plain.append(images_per_second(name.split("_")[0]))
        started = perf_counter()
        session.run(data.images, data.labels, faults)
        native.append(len(faults) * images / (perf_counter() - started))
    ratio = median(n / p for n, p in zip(native, plain, strict=True))
    return Result(round(ratio, 1), round(median(native)), round(median(plain)))
