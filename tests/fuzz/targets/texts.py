"""Text: fault lists, recipe files, and the command line itself."""

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
PIECES = (
    "[", "]", "=", "&", "^", "/", ".", ",", " ", "-", "*", "0", "1", "99999999999999999999", "conv0", "weight", "bit",
    "\x1b[2J", "\x00", "‮", "é", "\n", "\ufeff", "NaN", "1e9", "@", "frame[0]", "x" * 15_000, "①", "\u0661",
)  # fmt: skip
RECIPE = 'model = "tfc-w2a2"\ndata = "npz:nowhere"\noutput = "out"\nepochs = 1\nlearning-rate = 0.1\nflip = true\n'
LINES = (
    "epochs = 99999999999999999999", "epochs = nan", "learning_rate = inf", "p = nan", "[a]\nb = 1", "seed = -1",
    'method = "\\u001b[2J"', "model = 1", 'model = "x\\ny"', "epochs = 1", "images = 0x7fffffffffffffff", "a" * 20_000,
    "flip = 1", "x = " + "[" * 5000, "epochs = 1979-05-27", 'data = ["a"]', "a.b.c = 1", "halvings = 0",
    "precision = ''", '"" = 1', '"\\u0007" = 1', 'schedule = "step:1e999"', 'device = "\\u0000"', "batch_size = 1.5",
    "crop_padding = -3",
)  # fmt: skip
NUMBERS = (
    "0", "-1", "1", "nan", "inf", "-inf", "1e400", "9" * 25, "9" * 6000, "0x10", "", " ", "1.5", "\u0661", "1_000",
    "+3",
    "\x1b[2J", "2147483648", "4294967296", "9223372036854775808", "-9223372036854775809", "é", "1e-400", "1,2", "3,8,8",
)  # fmt: skip
PATHS = (
    "tiny.onnx", ".", "/", "nowhere", "", "/dev/null", "\x1b[2J", "a" * 300, "a" * 6000, "é", "plan.json", "tiny.npz",
    "/dev/full", "~", "channels.run", "-",
)  # fmt: skip
COMMANDS: tuple[tuple[str, ...], ...] = (
    ("campaign", "P:tiny.onnx", "--data", "P:npz:tiny.npz", "--images", "N:2", "--sample", "N:2", "--seed", "N:0", "-o",
     "P:a.run", "-q", "--engine", "P:reference", "--chunk", "N:2"),
    ("campaign", "P:tiny.onnx", "--data", "P:npz:tiny.npz", "--faults", "P:pe", "--folding", "N:2,2,4", "--sample",
     "N:2", "--layers", "P:conv0", "-o", "P:a.run", "-q", "--engine", "reference"),
    ("report", "P:channels.run", "--top", "N:3", "--csv", "P:a.csv", "--json", "P:a.json"),
    ("report", "P:channels.run", "--figures", "P:figures"),
    ("compare", "P:channels.run", "P:channels.run", "--names", "P:a,b"),
    ("plan", "P:channels.run", "--budget", "N:1.5x", "--cost", "P:folded", "--folding", "N:1,1,1", "--clock", "N:100",
     "--fps", "N:10", "-o", "P:p.json", "-q"),
    ("plan", "P:channels.run", "--worst-error", "N:0.5", "-o", "P:p.json", "-q"),
    ("plan", "P:channels.run", "--worst-accuracy", "N:0.2", "--part", "P:Pynq-Z1", "-o", "P:p.json", "-q"),
    ("harden", "P:tiny.onnx", "P:plan.json", "-o", "P:h.onnx"),
    ("verify", "P:plan.json", "P:channels.run"),
    ("info", "P:tiny.onnx", "--image-shape", "N:1,8,8", "--pixels", "P:auto"),
    ("faults", "P:tiny.onnx", "--kind", "P:channel", "--values", "N:0", "--sample", "N:4", "--list", "--seed", "N:1"),
    ("faults", "P:tiny.onnx", "--kind", "P:activation", "--images", "N:4", "--layers", "P:conv0", "--effects",
     "P:flip"),
    ("crosscheck", "P:tiny.onnx", "--engines", "P:reference,native", "--faults", "N:2", "--images", "N:2", "--seed",
     "N:0", "--data", "P:npz:tiny.npz", "-q"),
    ("inject", "P:tiny.onnx", "P:conv0/channel[0] = 1", "-o", "P:f.onnx"),
    ("trace", "P:tiny.onnx", "--data", "P:npz:tiny.npz", "--image", "N:0", "--fault", "P:conv0/channel[0] = 1"),
    ("export", "P:tfc_w2a2", "-o", "P:t.onnx"),
    ("models", "P:cnv_w1a1"),
    ("train", "--model", "P:tfc-w2a2", "--data", "P:demo:nothing", "-o", "P:t", "--epochs", "N:1", "--learning-rate",
     "N:0.1", "--p", "N:1", "--seed", "N:0", "--batch-size", "N:10", "--images", "N:20", "-q"),
    ("finn", "estimate", "P:tiny.onnx", "--folding", "P:stock"),
)  # fmt: skip


def _spoil_faults(rng: Rng, good: Path, folder: Path) -> list[str]:
    lines = [str(pick(rng, *FAULTS)) for _ in range(int(rng.integers(1, 6)))]
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


def _spoil_arguments(rng: Rng, good: Path, folder: Path) -> list[str]:
    for name in ("tiny.onnx", "tiny.npz", "channels.run", "plan.json"):
        (folder / name).write_bytes((good / name).read_bytes())
    command = [*COMMANDS[int(rng.integers(len(COMMANDS)))]]
    open_places = [i for i, word in enumerate(command) if word.startswith(("P:", "N:"))]
    spoilt = {open_places[int(rng.integers(len(open_places)))] for _ in range(int(rng.integers(1, 3)))}
    words = []
    for number, word in enumerate(command):
        right = word[2:] if word.startswith(("P:", "N:")) else word
        if number not in spoilt:
            words.append(right)
        elif word.startswith("N:") and rng.random() < 0.8:
            words.append(str(pick(rng, *NUMBERS)))
        elif rng.random() < 0.15:
            words.append(right + str(pick(rng, *PIECES)))
        else:
            words.append(str(pick(rng, *PATHS)))
    if rng.random() < 0.15:
        words.pop(int(rng.integers(len(words))))
    return [word.replace("\x00", "") for word in words]  # a program's arguments cannot hold it


FAULT_LISTS = Target("fault_lists", 3, json_files._prepare, _spoil_faults)
RECIPES = Target("recipes", 2, json_files._prepare, _spoil_recipe)
ARGUMENTS = Target("arguments", 5, json_files._prepare, _spoil_arguments)
