"""Native engine on whole channel campaigns: every channel of every layer at every level."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from time import perf_counter

from benchmarks.plain_torch import images_per_second
from fat_fpga.cli.model import load_bundled
from fat_fpga.datasets import load
from fat_fpga.engines.native_engine import NativeEngine
from fat_fpga.faults import fault_space


@dataclass(frozen=True)
class Result:
    """Ratio of faulty inferences a second to plain float32 images a second, medians over the rounds."""

    ratio_to_torch: float
    faulty_per_second: float
    torch_per_second: float


def channel_campaign(name: str, images: int, rounds: int) -> Result:
    """The whole channel campaign on a bundled network and the first ``images`` bundled images.

    PyTorch and the native engine take turns, so that both meet the same weather on the machine.
    """
    network = load_bundled(name)
    data = load("demo:cifar10", limit=images)
    faults = fault_space(network)
    engine = NativeEngine()
    plain, native = [], []
    for _ in range(rounds):
        plain.append(images_per_second())
        started = perf_counter()
        engine.run(network, data.images, data.labels, faults)
        native.append(len(faults) * images / (perf_counter() - started))
    ratio = median(n / p for n, p in zip(native, plain, strict=True))
    return Result(round(ratio, 1), round(median(native)), round(median(plain)))
