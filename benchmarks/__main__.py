"""``python -m benchmarks``: print the table, write results.json."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path

from benchmarks.channel import Result, channel_campaign
from fat_fpga.engines.native_engine import chosen_instruction_set
from fat_fpga.models import zoo

RESULTS = Path(__file__).parent / "results.json"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--images", type=int, default=500, help="images of each campaign (default: 500)")
    parser.add_argument("--rounds", type=int, default=3, help="turns of PyTorch and the engine (default: 3)")
    args = parser.parse_args()

    print(f"native engine ({chosen_instruction_set()}) against plain float32 PyTorch, all cores")
    print(f"{'campaign':24}{'ratio':>10}{'faulty/s':>14}{'torch images/s':>18}")
    results: dict[str, Result] = {}
    for name in zoo.bundled():
        if not name.startswith("cnv"):
            continue
        result = results[f"{name}.channel"] = channel_campaign(name, args.images, args.rounds)
        print(
            f"{name + '.channel':24}{result.ratio_to_torch:>10,.0f}"
            f"{result.faulty_per_second:>14,.0f}{result.torch_per_second:>18,.0f}"
        )
    RESULTS.write_text(json.dumps({key: asdict(value) for key, value in results.items()}, indent=2) + "\n")


if __name__ == "__main__":
    main()
