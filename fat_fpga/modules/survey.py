"""What there is in a module: found by running it on two small batches of different sizes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from fat_fpga.errors import ModelError
from fat_fpga.modules.record import Call, Record, record
from fat_fpga.modules.stepwise import steps
from fat_fpga.modules.values import first_tensor, tensors
from fat_fpga.one_line import one_line

SIZES = (2, 3)


@dataclass(frozen=True, eq=False)
class Stream:
    """What a module in it gives.

    Attributes:
        shape: of the first tensor, for one image.
        dtype: of it.
        axis: of the batch; None where there is none.
        calls: how often it is called.
        leaf: whether no module is called in it.
        passes: whether it passes on what it is called with, as dropout does.
        quantised: an ``IntQuantTensor`` of Brevitas that it gave, else None.
        steps: of a recurrent module whose hidden state can be met the number of time steps, else 0.
        state: shape [layers, units] of the hidden state; of both directions [2 * layers, units].
    """

    shape: tuple[int, ...]
    dtype: torch.dtype
    axis: int | None
    calls: int
    leaf: bool
    passes: bool
    quantised: Any = None
    steps: int = 0
    state: tuple[int, int] = (0, 0)


@dataclass(frozen=True, eq=False)
class Survey:
    """What was found.

    Attributes:
        streams: by the name of each module that is called, and gives tensors of one shape.
        classes: scores of one image.
        reads: names of the parameters and buffers that are read.
    """

    streams: dict[str, Stream]
    classes: int
    reads: frozenset[str]


def survey(name: str, module: nn.Module, modules: Mapping[str, nn.Module], samples: tuple[Tensor, Tensor]) -> Survey:
    """What there is in a module.

    Args:
        samples: two batches, of sizes ``SIZES``.

    Raises:
        ModelError: the module cannot be run on such data, or gives no scores [N, classes].
    """
    try:
        first, second = (record(module, modules, sample, lambda _, output: output) for sample in samples)
    except Exception as error:  # of a module of somebody else
        raise ModelError(
            f"{name} cannot be run on data of shape {list(samples[0].shape)} and type {samples[0].dtype}: "
            f"{type(error).__name__}: {one_line(str(error))[:200]}"
        ) from error
    scores = scores_of(first.output)
    if scores is None or scores.dim() != 2 or scores.shape[0] != SIZES[0] or not scores.is_floating_point():
        got = type(first.output).__name__ if scores is None else f"{scores.dtype} {list(scores.shape)}"
        raise ModelError(f"{name}: expected class scores [N, classes], floating point, got {got}")
    streams = {}
    for part in modules:
        found = _stream(modules[part], _calls(first, part), _calls(second, part), first)
        if found is not None:
            streams[part] = found
    return Survey(streams, max(2, int(scores.shape[1])), frozenset(first.reads))


def scores_of(output: Any) -> Tensor | None:
    """The class scores in what a module gives: its first tensor, [N, classes], also where it has axes of size 1."""
    scores = first_tensor(output)
    if scores is not None and scores.dim() > 2 and scores[0].numel() == scores.shape[1]:
        scores = scores.reshape(scores.shape[:2])
    return scores


def _number(module: nn.Module, attribute: str) -> int:
    found: int = getattr(module, attribute)
    return found


def _calls(found: Record, name: str) -> list[Call]:
    return [call for call in found.calls if call.module == name]


def _stream(module: nn.Module, first: list[Call], second: list[Call], found: Record) -> Stream | None:
    """None where it is not called, or its calls give no tensors of one shape."""
    outputs = [first_tensor(call.output) for call in first]
    others = [first_tensor(call.output) for call in second]
    if not outputs or len(first) != len(second):
        return None
    shapes = {None if tensor is None else tuple(tensor.shape) for tensor in outputs}
    tensor, other = outputs[0], others[0]
    if tensor is None or other is None or len(shapes) > 1 or not tensor.is_floating_point():
        return None
    if isinstance(first[0].output, dict) or tensor.dim() != other.dim():
        return None
    differ = [axis for axis in range(tensor.dim()) if tensor.shape[axis] != other.shape[axis]]
    axis = differ[0] if differ else None
    if len(differ) > 1 or (axis is not None and (tensor.shape[axis], other.shape[axis]) != SIZES):
        return None
    call = first[0]
    given = {part.untyped_storage().data_ptr() for part in tensors(call.inputs)}
    quantised = call.output if hasattr(call.output, "zero_point") and hasattr(call.output, "bit_width") else None
    count, state = 0, (0, 0)
    if steps(module) and len(first) == 1 and axis is not None and tensor.dim() == 3:
        count = int(tensor.shape[1 - axis])
        ways = 2 if getattr(module, "bidirectional", False) else 1
        state = (ways * _number(module, "num_layers"), _number(module, "hidden_size"))
    return Stream(
        tuple(size for number, size in enumerate(tensor.shape) if number != axis),
        tensor.dtype,
        axis,
        len(first),
        call.after == call.number + 1,
        not call.written and tensor.untyped_storage().data_ptr() in given,
        quantised,
        count,
        state,
    )
