"""Faults in PyTorch modules against plain PyTorch: what injection costs, and what reuse gains.

    python -m benchmarks.modules [--device cuda] [--rows 64] [--rounds 5]

CPU time on a CPU, one thread; elapsed time on a GPU.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from statistics import median
from time import perf_counter, process_time

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks.plain_torch import plain_cnv, plain_resnet8
from fat_fpga.faults import Fault, fault_space, parse_fault
from fat_fpga.modules import ModuleSubject
from fat_fpga.modules.batch import Batch, recorded
from fat_fpga.modules.calls import Forward, intercepted
from fat_fpga.modules.edits import edits_of
from fat_fpga.modules.engine import ModuleEngine
from fat_fpga.modules.replay import Replay

ROWS = 64
MODELS: dict[str, Callable[[], nn.Module]] = {"cnv": plain_cnv, "resnet8": plain_resnet8}
EACH = 2
"""Weights of each layer."""
PASSES = 4
"""Passes of one way that are timed together, after one that is not: a pass pays for the memory that the one before it
gave back."""
TURNS = 8
"""Of each kind of pass in a round: what is to be seen is a hundredth, and single turns differ by more."""


@dataclass(frozen=True)
class Costs:
    """Time as multiples of a forward pass of plain PyTorch on the same batch, but for the last.

    Attributes:
        forward: seconds of that pass.
        watched: a pass in which what every module gives is met, and no fault is there. Faults need less: only modules
            that have one are met, those whose format is not the type of their values, and recurrent ones.
        flips: a pass with bit flips in all activations at a rate of 1e-5, drawn anew. As in a sweep the errors of some
            samples are drawn first, then each has its pass; the drawing is counted.
        weights: a pass with a flipped bit in a weight, without reuse.
        gain: plain PyTorch (flip, pass, undo) by a campaign, on the same single weights of every layer.
    """

    forward: float
    watched: float
    flips: float
    weights: float
    gain: float


def costs(name: str, rounds: int, device: str = "cpu", rows: int = ROWS) -> Costs:
    """Of a model with random weights; the median of so many rounds, in each of which all take turns in random order."""
    torch.manual_seed(0)
    module = MODELS[name]().to(device)
    subject = ModuleSubject(module, (3, 32, 32))
    images = np.random.default_rng(0).integers(0, 256, (rows, 3, 32, 32), dtype=np.uint8)
    batch = Batch.of(subject, images, 0, rows)
    found = recorded(subject, batch.tensor)
    replay = Replay(subject, batch.tensor, found, reuse=False)
    sweeping = Replay(subject, batch.tensor, found)
    space = fault_space(subject, "weight")
    weight = space[len(space) // 2]
    samples = iter(range(10**9))

    def flips(count: int) -> None:
        text = "*/activation[*].bit[*] ^ 1 ~ 1e-5 @ sample[{}]"
        patterns = [parse_fault(text.format(next(samples))) for _ in range(count)]
        for edits in [edits_of(subject, pattern, 0, rows, 0) for pattern in patterns]:
            sweeping.output(edits)

    passes: dict[str, Callable[[int], None]] = {
        "plain": _times(lambda: _plain(module, batch.tensor)),
        "watched": _times(lambda: _watched(subject, batch.tensor)),
        "flips": flips,
        "weights": _times(lambda: replay.output(edits_of(subject, weight, 0, rows, 0))),
    }
    faults, rng = [], random.Random(0)
    for block in space.blocks:
        faults += [block.fault(rng.randrange(len(block))) for _ in range(EACH)]
    session, labels = ModuleEngine(rows=rows).open(subject), np.zeros(rows, np.int64)
    session.run(images, labels, [])
    whole: dict[str, Callable[[], object]] = {
        "single": lambda: [_flipped(subject, module, batch.tensor, fault) for fault in faults],
        "campaign": lambda: session.run(images, labels, faults),
    }
    times: dict[str, list[float]] = {way: [] for way in (*passes, *whole)}
    for _ in range(rounds):
        for way in _shuffled(rng, whole):
            times[way].append(_seconds(whole[way], device))
        for way in (way for _ in range(TURNS) for way in _shuffled(rng, passes)):
            passes[way](1)
            times[way].append(_seconds(partial(passes[way], PASSES), device) / PASSES)
    medians = {way: median(own) for way, own in times.items()}
    ratios = {way: median(a / b for a, b in zip(times[way], times["plain"], strict=True)) for way in passes}
    return Costs(
        medians["plain"],
        ratios["watched"],
        ratios["flips"],
        ratios["weights"],
        medians["single"] / medians["campaign"],
    )


def _shuffled(rng: random.Random, ways: Iterable[str]) -> list[str]:
    order = list(ways)
    rng.shuffle(order)
    return order


def _times(run: Callable[[], object]) -> Callable[[int], None]:
    """So many runs, one after the other."""

    def runs(count: int) -> None:
        for _ in range(count):
            run()

    return runs


def _seconds(run: Callable[[], object], device: str) -> float:
    """CPU time, or on a GPU the time until it has finished."""
    if device == "cpu":
        started = process_time()
        run()
        return process_time() - started
    torch.cuda.synchronize()
    started = perf_counter()
    run()
    torch.cuda.synchronize()
    return perf_counter() - started


def _plain(module: nn.Module, tensor: Tensor) -> Tensor:
    with torch.no_grad():
        scores: Tensor = module(tensor)
    return scores


def _watched(subject: ModuleSubject, tensor: Tensor) -> Tensor:
    def met(name: str, forward: Forward) -> Forward:
        return lambda *args, **kwargs: subject.store(name, forward(*args, **kwargs))

    with intercepted(subject.modules, met):
        return _plain(subject.module, tensor)


def _flipped(subject: ModuleSubject, module: nn.Module, tensor: Tensor, fault: Fault) -> Tensor:
    """What somebody would write without a tool: flip, run, undo."""
    parameter = subject.tensors[subject.sites[fault.layer, fault.kind].name].detach()
    index = np.unravel_index(np.ravel_multi_index(fault.index, tuple(parameter.shape)), tuple(parameter.shape))
    words = parameter.view(torch.int32)
    assert fault.bit is not None
    mask = (1 << fault.bit) - (1 << 32 if fault.bit == 31 else 0)
    words[tuple(map(int, index))] ^= mask
    try:
        return _plain(module, tensor)
    finally:
        words[tuple(map(int, index))] ^= mask


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.modules", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--rows", type=int, default=ROWS, help="images in a pass (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="default: %(default)s")
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cudnn.deterministic = True  # else two runs without faults may differ, which is refused
    print(f"{'model':10}{'forward [ms]':>14}{'watched':>10}{'flips 1e-5':>12}{'weights':>10}{'campaign':>10}")
    for name in MODELS:
        found = costs(name, options.rounds, options.device, options.rows)
        print(
            f"{name:10}{1000 * found.forward:>14.1f}{found.watched:>10.3f}{found.flips:>12.3f}{found.weights:>10.3f}"
            f"{found.gain:>9.2f}x"
        )


if __name__ == "__main__":
    main()
