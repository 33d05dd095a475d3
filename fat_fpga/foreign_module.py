"""Modules by name: ``module:PACKAGE:FACTORY``, with weights from a file that is read without executing it."""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fat_fpga.arguments import checked
from fat_fpga.errors import ModelError
from fat_fpga.extras import advice
from fat_fpga.one_line import one_line

if TYPE_CHECKING:
    from torch import nn

PREFIX = "module:"
_INNER = ("state_dict", "model_state_dict", "model", "net", "weights")
"""Under which names checkpoints keep their weights."""


def is_module(text: str) -> bool:
    """Whether a MODEL argument names a PyTorch module."""
    return text.startswith(PREFIX)


@checked
def load_module(text: str, weights: str | os.PathLike[str] | None = None) -> nn.Module:
    """The module that ``module:PACKAGE:FACTORY`` makes, in evaluation mode.

    Args:
        text: FACTORY is a class or a function of the Python module PACKAGE, called without arguments. PACKAGE is looked
            for in the current folder, too. What is in it is executed.
        weights: a file of ``torch.save``: a state dict, or a checkpoint with one in it. It is read with
            ``weights_only``, so nothing in it is executed. Where ``fat-fpga clip`` has written it, the activations get
            their bounds, too.

    Raises:
        ModelError: there is no such package or factory, it makes no module, or the weights do not fit it.
    """
    try:
        import torch
        from torch import nn
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        raise ModelError(f"{text} needs PyTorch: {advice('train')}") from error
    package, _, factory = text.removeprefix(PREFIX).partition(":")
    if not text.startswith(PREFIX) or not package or not factory:
        raise ModelError(f"expected module:PACKAGE:FACTORY, as module:torchvision.models:resnet18, got '{text}'")
    made = _factory(text, package, factory)
    if not isinstance(made, nn.Module):
        raise ModelError(f"{text}: {factory} makes a {type(made).__name__}, and no torch.nn.Module")
    made.eval()
    if weights is None:
        return made
    path = Path(weights)
    if not path.is_file():
        raise ModelError(f"{path}: there is no such file of weights")
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise ModelError(
            f"{path} is no file of weights that can be read safely (torch.save of a state dict): "
            f"{type(error).__name__}: {one_line(str(error))[:160]}"
        ) from error
    try:
        made.load_state_dict(_state(path, content))
    except RuntimeError as error:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        raise ModelError(f"{path} does not fit {text}: {one_line(' '.join(lines[1:3] or lines))[:300]}") from error
    from fat_fpga.ranges.restricted import ranges_in, restrict

    ranges = ranges_in(content, str(path))
    return made if ranges is None else restrict(made, ranges)


def _factory(text: str, package: str, factory: str) -> Any:
    """What the factory makes."""
    here = os.getcwd()  # noqa: PTH109
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        found: Any = importlib.import_module(package)
    except Exception as error:
        raise ModelError(
            f"{text}: {package} cannot be imported: {type(error).__name__}: {one_line(str(error))}"
        ) from error
    for part in factory.split("."):
        if not hasattr(found, part):
            raise ModelError(f"{text}: {package} has no {factory}")
        found = getattr(found, part)
    from torch import nn

    if isinstance(found, nn.Module):
        return found
    if not callable(found):
        raise ModelError(f"{text}: {factory} is a {type(found).__name__}, and makes nothing")
    try:
        return found()
    except Exception as error:
        raise ModelError(f"{text}: {factory}() raises {type(error).__name__}: {one_line(str(error))[:200]}") from error


def _state(path: Path, content: Any) -> dict[str, Any]:
    """The state dict in a file."""
    from torch import Tensor

    if isinstance(content, dict):
        for name in _INNER:
            if isinstance(content.get(name), dict):
                content = content[name]
                break
    if not isinstance(content, dict) or not any(isinstance(value, Tensor) for value in content.values()):
        raise ModelError(f"{path} holds no state dict: write it with torch.save(model.state_dict(), FILE)")
    return dict(content)
