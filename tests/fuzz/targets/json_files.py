"""JSON of ours: plans, foldings, descriptions of boards; a build's state."""

from __future__ import annotations

import io
import json
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

from fat_fpga.network.network_file import write_network
from tests.board.fake import describe, small_network
from tests.fuzz.damage import damaged
from tests.fuzz.target import Rng, Target, pick
from tests.fuzz.targets import good as common
from tests.fuzz.trees import spoiled

FOLDING: dict[str, Any] = {
    "Defaults": {}, "conv0": {"PE": 2, "SIMD": 1, "ram_style": "auto"}, "conv1": {"PE": 1, "SIMD": 2},
    "fc2": {"PE": 4, "SIMD": 1, "mem_mode": "internal_decoupled"},
}  # fmt: skip
FINN: dict[str, Any] = {f"MVAU_hls_{i}": {"PE": 1, "SIMD": 1, "ram_style": "auto"} for i in range(3)}


def _prepare(good: Path) -> None:
    common.prepare(good)
    if (good / "plan.json").exists():
        return
    from fat_fpga.campaign import Run
    from fat_fpga.cli import main
    from tests.campaign.tiny import tiny_run

    tiny_run(good / "channels.run")
    run = Run.open(good / "channels.run")
    command = ["plan", str(run.path), "--tmr", "--folding", "4x1,3x1,4x1", "-o", str(good / "plan.json"), "-q"]
    with redirect_stdout(io.StringIO()):
        assert main([*command, "--model", str(good / "tiny.onnx")]) == 0
    describe(small_network()).write(good / "board.json")
    write_network(small_network(), good / "network.npz")


def _text(content: Any, rng: Rng) -> bytes:
    if rng.random() < 0.8:
        return spoiled(content, rng).encode("utf-8", "surrogatepass")
    return damaged(json.dumps(content).encode(), rng)


def _spoil(rng: Rng, good: Path, folder: Path) -> list[str]:
    what, model, run = rng.random(), str(good / "tiny.onnx"), str(good / "channels.run")
    if what < 0.4:
        (folder / "plan.json").write_bytes(_text(json.loads((good / "plan.json").read_text()), rng))
        if rng.random() < 0.5:
            return ["harden", model, "plan.json", "-o", "hardened.onnx"]
        return ["verify", "plan.json", run]
    if what < 0.65:
        (folder / "folding.json").write_bytes(_text(FINN if rng.random() < 0.3 else FOLDING, rng))
        if rng.random() < 0.5:
            return ["faults", model, "--faults", "pe", "--folding", "folding.json"]
        cost = str(pick(rng, "folded", "macs", "finn"))
        return ["plan", run, "--budget", "1.5x", "--cost", cost, "--folding", "folding.json", "-o", "p.json", "-q"]
    (folder / "board.json").write_bytes(_text(json.loads((good / "board.json").read_text()), rng))
    (folder / "network.npz").write_bytes((good / "network.npz").read_bytes())
    return ["trace", "network.npz", "--data", "demo:mnist", "--image", "0", "--engine", "board:."]


TARGET = Target("json", 6, _prepare, _spoil)
