"""``python -m benchmarks``: print the tables, write results.json."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.channel import channel_campaign
from benchmarks.training import fat_step
from fat_fpga.engines.native_engine import chosen_instruction_set
from fat_fpga.models import zoo

RESULTS = Path(__file__).parent / "results.json"
GROUPS = ("channel", "fat_step")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--images", type=int, default=500, help="images of each campaign (default: 500)")
    parser.add_argument("--rounds", type=int, default=3, help="turns of the two that are compared (default: 3)")
    parser.add_argument("--only", choices=GROUPS, help="run one group; the results of the other stay in results.json")
    args = parser.parse_args()
    groups = (args.only,) if args.only else GROUPS
    results: dict[str, Any] = json.loads(RESULTS.read_text()) if args.only else {}
    if "channel" in groups:
        results |= channel(args.images, args.rounds)
    if "fat_step" in groups:
        results |= training(args.rounds)
    RESULTS.write_text(json.dumps(results, indent=2) + "\n")


def channel(images: int, rounds: int) -> dict[str, Any]:
    """Campaigns on the bundled CNV networks."""
    print(f"native engine ({chosen_instruction_set()}) against plain float32 PyTorch, all cores")
    print(f"{'campaign':24}{'ratio':>10}{'faulty/s':>14}{'torch images/s':>18}")
    results = {}
    for name in zoo.bundled():
        if not name.startswith("cnv"):
            continue
        result = channel_campaign(name, images, rounds)
        results[f"{name}.channel"] = asdict(result)
        print(
            f"{name + '.channel':24}{result.ratio_to_torch:>10,.0f}"
            f"{result.faulty_per_second:>14,.0f}{result.torch_per_second:>18,.0f}"
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


if __name__ == "__main__":
    main()
