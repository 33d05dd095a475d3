"""A module and its ranges in files: a checkpoint of ours, and ONNX that other tools execute."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import torch
from torch import nn

from fat_fpga.arguments import checked
from fat_fpga.errors import ModelError
from fat_fpga.files import replacing
from fat_fpga.modules import ModuleSubject
from fat_fpga.ranges.restricted import RANGES, Ranges, activations

FORMAT = "fat_fpga ranges 1"


@checked
def write_checkpoint(subject: ModuleSubject, ranges: Ranges, path: Path) -> None:
    """Write the parameters of a module without bounds, and its ranges, whole or not at all.

    Commands take the file as ``--weights-file`` with the module that it was made of; `load_module` gives the module
    with its ranges. Equal parameters and ranges give equal bytes.

    Raises:
        ModelError: the ranges are those of another module.
        OSError: the file cannot be written.
    """
    known = activations(subject.module)
    for name in ranges.bounds:
        if name not in known:
            raise ModelError(f"{subject.name} has no activation '{name}': the bounds are those of another network")
    content: dict[str, Any] = {
        "format": FORMAT,
        "state_dict": {name: tensor.detach().cpu() for name, tensor in subject.module.state_dict().items()},
        RANGES: ranges.to_dict(),
    }
    whole = io.BytesIO()  # torch tells a full disk by an error of its own
    torch.save(content, whole)
    with replacing(path) as temporary:
        temporary.write_bytes(whole.getbuffer())


@checked
def write_onnx(module: nn.Module, row: tuple[int, ...], path: Path) -> None:
    """Write a module with its ranges as ONNX of standard operators: a bound is a comparison and a Where.

    Raises:
        ModelError: PyTorch cannot export it.
        OSError: the file cannot be written.
    """
    from fat_fpga.models.export import export_qonnx

    export_qonnx(module, path, (1, *row))
