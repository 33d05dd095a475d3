"""What the pages take as given, made small: data folders, networks, runs, tables and modules of the reader's own.

Each is made once, when a page asks for it first, and copied into the folder in which the page's commands are executed.
"""

from __future__ import annotations

import re
import shutil
import wave
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from fat_fpga.cli.main import main
from fat_fpga.datasets import load

from .commands import ROOT, blocks

IMAGES = 40
"""So many images each part of a data folder has."""


def files_of_cifar10(folder: Path) -> None:
    """The bundled images as CIFAR-10's binary version: five batches of training, one of test."""
    data = load("demo:cifar10", limit=6 * IMAGES)
    rows = np.concatenate([data.labels[:, None].astype(np.uint8), data.images.reshape(len(data), -1)], axis=1)
    for number in range(6):
        name = "test_batch" if number == 0 else f"data_batch_{number}"
        (folder / f"{name}.bin").write_bytes(rows[number * IMAGES :][:IMAGES].tobytes())


def files_of_mnist(folder: Path) -> None:
    """The bundled digits as MNIST's IDX files; training and test are the same images."""
    data = load("demo:mnist", limit=2 * IMAGES)
    for part in ("train", "t10k"):
        images = np.array([0x803, len(data), 28, 28], ">i4").tobytes() + data.images.tobytes()
        labels = np.array([0x801, len(data)], ">i4").tobytes() + data.labels.astype(np.uint8).tobytes()
        (folder / f"{part}-images-idx3-ubyte").write_bytes(images)
        (folder / f"{part}-labels-idx1-ubyte").write_bytes(labels)


def data(folder: Path) -> None:
    """One folder with CIFAR-10 and MNIST, which is what ``cifar10:data`` and ``mnist:data`` name."""
    (folder / "data").mkdir()
    files_of_cifar10(folder / "data")
    files_of_mnist(folder / "data")


def recordings(folder: Path) -> None:
    """Noise in the form of the Free Spoken Digit Dataset: ``DIGIT_SPEAKER_NUMBER.wav``, 8,000 samples a second."""
    (folder / "DIR" / "recordings").mkdir(parents=True)
    random = np.random.default_rng(0)
    for digit in range(10):
        for take in range(6):
            with wave.open(str(folder / "DIR" / "recordings" / f"{digit}_jackson_{take}.wav"), "wb") as file:
                file.setnchannels(1)
                file.setsampwidth(2)
                file.setframerate(8000)
                file.writeframes(random.integers(-999, 1000, 3000).astype("<i2").tobytes())


NETS = """
from collections import OrderedDict

import torch
from torch import nn

def Net():
    return nn.Sequential(
        nn.Conv2d(3, 4, 5, stride=2), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(196, 10)
    )

def lenet():
    return nn.Sequential(OrderedDict(
        conv0=nn.Conv2d(1, 2, 5, stride=3), act0=nn.ReLU(), conv1=nn.Conv2d(2, 3, 3, stride=2), act1=nn.ReLU(),
        flatten=nn.Flatten(), fc2=nn.Linear(27, 10),
    ))
"""


def modules(folder: Path) -> None:
    """The reader's own modules and their weights, and one of them as an ONNX file of floats."""
    import torch

    for name in ("mynet", "my_nets"):
        (folder / f"{name}.py").write_text(NETS)
    scope: dict[str, Callable[[], torch.nn.Module]] = {}
    exec(NETS, scope)
    torch.manual_seed(0)
    for name, factory in (("net", scope["Net"]), ("lenet", scope["lenet"])):
        torch.save(factory().state_dict(), folder / f"{name}.pt")


def lenet_onnx(folder: Path) -> None:
    """A bundled network of fixed point has the layers that the page's file of floats has."""
    command("train --model lenet-cnn --data mnist:data@fit --epochs 1 --images 40 -o lenet_cnn -q")(folder)
    command("export lenet_cnn/last.pt -o lenet.onnx")(folder)


def block_of(page: str, language: str, name: str) -> Callable[[Path], None]:
    """A file that a page shows in its first block of a language; a sample in it is made small."""

    def make(folder: Path) -> None:
        own = [block for block in blocks(ROOT / "docs" / page) if block.language == language]
        text = own[0].text.replace("sample = 10000", "sample = 24").replace("fail_under = 60", "fail_under = 0")
        (folder / name).write_text(text)

    return make


def fill_in(path: Path) -> None:
    """Give every rate of a template a number, as its reader does."""
    path.write_text(re.sub(r'^(\w+_fit_per_mbit) = "\?"', r"\1 = 10.0", path.read_text(), flags=re.MULTILINE))


def fit(folder: Path) -> None:
    """The template with every rate filled in."""
    command("safety --template fit.toml")(folder)
    fill_in(folder / "fit.toml")


def energies(folder: Path) -> None:
    """A memory whose probability of an error falls with its energy."""
    shares = np.linspace(0.3, 1, 8)
    rows = [f"{share:.2f},{np.exp(-12.8 * share):.3e}" for share in shares]
    (folder / "sram.csv").write_text("energy,probability\n" + "\n".join(rows) + "\n")


def bright(folder: Path) -> None:
    """The network of the example of training, and its images."""
    (example,) = (b for b in blocks(ROOT / "docs" / "fat.md") if b.language == "python" and "bright.onnx" in b.text)
    exec(compile(example.text.replace("range(5)", "range(1)"), example.page, "exec"), {"__name__": "example"})


def command(line: str) -> Callable[[Path], None]:
    """A file that a command writes; the working folder is where it is made."""

    def make(folder: Path) -> None:
        assert main(line.split()) == 0, line

    return make


def campaign(network: str, name: str, *options: str) -> Callable[[Path], None]:
    return command(" ".join(["campaign", network, "--data cifar10:data --images 4 -q -o", name, *options]))


GIVEN: Mapping[str, tuple[Callable[[Path], None], tuple[str, ...]]] = {
    "data": (data, ()),
    "DIR": (recordings, ()),
    "mynet.py": (modules, ()), "my_nets.py": (modules, ()), "net.pt": (modules, ()), "lenet.pt": (modules, ()),
    "lenet.onnx": (lenet_onnx, ("data",)),
    "lenet/last.pt": (
        command("train --model lenet-fc --data mnist:data@fit --epochs 1 --images 24 -q -o lenet"), ("data",)
    ),
    "trained/last.pt": (
        command("train --model lenet-fc --data mnist:data@fit --epochs 1 --images 24 -q -o trained"), ("data",)
    ),
    "q.toml": (block_of("fixed_point.md", "toml", "q.toml"), ()),
    "experiment.toml": (block_of("experiments.md", "toml", "experiment.toml"), ("cnv.onnx", "fit.toml", "data")),
    "fit.toml": (fit, ()),
    "sram.csv": (energies, ()),
    "bright.onnx": (bright, ()), "bright.npz": (bright, ()),
    "cnv.onnx": (command("export cnv_w1a1 -o cnv.onnx"), ()),
    "sat.onnx": (command("export cnv_w1a1 -o sat.onnx"), ()),
    "fat.onnx": (command("export cnv_w1a1_fat2 -o fat.onnx"), ()),
    "cnv.run": (campaign("cnv_w1a1", "cnv.run"), ("data",)),
    "sat.run": (campaign("cnv_w1a1", "sat.run"), ("data",)),
    "fat.run": (campaign("cnv_w1a1_fat2", "fat.run"), ("data",)),
    "drop.run": (campaign("cnv_w1a1_dropout2d", "drop.run"), ("data",)),
    "cnv_w1a1_fat2.run": (campaign("cnv_w1a1_fat2", "cnv_w1a1_fat2.run"), ("data",)),
    "cnv_w2a2_fat2.run": (campaign("cnv_w2a2_fat2", "cnv_w2a2_fat2.run"), ("data",)),
    "cnv_w1a1_dropout2d.run": (campaign("cnv_w1a1_dropout2d", "cnv_w1a1_dropout2d.run"), ("data",)),
    "weights.run": (campaign("cnv_w1a1", "weights.run", "--faults weight --sample 40"), ("data",)),
    "thresholds.run": (campaign("cnv_w1a1", "thresholds.run", "--faults threshold --sample 40"), ("data",)),
    "plan.json": (command("plan cnv.run --worst-error 70 -o plan.json"), ("cnv.run",)),
    "resnet8.onnx": (command("export resnet8_w4a4 -o resnet8.onnx"), ()),
    "resnet8.run": (campaign("resnet8.onnx", "resnet8.run"), ("resnet8.onnx", "data")),
}  # fmt: skip
"""How each file is made, and what has to be there for it."""


def provide(name: str, here: Path, store: Path) -> None:
    """Copy a given file or folder into a working folder; it is made where it has not been made yet."""
    make, needed = GIVEN[name]
    top = name.split("/")[0]
    for other in needed:
        provide(other, here, store)
    if (here / name).exists():
        return
    if not (store / name).exists():
        make(here)
        source, target = here / top, store / top
    else:
        source, target = store / top, here / top
    if source.is_dir():
        shutil.copytree(source, target, dirs_exist_ok=True)
    else:
        shutil.copy(source, target)
