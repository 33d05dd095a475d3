"""Modules of PyTorch that a user names: ``module:PACKAGE:FACTORY``, with weights from a file."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fat_fpga.errors import ModelError
from fat_fpga.extras import advice

if TYPE_CHECKING:
    from torch import nn

PREFIX = "module:"
"""What a model that is a module begins with."""
HOLDERS = ("state_dict", "model_state_dict", "model")
"""Keys under which training scripts keep weights beside other things."""


def is_module(text: str) -> bool:
    """Whether ``text`` names a module, not a file."""
    return text.startswith(PREFIX)


def load_module(text: str, weights: str | PathLike[str] | None = None) -> nn.Module:
    """The module that ``module:PACKAGE:FACTORY`` names, in evaluation mode.

    Args:
        text: PACKAGE is imported, also from the present folder; FACTORY is its function or class that is called without
            arguments and gives the module.
        weights: file of a ``state_dict``, by itself or under one of `HOLDERS`. Only tensors and plain values are
            read from it, never Python objects.

    Raises:
        ModelError: there is no such package or factory, it gives no module, or the weights are not those of it.
    """
    try:
        import torch
        from torch import nn
    except ModuleNotFoundError as error:
        raise ModelError(f"{text}: a module needs the package {error.name}: {advice('train')}") from error
    package, colon, factory = text.removeprefix(PREFIX).partition(":")
    if not is_module(text) or not colon or not package or not factory:
        raise ModelError(f"model '{text}': expected module:PACKAGE:FACTORY, as module:my_nets:lenet")
    module = _made(text, package, factory)
    if not isinstance(module, nn.Module):
        raise ModelError(f"{text}: {factory} gives {type(module).__name__}, expected a torch.nn.Module")
    if weights is not None:
        state = _state(Path(weights), torch)
        try:
            module.load_state_dict(state)
        except (RuntimeError, TypeError, AttributeError) as error:
            reason = " ".join(str(error).split())
            raise ModelError(f"{weights}: not the weights of {text}: {reason[:300]}") from error
    return module.cpu().eval()


def _made(text: str, package: str, factory: str) -> Any:
    with _present_folder():
        try:
            found = importlib.import_module(package)
        except Exception as error:  # of a user's own code
            raise ModelError(f"{text}: cannot import {package}: {type(error).__name__}: {_line(error)}") from error
        if not hasattr(found, factory):
            raise ModelError(f"{text}: {package} has no {factory}")
        try:
            return getattr(found, factory)()
        except Exception as error:  # of a user's own code
            raise ModelError(
                f"{text}: {factory}() fails: {type(error).__name__}: {_line(error)}; it is called without arguments"
            ) from error


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:300]


@contextmanager
def _present_folder() -> Iterator[None]:
    """Modules of the present folder can be imported, as under ``python -m``."""
    folder = str(Path.cwd())
    sys.path.insert(0, folder)
    try:
        yield
    finally:
        if folder in sys.path:
            sys.path.remove(folder)


def _state(path: Path, torch: Any) -> Any:
    """The ``state_dict`` in a file."""
    if not path.is_file():
        raise ModelError(f"{path}: no such file of weights")
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged file can raise nearly anything
        reason = "it is damaged, or holds Python objects, which are never loaded"
        raise ModelError(f"{path}: not a readable file of weights: {reason}") from error
    for key in HOLDERS:
        if isinstance(content, dict) and isinstance(content.get(key), dict):
            return content[key]
    if not isinstance(content, dict):
        raise ModelError(f"{path}: holds {type(content).__name__}, expected a state_dict")
    return content
