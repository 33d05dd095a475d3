"""Train TiGRU on spoken digits, and bundle it.

python -m fat_fpga.training.tigru --data fsdd:DIR -o DIR [--hidden 200] [--units 200] [--epochs 40] [--bundle]

Adam, cross-entropy, half a cosine; words are shifted in time at random. The folder gets ``tigru.pt``, a state dict for
``--weights-file``, and ``tigru.json``, the model card. Nothing is chosen by the test part: the last epoch counts.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from fat_fpga.datasets import Dataset, load
from fat_fpga.files import make_folder, replacing
from fat_fpga.models.tigru import FILE, TiGRU, store, trained
from fat_fpga.training.augment import epoch_generator
from fat_fpga.training.notes import run_notes
from fat_fpga.training.tool import run_tool


@dataclass(frozen=True)
class Settings:
    """What, with the data, decides the result.

    Attributes:
        hidden, units: of `TiGRU`.
        shift: a word begins up to so many steps later, drawn anew in every epoch.
    """

    hidden: int = 200
    units: int = 200
    epochs: int = 40
    seed: int = 0
    learning_rate: float = 0.002
    weight_decay: float = 0.01
    batch_size: int = 50
    dropout: float = 0.5
    shift: int = 10


def train_tigru(data: Dataset, settings: Settings, tell: Any = print) -> TiGRU:
    """The network after the last epoch, in evaluation mode; the same for the same arguments and threads on a CPU.

    Args:
        data: rows float32 [N, 39, 254].
        tell: called with a line after each epoch.
    """
    torch.manual_seed(settings.seed)
    model = TiGRU(settings.hidden, settings.units, len(data.classes), settings.dropout)
    rows, labels = torch.from_numpy(np.asarray(data.images, np.float32)), torch.from_numpy(data.labels)
    optimiser = torch.optim.AdamW(model.parameters(), settings.learning_rate, weight_decay=settings.weight_decay)
    steps = -(-len(rows) // settings.batch_size)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, settings.learning_rate, settings.epochs * steps)
    for epoch in range(settings.epochs):
        draw, total = epoch_generator(settings.seed, epoch), 0.0
        torch.manual_seed(epoch_generator(settings.seed, epoch, 1).initial_seed())
        model.train()
        for chosen in torch.randperm(len(rows), generator=draw).split(settings.batch_size):
            loss = nn.functional.cross_entropy(model(shifted(rows[chosen], settings.shift, draw)), labels[chosen])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            total += float(loss.detach()) * len(chosen)
        tell(f"epoch {epoch + 1}/{settings.epochs}  loss {total / len(rows):.4f}")
    return model.eval()


def shifted(rows: Tensor, most: int, draw: torch.Generator) -> Tensor:
    """Rows [N, 39, 254] that begin 0 to ``most`` steps later, with zeros in front."""
    later = torch.randint(0, most + 1, (len(rows),), generator=draw)
    step = torch.arange(rows.shape[2]) - later[:, None]
    moved = rows.gather(2, step.clamp(0)[:, None].expand_as(rows))
    return moved * (step >= 0)[:, None]


def correct_of(model: nn.Module, data: Dataset) -> int:
    """How many rows are classified correctly in float32."""
    with torch.no_grad():
        given = torch.cat([model(torch.from_numpy(part)) for part in np.array_split(data.images, -(-len(data) // 100))])
    return int((given.argmax(dim=1).numpy() == data.labels).sum())


def train_and_write(args: argparse.Namespace) -> str:
    """Train unless that is done, write weights and card, bundle if asked; a line that says how good it is."""
    settings = Settings(args.hidden, args.units, args.epochs, args.seed)
    train, test = load(args.data, "train"), load(args.data, "test")
    folder = make_folder(args.output)
    weights, file = folder / "tigru.pt", folder / "tigru.json"
    model = TiGRU(settings.hidden, settings.units, len(train.classes))
    card = json.loads(file.read_text()) if file.exists() else {}
    asked = {"recipe": asdict(settings), "train_data_sha256": train.fingerprint, "test_data_sha256": test.fingerprint}
    if not asked.items() <= card.items():
        started = time.monotonic()
        model = train_tigru(train, settings)
        with replacing(weights) as temporary:
            torch.save(model.state_dict(), temporary)
        card = card_of(model, settings, train, test) | {"training_seconds": round(time.monotonic() - started)}
        _write(file, card)
    if args.bundle:
        model.load_state_dict(torch.load(weights, weights_only=True))
        store(model)
        card |= {"stored_as": "float16"} | result(trained(), test)
        _write(FILE.with_suffix(".json"), card)
    error = 100 - 100 * card["test_accuracy"]
    return f"tigru: {card['test_correct']} of {len(test)} test recordings correct, error {error:.2f} %"


def card_of(model: TiGRU, settings: Settings, train: Dataset, test: Dataset) -> dict[str, Any]:
    """The model card: by which training the network was made, and what it reaches."""
    return {
        "name": "tigru",
        "model": f"TiGRU({settings.hidden}, {settings.units})",
        "factory": "module:fat_fpga.models.tigru:trained",
        "method": "sat",
        "data": train.name.split(":")[0],
        "train_data_sha256": train.fingerprint,
        "test_data_sha256": test.fingerprint,
        "epochs": settings.epochs,
        "seed": settings.seed,
        "recipe": asdict(settings),
        "checkpoint": "last epoch",
        "weights": sum(part.numel() for part in model.parameters()),
        "stored_as": "float32",
        **result(model, test),
        **run_notes(),
        "device": "cpu",
    }


def result(model: nn.Module, test: Dataset) -> dict[str, Any]:
    """The accuracy on the test part, for a model card."""
    correct = correct_of(model, test)
    return {"test_images": len(test), "test_correct": correct, "test_accuracy": correct / len(test)}


def _write(path: Path, card: dict[str, Any]) -> None:
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(card, indent=2) + "\n")


def main(arguments: list[str] | None = None) -> int:
    """Command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m fat_fpga.training.tigru", description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, help="fsdd:DIR or tidigits:DIR; both parts are used")
    parser.add_argument("-o", "--output", required=True, help="the folder for weights and model card")
    for name, value in (("hidden", 200), ("units", 200), ("epochs", 40), ("seed", 0)):
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--bundle", action="store_true", help="make it the network that comes with the package")
    args = parser.parse_args(arguments)
    return run_tool(lambda: train_and_write(args))


if __name__ == "__main__":
    sys.exit(main())
