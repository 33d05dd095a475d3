"""A network to export: how it is built, what it takes, and what becomes of its file."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import onnx
import torch
from brevitas.export import export_onnx_qcdq, export_qonnx
from torch import nn

IMAGE = (3, 8, 8)
DESIGNS: dict[str, Design] = {}
"""All of them, by name."""


@dataclass(frozen=True)
class Design:
    """A network to export.

    Attributes:
        build: makes the module.
        shape: of what it takes, without the batch.
        arguments: of `lower`.
        forms: of the files, ``qonnx`` or ``qcdq``; the first one is tried by every run of the tests.
        usual: whether every run of the tests tries it, else ``make test-deep`` alone.
        refused: part of the one line that says why it is refused; empty where it is not.
        seed: of its parameters.
    """

    build: Callable[[], nn.Module]
    shape: tuple[int, ...] = IMAGE
    arguments: dict[str, Any] = field(default_factory=dict)
    forms: tuple[str, ...] = ("qonnx", "qcdq")
    usual: bool = True
    refused: str = ""
    seed: int = 1

    def export(self, form: str) -> onnx.ModelProto:
        """The file of a module with random parameters, whose scales are from two batches."""
        torch.manual_seed(self.seed)
        module, content = self.build().train(), io.BytesIO()
        batch = torch.rand(4, *self.shape)
        with torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            module(batch)
            module(batch)
            export = export_qonnx if form == "qonnx" else export_onnx_qcdq
            export(module.eval(), args=torch.rand(1, *self.shape), export_path=content, dynamo=False)
        return onnx.load_from_string(content.getvalue())


def design(
    shape: tuple[int, ...] = IMAGE, name: str = "", **options: Any
) -> Callable[[Callable[[], nn.Module]], Callable[[], nn.Module]]:
    """Add what builds a module to the designs, by the name of the function; ``options`` are fields of `Design`."""

    def add(build: Callable[[], nn.Module]) -> Callable[[], nn.Module]:
        DESIGNS[name or build.__name__] = Design(build, shape, **options)
        return build

    return add
