"""What waits for a GPU: is ``torch:cuda`` exact, how fast is it, and trainings of several networks at once.

python -m benchmarks.gpu exact --device cuda
python -m benchmarks.gpu speed --device cuda
python -m benchmarks.gpu train benchmarks/gpu_tables.txt --device cuda --data cifar10:DIR -o RUNS

``benchmarks/gpu.sh`` calls all three. With ``--device cpu`` and small numbers each can be tried on any machine.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from time import perf_counter

import numpy as np

from benchmarks import gpu_training
from fat_fpga.datasets import load
from fat_fpga.engines import get
from fat_fpga.engines.images import Images
from fat_fpga.faults import MODELS, AnyFault, fault_space
from fat_fpga.network import Network, load_network, read_folding
from tests.designs.random_faults import random_faults
from tests.designs.random_network import random_images, random_network

NETWORKS = ("cnv_w1a1", "cnv_w2a2")


def sampled(network: Network, each: int, images: int) -> list[AnyFault]:
    """``each`` faults of every kind."""
    faults: list[AnyFault] = []
    for kind in MODELS:
        pes = read_folding("bnn-pynq", network) if kind == "pe" else None
        faults += fault_space(network, kind, pes=pes, frames=images).sample(each)
    return faults


def differences(network: Network, images: Images, faults: Sequence[AnyFault], device: str, judge: str) -> int:
    """Predictions in which the torch engine on ``device`` and the ``judge`` differ, those without a fault included."""
    found, expected = (
        get(name).open(network).run(images, np.zeros(len(images), np.int64), faults, predictions=True)
        for name in (f"torch:{device}", judge)
    )
    assert found.predictions is not None
    assert expected.predictions is not None
    return int((found.predictions != expected.predictions).sum() + (found.golden != expected.golden).sum())


def exact(device: str, each: int, images: int, judge: str, networks: int) -> bool:
    """Compare every prediction; print a line for each network; say whether all are equal."""
    data = load("demo:cifar10", limit=images)
    wrong = 0
    for name in NETWORKS:
        network = load_network(name)
        faults = sampled(network, each, images)
        different = differences(network, data.images, faults, device, judge)
        pairs = (len(faults) + 1) * images
        print(f"{name}: {len(faults)} faults x {images} images: ", end="")
        print(f"{different} of {pairs:,} predictions differ from {judge}", flush=True)
        wrong += different
    pairs = different = 0
    for seed in range(networks):
        network = random_network(seed)
        pixels = random_images(network, 3, seed)
        faults = [fault for kind in (*MODELS, "set") for fault in random_faults(network, kind, 3, seed, 3)]
        different += differences(network, pixels, faults, device, "reference")
        pairs += (len(faults) + 1) * 3
    print(f"{networks} random networks: {different} of {pairs:,} predictions differ from reference", flush=True)
    return wrong + different == 0


def speed(device: str, images: int, each: int) -> None:
    """Print faulty inferences a second, by network and kind of fault."""
    data = load("demo:cifar10", limit=images)
    for name in NETWORKS:
        network = load_network(name)
        session = get(f"torch:{device}").open(network)
        for kind in ("channel", "pixel", "weight"):
            faults = fault_space(network, kind).sample(each)
            session.run(data.images, data.labels, faults[:20])
            started = perf_counter()
            session.run(data.images, data.labels, faults)
            seconds = perf_counter() - started
            rate = len(faults) * images / seconds
            print(f"{name} {kind}: {len(faults)} faults x {images} images in {seconds:.2f} s, {rate:,.0f} a second",
                  flush=True)  # fmt: skip


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu", description=(__doc__ or "").splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    for name, each, images in (("exact", 40, 50), ("speed", 400, 500)):
        command = commands.add_parser(name)
        command.add_argument("--device", choices=("cpu", "cuda"), default="cuda")
        command.add_argument("--each", type=int, default=each, help=f"faults of each kind (default: {each})")
        command.add_argument("--images", type=int, default=images, help=f"images (default: {images})")
    compared = commands.choices["exact"]
    compared.add_argument("--judge", default="native", help="the engine to compare with (default: native)")
    compared.add_argument("--random", type=int, default=40, help="random networks (default: 40)")
    gpu_training.add(commands)
    options = parser.parse_args(arguments)
    if options.command == "exact":
        return 0 if exact(options.device, options.each, options.images, options.judge, options.random) else 1
    if options.command == "speed":
        speed(options.device, options.images, options.each)
        return 0
    return gpu_training.run(options)


if __name__ == "__main__":
    raise SystemExit(main())
