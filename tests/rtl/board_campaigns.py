"""Long campaigns on simulated boards: ``python -m tests.rtl.board_campaigns FOLDER`` holds predictions under many
faults against the native engine's.

While a fault acts, the board session also holds the checksums of every stream, of all images, against the integer
network; where one differs, the board is programmed anew, which counts here as a failure. With ``--results`` each list
of faults is written down as it is finished, and a run that was interrupted goes on.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fat_fpga.board.accelerator import Accelerator
from fat_fpga.board.description import Description
from fat_fpga.board.engine import BoardEngine
from fat_fpga.board.injection import SABOTEUR, THRESHOLDS, injectable
from fat_fpga.board.simulated import SimulatedBoard
from fat_fpga.crosscheck.sample import kind_of, sample_kind
from fat_fpga.datasets import load
from fat_fpga.engines import get
from fat_fpga.faults import AnyFault, FaultSet, fault_space
from fat_fpga.faults.traits import SET
from fat_fpga.network import Network
from fat_fpga.network.network_file import read_network

GROUPS = (("channel", THRESHOLDS), ("channel", SABOTEUR), ("pixel", SABOTEUR), ("element", SABOTEUR), ("pe", SABOTEUR),
          (SET, SABOTEUR), (SET, THRESHOLDS))  # fmt: skip
"""Kinds of fault that a board has, and what holds channels."""
PART = 16
"""Faults that are recorded together."""


def sampled(network: Network, built: Description, kind: str, by: str, count: int, images: int) -> Sequence[AnyFault]:
    """Different faults of a kind that the board can inject, or fewer where it has fewer."""
    pes = {stream.place: stream.layout.lanes for stream in built.streams}
    found: Sequence[AnyFault] = []
    for more in (2, 8, 32, 128, 512):  # most sets have a part that a board cannot inject
        if kind == SET:
            found = _sets(network, built, by, count * more, pes)
        else:
            found = injectable(built, sample_kind(network, kind, count * more, images, 0, pes), by)
        if len(found) >= count:
            break
    chosen = np.random.default_rng(0).permutation(len(found))[:count]
    return [found[number] for number in chosen]


def _sets(network: Network, built: Description, by: str, count: int, pes: dict[str, int]) -> list[AnyFault]:
    """Sets of two and three faults of the other kinds."""
    pool = [
        fault
        for kind in dict.fromkeys(kind for kind, _ in GROUPS if kind != SET)
        for fault in injectable(built, sample_kind(network, kind, 100, 1, 1, pes), by)
    ]
    rng = np.random.default_rng(0)
    chosen = (rng.choice(len(pool), rng.integers(2, 4), replace=False) for _ in range(count))
    sets = {str(found): found for found in (FaultSet(tuple(p for n in c for p in pool[n].faults)) for c in chosen)}
    return injectable(built, list(sets.values()), by)


def campaign(
    folder: Path,
    lists: Sequence[tuple[str, Sequence[AnyFault]]],
    images: int,
    stalls: float,
    done: set[tuple[str, str]],
) -> Iterator[dict[str, Any]]:
    """A record of each fault that is not ``done``: by what, its text, predictions that differ from native's, that
    differ from those without a fault, and how often its list was disturbed."""
    network, device = read_network(folder / "network.npz"), SimulatedBoard(folder)
    data = load("demo:cifar10" if network.input.shape[0] == 3 else "demo:mnist", limit=images)
    native = get("native").open(network)
    golden = native.run(data.images, data.labels, []).golden
    left = {by: [fault for of, faults in lists if of == by for fault in faults] for by in (SABOTEUR, THRESHOLDS)}
    left = {by: [fault for fault in faults if (by, str(fault)) not in done] for by, faults in left.items()}
    for by, faults in left.items():
        device.restart()
        engine = BoardEngine(Accelerator(device, device.description, by))
        device.stall(stalls, stalls, 1)
        rng = np.random.default_rng(len(faults))
        order = rng.permutation(len(faults))  # so that a run which is interrupted has some of each kind
        for start in range(0, len(faults), PART):
            part, before = [faults[number] for number in order[start : start + PART]], time.process_time()
            restarts = len(engine.restarts)
            found = engine.open(network).run(data.images, data.labels, part, predictions=True).predictions
            seconds = time.process_time() - before
            wanted = native.run(data.images, data.labels, part, predictions=True).predictions
            assert found is not None
            assert wanted is not None
            for fault, row, native_row in zip(part, found, wanted, strict=True):
                yield {
                    "by": by, "kind": kind_of(fault), "fault": str(fault), "images": len(row),
                    "differ": int((row != native_row).sum()), "changed": int((row != golden).sum()),
                    "restarts": len(engine.restarts) - restarts, "seconds": round(seconds / len(part), 3),
                }  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.rtl.board_campaigns", description=__doc__)
    parser.add_argument("board", type=Path, help="folder of a simulated board")
    parser.add_argument("--faults", type=int, default=504, help="of all kinds together (default: %(default)s)")
    parser.add_argument("--channels", action="store_true", help="instead all faults of channels")
    parser.add_argument("--images", type=int, default=20, help="(default: %(default)s)")
    parser.add_argument("--stalls", type=float, default=0.0, help="probability of a pause a cycle on both sides")
    parser.add_argument("--results", type=Path, help="file of results: what is in it is not run again")
    args = parser.parse_args()
    network, built = read_network(args.board / "network.npz"), Description.read(args.board / "board.json")
    if args.channels:
        streams = [stream.place for stream in built.streams if stream.thresholds is not None]
        channels = injectable(built, list(fault_space(network, "channel", layers=streams)))
        lists: list[tuple[str, Sequence[AnyFault]]] = [(THRESHOLDS, channels)]
    else:
        share = -(-args.faults // len(GROUPS))
        lists = [(by, sampled(network, built, kind, by, share, args.images)) for kind, by in GROUPS]
    asked = {(by, str(fault)) for by, faults in lists for fault in faults}
    kept = args.results.read_text().splitlines() if args.results and args.results.exists() else []
    records = [record for record in map(json.loads, kept) if (record["by"], record["fault"]) in asked]
    done = {(record["by"], record["fault"]) for record in records}
    print(f"{len(asked):,} faults, {len(done):,} of them done", flush=True)
    for record in campaign(args.board, lists, args.images, args.stalls, done):
        records.append(record)
        if args.results:
            with args.results.open("a") as file:
                file.write(json.dumps(record) + "\n")
    return _print(records)


def _print(records: Sequence[dict[str, Any]]) -> int:
    """A table by kind; 1 if a prediction differs, or the board was ever programmed anew."""
    for kind, by in dict.fromkeys((record["kind"], record["by"]) for record in records):
        rows = [record for record in records if (record["kind"], record["by"]) == (kind, by)]
        total: Counter[str] = Counter()
        for row in rows:
            total.update({name: row[name] for name in ("images", "differ", "changed", "restarts")})
        print(f"{kind:10} {by:11} {len(rows):6,} faults: {', '.join(f'{n:,} {name}' for name, n in total.items())}")
    wrong = sum(record["differ"] for record in records)
    restarts = sum(record["restarts"] for record in records)
    seconds = sum(record["seconds"] for record in records)
    images = sum(record["images"] for record in records)
    print(
        f"{len(records):,} faults, {images:,} images: {wrong} differ, {restarts} restarts, {seconds:,.0f} CPU-seconds"
    )
    return 1 if wrong or restarts else 0


if __name__ == "__main__":
    sys.exit(main())
