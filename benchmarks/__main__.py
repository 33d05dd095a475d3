"""``python -m benchmarks``: print the tables, write results.json."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.campaigns import campaign
from benchmarks.sweeps import SWEEPS, sweep
from benchmarks.training import fat_step
from benchmarks.workers import two_workers
from fat_fpga.engines.native_engine import chosen_instruction_set

RESULTS = Path(__file__).parent / "results.json"
GROUPS = ("campaigns", "sweeps", "fat_step", "workers")
CAMPAIGNS = (
    *(("cnv_w1a1", kind) for kind in ("channel", "pixel", "element", "pe", "weight", "threshold", "accumulator")),
    ("cnv_w2a2", "channel"),
    ("resnet8_w2a2", "channel"),
    ("mobilenet_w4a4", "channel"),
)
FEWER_IMAGES = {"mobilenet_w4a4": 10}
"""A part of the images, where all of them take too long: one in so many."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--images", type=int, default=500, help="images of each campaign (default: 500)")
    parser.add_argument("--rounds", type=int, default=3, help="turns of the two that are compared (default: 3)")
    parser.add_argument("--only", choices=GROUPS, help="run one group; the results of the others stay in results.json")
    args = parser.parse_args()
    groups = (args.only,) if args.only else GROUPS
    results: dict[str, Any] = json.loads(RESULTS.read_text()) if args.only else {}
    if "campaigns" in groups:
        results |= campaigns(args.images, args.rounds)
    if "sweeps" in groups:
        results |= sweeps(args.rounds)
    if "fat_step" in groups:
        results |= training(args.rounds)
    if "workers" in groups:
        results |= workers(args.images, args.rounds)
    RESULTS.write_text(json.dumps(results, indent=2) + "\n")


def campaigns(images: int, rounds: int) -> dict[str, Any]:
    """Campaigns on the bundled CNV networks, a residual and a depthwise one."""
    print(f"native engine ({chosen_instruction_set()}) against plain float32 PyTorch, all cores")
    print(f"{'campaign':24}{'ratio':>10}{'faulty/s':>14}{'torch images/s':>18}")
    results = {}
    for name, kind in CAMPAIGNS:
        result = campaign(name, kind, images // FEWER_IMAGES.get(name, 1) or 1, rounds)
        key = f"{name}.{kind}"
        results[key] = asdict(result)
        print(
            f"{key:24}{result.ratio_to_torch:>10,.0f}{result.faulty_per_second:>14,.0f}{result.torch_per_second:>18,.0f}"
        )
    return results


def sweeps(rounds: int) -> dict[str, Any]:
    """Bits that flip at a rate."""
    print(f"samples of a sweep, native engine ({chosen_instruction_set()}) against plain float32 PyTorch, one core")
    print(f"{'sweep':30}{'ratio':>10}{'faulty/s':>14}{'torch images/s':>18}")
    results = {}
    for name, kind, rate, samples in SWEEPS:
        result = sweep(name, kind, rate, samples, rounds)
        key = f"{name}.sweep.{kind}.{rate}"
        results[key] = asdict(result)
        print(
            f"{key:30}{result.ratio_to_torch:>10,.1f}{result.faulty_per_second:>14,.0f}{result.torch_per_second:>18,.0f}",
            flush=True,
        )
    return results


def training(rounds: int) -> dict[str, Any]:
    """Training steps."""
    print("a fault-aware training step against a standard one, float32, one core")
    print(f"{'step':24}{'FAT 2 / SAT':>14}{'FAT 1 / SAT':>14}{'SAT ms':>14}")
    result = fat_step(rounds)
    key = "cnv_w1a1.fat_step"
    print(f"{key:24}{result.fat2_to_sat:>14.3f}{result.fat1_to_sat:>14.3f}{result.sat_milliseconds:>14.0f}")
    return {key: asdict(result)}


def workers(images: int, rounds: int) -> dict[str, Any]:
    """Campaigns on workers of Dask."""
    print("two workers of Dask, one thread each, against two threads of one process")
    print(f"{'campaign':24}{'efficiency':>14}{'threads s':>14}{'workers s':>14}{'load before':>14}")
    result = two_workers(images, rounds)
    key = "cnv_w1a1.workers"
    print(
        f"{key:24}{result.efficiency:>14.3f}{result.threads_seconds:>14.1f}{result.workers_seconds:>14.1f}"
        f"{result.load_before:>14.1f}"
    )
    return {key: asdict(result)}


if __name__ == "__main__":
    main()
