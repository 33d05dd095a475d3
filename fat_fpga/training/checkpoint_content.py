"""What a checkpoint of ours holds, checked before any of it is used: checkpoints of other programs are told apart."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from fat_fpga import models
from fat_fpga.errors import TrainingError
from fat_fpga.training.steps import portable_state

METRICS = ("epoch", "learning_rate", "loss", "train_accuracy", "test_accuracy", "seconds")
PARTS: dict[str, type] = {"identity": dict, "model": dict, "optimiser": dict, "history": list, "notes": dict}
"""The parts, and their types; ``notes`` may be missing."""
MOST_CLASSES = 100_000
AVERAGES: dict[type, tuple[str, str]] = {
    torch.optim.Adam: ("exp_avg", "exp_avg_sq"),
    torch.optim.Adadelta: ("square_avg", "acc_delta"),
}
"""What an optimiser keeps of each parameter, beside the number of steps."""


def check_content(content: Any, path: Path) -> None:
    """TrainingError unless ``content``, read from ``path``, is what `Checkpoint.write` writes."""
    missing = [key for key in PARTS if key != "notes" and key not in content] if isinstance(content, dict) else [*PARTS]
    if missing:
        found = ", ".join(map(str, list(content)[:8])) or "nothing" if isinstance(content, Mapping) else _shown(content)
        raise TrainingError(
            f"{path}: no checkpoint of fat-fpga train, it has no {', '.join(missing)}; found {found}. Weights of "
            "another program are loaded in PyTorch: fat_fpga.models.export.export_qonnx writes the model"
        )
    for key, value in content.items():
        if not isinstance(value, PARTS.get(key, ())):
            raise TrainingError(f"{path}: {key} of the checkpoint must be {_kind(PARTS.get(key))}, got {_shown(value)}")
    _check_identity(content["identity"], path)
    for number, epoch in enumerate(content["history"]):
        numbers = isinstance(epoch, dict) and all(isinstance(epoch.get(key), int | float) for key in METRICS)
        if not numbers or not all(isinstance(key, str) for key in epoch):
            raise TrainingError(f"{path}: history[{number}] must have numbers under {', '.join(METRICS)}")
    for name, value in content["model"].items():
        if not isinstance(name, str) or not isinstance(value, torch.Tensor):
            raise TrainingError(f"{path}: model['{name}'] must be a tensor, got {_shown(value)}")


def _check_identity(identity: dict[str, Any], path: Path) -> None:
    if not _named(identity):
        raise TrainingError(f"{path}: identity: its entries must have names")
    name, classes = identity.get("model"), identity.get("classes")
    if not isinstance(name, str) or not models.is_name(name):
        raise TrainingError(f"{path}: identity: model must be one of {models.known()}, got {_shown(name)}")
    if not isinstance(classes, int) or isinstance(classes, bool) or not 2 <= classes <= MOST_CLASSES:
        raise TrainingError(f"{path}: identity: classes must be from 2 to {MOST_CLASSES:,}, got {_shown(classes)}")


def _named(value: Any) -> bool:
    """Whether the keys of a dictionary, and of those in it, are text."""
    return not isinstance(value, dict) or all(isinstance(key, str) and _named(inner) for key, inner in value.items())


def check_state(found: Mapping[str, Any], wanted: Mapping[str, Any], where: str) -> None:
    """TrainingError unless both have the same tensors: names, shapes, element types."""
    for name in wanted:
        if name not in found:
            raise TrainingError(f"{where}: the tensor '{name}' is missing: it is the state of another network")
    for name, tensor in found.items():
        if name not in wanted:
            raise TrainingError(f"{where}: the tensor '{name}' is unknown: it is the state of another network")
        other = wanted[name]
        if (tensor.shape, tensor.dtype) != (other.shape, other.dtype):
            raise TrainingError(f"{where}: '{name}' must be {_shown(other)}, got {_shown(tensor)}")


def check_optimiser(found: Mapping[str, Any], optimiser: torch.optim.Optimizer, where: str) -> None:
    """TrainingError unless ``found`` is the state of such an optimiser, over parameters of these shapes."""
    wanted = portable_state(optimiser)["param_groups"]
    groups, state = found.get("param_groups"), found.get("state")
    if not isinstance(groups, list) or not isinstance(state, dict) or len(groups) != len(wanted):
        raise TrainingError(f"{where}: expected its state, and {len(wanted)} groups of parameters")
    parameters = [parameter for group in optimiser.param_groups for parameter in group["params"]]
    averages = AVERAGES[type(optimiser)]
    for group, other in zip(groups, wanted, strict=True):
        for key, value in other.items():
            if not isinstance(group, dict) or key not in group or not _alike(group[key], value):
                got = _shown(group[key]) if isinstance(group, dict) and key in group else "nothing"
                raise TrainingError(f"{where}: {key} must be {_shown(value)}, got {got}")
    if not set(state) <= set(range(len(parameters))):
        raise TrainingError(f"{where}: expected the state of {len(parameters)} parameters, got others")
    for number, parameter in enumerate(parameters):
        entry = state.get(number)
        if not isinstance(entry, dict) or {*entry} != {"step", *averages}:
            raise TrainingError(f"{where}: state of parameter {number} must have step, {' and '.join(averages)}")
        for key, value in entry.items():
            shape = torch.Size() if key == "step" else parameter.shape
            if not isinstance(value, torch.Tensor) or value.shape != shape or value.dtype != torch.float32:
                raise TrainingError(
                    f"{where}: {key} of parameter {number} must be float32 {list(shape)}, got {_shown(value)}"
                )


def _alike(value: Any, other: Any) -> bool:
    """Whether a setting is of the type of another; parameters, which are numbered, must be equal."""
    if isinstance(other, list):
        return bool(value == other)
    if isinstance(other, float | int) and not isinstance(other, bool):
        return isinstance(value, float | int) and not isinstance(value, bool)
    return type(value) is type(other) and (
        not isinstance(other, tuple) or list(map(type, value)) == list(map(type, other))
    )


def _kind(kind: type | None) -> str:
    if kind is None:
        return "absent"
    return "a dictionary" if kind is dict else "a list"


def _shown(value: Any) -> str:
    if isinstance(value, torch.Tensor):
        return f"a tensor {str(value.dtype).removeprefix('torch.')} {list(value.shape)}"
    if isinstance(value, Mapping | list | tuple | set):
        return f"a {type(value).__name__} of {len(value)}"
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}..."
