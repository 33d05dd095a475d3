"""Text: fault lists and recipe files."""

from __future__ import annotations

from pathlib import Path

from tests.fuzz.damage import damaged
from tests.fuzz.target import Rng, Target, pick
from tests.fuzz.targets import json_files
from tests.fuzz.targets.good import campaign

FAULTS = (
    "conv0/channel[0] = 1", "conv0/channel[3] = -1", "conv1/pixel[0,0] = 1", "fc2/weight[0,0,0,0].bit[0] ^ 1",
    "conv0/channel[0] = 1 & conv1/channel[1] = -1", "conv0/threshold[1,0].bit[2] = 1", "conv0/element[0,1,1] = 1",
    "# a comment", "",
)  # fmt: skip
PATTERNS = (
    "*/weight[*].bit[*] ^ 1 ~ 1e-2 @ sample[0]", "conv0+conv1/weight+threshold[*].bit[1] = 1 ~ 0.5 @ sample[17]",
    "*/activation[*].bit[*] ^ 1 ~ 0.01 @ sample[3]", "fc2/weight[*] = uniform ~ 0.1 @ sample[4]",
    "conv1/threshold[*].bit[*] = masked ~ 0.1 @ sample[5]", "conv0/accumulator[*] = uniform ~ 0.1 @ sample[6]",
    "conv1/weight[*].bit[*] ^ 1 burst[3] with secded[64] interleave[4] detected[keep] ~ 0.01 @ sample[7]",
    "fc2/weight[*].bit[*] = 0 with parity[8] detected[reload] ~ 0.2 @ sample[8]",
    "*/channel+pixel[*] = 1 ~ 0.1 @ sample[9]", "input/activation[*].bit[*] ^ 1 ~ 1 @ sample[0]",
)  # fmt: skip
PIECES = (
    "[", "]", "=", "&", "^", "/", ".", ",", " ", "-", "*", "0", "1", "99999999999999999999", "conv0", "weight", "bit",
    "\x1b[2J", "\x00", "‮", "é", "\n", "\ufeff", "NaN", "1e9", "@", "frame[0]", "x" * 15_000, "①", "\u0661",
    "~", "~ 1e-400", "1e400", "sample[-1]", "sample[9999999999999999999]", "burst[0]", "burst[99999999999]", "with ",
    "secded[1]", "secded[99999999999]", "parity[0]", "interleave[0]", "interleave[99999999999]", "detected[erase]",
    "uniform", "masked", "+",
)  # fmt: skip
RECIPE = 'model = "tfc-w2a2"\ndata = "npz:nowhere"\noutput = "out"\nepochs = 1\nlearning-rate = 0.1\nflip = true\n'
LINES = (
    "epochs = 99999999999999999999", "epochs = nan", "learning_rate = inf", "p = nan", "[a]\nb = 1", "seed = -1",
    'method = "\\u001b[2J"', "model = 1", 'model = "x\\ny"', "epochs = 1", "images = 0x7fffffffffffffff", "a" * 20_000,
    "flip = 1", "x = " + "[" * 5000, "epochs = 1979-05-27", 'data = ["a"]', "a.b.c = 1", "halvings = 0",
    "precision = ''", '"" = 1', '"\\u0007" = 1', 'schedule = "step:1e999"', 'device = "\\u0000"', "batch_size = 1.5",
    "crop_padding = -3",
)  # fmt: skip


def _spoil_faults(rng: Rng, good: Path, folder: Path) -> list[str]:
    of = PATTERNS if rng.random() < 0.4 else FAULTS if rng.random() < 0.9 else FAULTS + PATTERNS
    lines = [str(pick(rng, *of)) for _ in range(int(rng.integers(1, 6)))]
    for _ in range(int(rng.integers(1, 4))):
        number = int(rng.integers(len(lines)))
        line, at = lines[number], int(rng.integers(len(lines[number]) + 1))
        lines[number] = line[:at] + str(pick(rng, *PIECES)) + line[at + int(rng.integers(3)) :]
    text = "\n".join(lines).encode()
    if rng.random() < 0.1:
        text = str(pick(rng, "conv0/channel[0] = 1\n" * 20_000, " & ".join(FAULTS[:4] * 3000), "(" * 90_000)).encode()
    (folder / "faults.txt").write_bytes(damaged(text, rng) if rng.random() < 0.25 else text)
    command = campaign(rng, good / "tiny.onnx", f"npz:{good / 'tiny.npz'}")
    at = command.index("--sample")
    return [*command[:at], "--fault-list", "faults.txt", *command[at + 2 :]]


def _spoil_recipe(rng: Rng, good: Path, folder: Path) -> list[str]:
    lines = RECIPE.splitlines()
    for _ in range(int(rng.integers(1, 3))):
        lines.insert(int(rng.integers(len(lines))), str(pick(rng, *LINES)))
    text = "\n".join(lines).encode()
    (folder / "recipe.toml").write_bytes(damaged(text, rng) if rng.random() < 0.5 else text)
    return ["train", "--recipe", "recipe.toml", "--data", "npz:nowhere.npz", "-o", "out", "-q"]


FAULT_LISTS = Target("fault_lists", 3, json_files._prepare, _spoil_faults)
RECIPES = Target("recipes", 2, json_files._prepare, _spoil_recipe)
