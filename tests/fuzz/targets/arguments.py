"""The command line itself: numbers, paths and names that nobody can mean."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.fuzz.target import Rng, Target, pick
from tests.fuzz.targets import json_files
from tests.fuzz.targets.texts import PIECES

NUMBERS = (
    "0", "-1", "1", "nan", "inf", "-inf", "1e400", "9" * 25, "9" * 6000, "0x10", "", " ", "1.5", "\u0661", "1_000",
    "+3",
    "\x1b[2J", "2147483648", "4294967296", "9223372036854775808", "-9223372036854775809", "é", "1e-400", "1,2", "3,8,8",
)  # fmt: skip
PATHS = (
    "tiny.onnx", ".", "nowhere", "", "/dev/null", "\x1b[2J", "a" * 300, "a" * 6000, "é", "plan.json", "tiny.npz",
    "/dev/full", "~", "channels.run", "-", "/proc",
)  # fmt: skip
RECIPE = ("--epochs", "N:1", "--batch-size", "N:10", "--halvings", "N:1", "--images", "N:20", "--crop-padding", "N:0")
COMMANDS: tuple[tuple[str, ...], ...] = (
    ("check", "P:tiny.onnx", "--data", "P:npz:tiny.npz", "--images", "N:2", "--expect-accuracy", "N:0", "--folding",
     "N:2,2,4", "--json", "P:c.json", "--threads", "N:1"),
    ("campaign", "P:tiny.onnx", "--data", "P:npz:tiny.npz", "--images", "N:2", "--sample", "N:2", "--seed", "N:0", "-o",
     "P:a.run", "-q", "--engine", "P:reference", "--chunk", "N:2"),
    ("campaign", "P:tiny.onnx", "--data", "P:npz:tiny.npz@test[0:2]", "--faults", "P:pe", "--folding", "N:2,2,4",
     "--sample", "N:2", "--layers", "P:conv0", "-o", "P:a.run", "-q", "--engine", "reference", "--expect-accuracy",
     "N:0"),
    ("campaign", "P:tiny.onnx", "--data", "P:npz:tiny.npz", "--faults", "P:channel,weight", "--stratify", "P:kind",
     "--sample", "N:9", "--per-stratum", "N:2", "-o", "P:a.run", "-q", "--threads", "N:1"),
    ("sweep", "P:tiny.onnx", "--data", "P:npz:tiny.npz", "--images", "N:2", "--faults", "P:weight,activation",
     "--rates", "N:1e-3:1e-1:1", "--samples", "N:2", "--scope", "P:structure", "--errors", "P:flip", "--layers",
     "P:conv0,conv1", "--seed", "N:0", "--threads", "N:1", "--chunk", "N:4", "-o", "P:s.run", "-q"),
    ("sweep", "P:tiny.onnx", "--data", "P:npz:tiny.npz", "--images", "N:2", "--rates", "N:0.01,0.1", "--samples",
     "N:12", "--until-interval", "N:50", "--burst", "N:2", "--protect", "P:secded:8", "--interleave", "N:2",
     "--on-detect", "P:keep", "--engine", "P:reference", "-o", "P:s.run", "-q"),
    ("sweep", "P:tiny.onnx", "--data", "P:npz:tiny.npz", "--images", "N:2", "--samples", "N:2", "--protect", "P:parity",
     "--scrub", "N:1,24", "--upset-rate", "N:1e-3", "--expect-accuracy", "N:0", "-o", "P:s.run", "-q"),
    ("sweep", "P:tiny.onnx", "--data", "P:npz:tiny.npz", "--images", "N:2", "--rates", "N:0.1", "--samples", "N:2",
     "--outcomes", "--detectors", "P:range", "--keep-predictions", "--errors", "P:uniform", "-o", "P:s.run", "-q"),
    ("quantise", "P:floats.onnx", "--weights", "N:Q2.6", "--activations", "N:Q5.3", "--layer", "P:input=:Q1.8", "-q",
     "-o", "P:q.onnx"),
    ("quantise", "P:floats.onnx", "--minimal", "--until-loss", "N:50", "--data", "P:npz:tiny.npz@[0:20]",
     "--images", "N:4", "-q", "-o", "P:q.onnx"),
    ("report", "P:channels.run", "--top", "N:3", "--csv", "P:a.csv", "--json", "P:a.json", "--parquet", "P:a.parquet"),
    ("report", "P:channels.run", "--figures", "P:figures", "--format", "P:svg"),
    ("compare", "P:channels.run", "P:channels.run", "--names", "P:a,b", "--csv", "P:c.csv"),
    ("plan", "P:channels.run", "--budget", "N:1.5x", "--cost", "P:folded", "--folding", "N:1,1,1", "-o", "P:p.json",
     "-q", "--model", "P:tiny.onnx"),
    ("plan", "P:channels.run", "--worst-error", "N:100", "--part", "P:Pynq-Z1", "--clock", "N:100", "--fps", "N:10",
     "--folding", "N:4x1,3x1,4x1", "-o", "P:p.json", "-q", "--model", "P:tiny.onnx"),
    ("plan", "P:channels.run", "--worst-accuracy", "N:0.2", "-o", "P:p.json", "-q"),
    ("plan", "P:channels.run", "--front", "--json", "P:f.json", "--names", "P:a"),
    ("harden", "P:tiny.onnx", "P:plan.json", "-o", "P:h.onnx", "--save-folding", "P:h.json"),
    ("verify", "P:plan.json", "P:channels.run"),
    ("info", "P:tiny.onnx", "--image-shape", "N:1,8,8", "--pixels", "P:auto"),
    ("faults", "P:tiny.onnx", "--faults", "P:channel", "--values", "N:-1", "--sample", "N:4", "--list", "--seed",
     "N:1"),
    ("faults", "P:tiny.onnx", "--faults", "P:activation", "--images", "N:4", "--layers", "P:conv0", "--effects",
     "P:flip"),
    ("crosscheck", "P:tiny.onnx", "--engines", "P:reference,native", "--sample", "N:2", "--images", "N:2", "--seed",
     "N:0", "--data", "P:npz:tiny.npz", "--threads", "N:1", "-q"),
    ("inject", "P:tiny.onnx", "P:conv0/channel[0] = 1", "-o", "P:f.onnx"),
    ("trace", "P:tiny.onnx", "--data", "P:npz:tiny.npz", "--image", "N:0", "--fault", "P:conv0/channel[0] = 1",
     "--json", "P:t.json", "--engine", "P:native"),
    ("export", "P:tfc_w2a2", "-o", "P:t.onnx"),
    ("models", "P:cnv_w1a1"),
    ("demo", "--images", "N:2", "--threads", "N:1", "-o", "plan.json"),
    ("train", "--model", "P:tfc-w2a2", "--data", "P:demo:mnist", "-o", "P:t", "--p", "N:1", "--method", "P:fat2",
     "--learning-rate", "N:0.1", "--seed", "N:0", "-q", *RECIPE),
    ("finn", "estimate", "P:tiny.onnx", "--folding", "P:4x1,3x1,4x1", "--part", "P:Pynq-Z1"),
)  # fmt: skip
REFUSED = frozenset({"demo", "finn", "verify"})
"""Refused even as they stand: a demo would take long, FINN is not installed, the run is not of the hardened network."""


def arrange(good: Path, folder: Path) -> None:
    """Copy what `COMMANDS` read."""
    for name in ("tiny.onnx", "floats.onnx", "tiny.npz", "channels.run", "plan.json"):
        shutil.copyfile(good / name, folder / name)


def right(word: str) -> str:
    return word[2:] if word.startswith(("P:", "N:")) else word


def _spoil(rng: Rng, good: Path, folder: Path) -> list[str]:
    arrange(good, folder)
    command = [*COMMANDS[int(rng.integers(len(COMMANDS)))]]
    open_places = [i for i, word in enumerate(command) if word.startswith(("P:", "N:"))]
    spoilt = {open_places[int(rng.integers(len(open_places)))] for _ in range(int(rng.integers(1, 3)))}
    words = []
    for number, word in enumerate(command):
        meant = right(word)
        if number not in spoilt:
            words.append(meant)
        elif word.startswith("N:") and rng.random() < 0.8:
            words.append(str(pick(rng, *NUMBERS)))
        elif rng.random() < 0.15:
            words.append(meant + str(pick(rng, *PIECES)))
        else:
            words.append(str(pick(rng, *PATHS)))
    if rng.random() < 0.15:
        words.pop(int(rng.integers(len(words))))
    return [word.replace("\x00", "") for word in words]  # a program's arguments cannot hold it


TARGET = Target("arguments", 5, json_files._prepare, _spoil)
