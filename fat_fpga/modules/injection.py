"""Injection: changed words are put into parameters and tensors. Only the words that are hit are touched."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.autograd.graph import increment_version

from fat_fpga.modules.edits import EVERY_ROW, Edit, Ints
from fat_fpga.modules.formats import Format
from fat_fpga.modules.formats.quantised import Quantised
from fat_fpga.modules.sites import Where
from fat_fpga.modules.values import first_tensor, with_first

Index = tuple[Tensor, ...]


def changed(values: Tensor, keep: Tensor, flip: Tensor, form: Format) -> Tensor:
    """Values with some bits of their words held or inverted."""
    return form.decode(form.encode(values) & keep ^ flip, values.dtype)


@contextmanager
def held(parameters: Mapping[str, Tensor], edits: Iterable[Edit]) -> Iterator[None]:
    """Have the stored words changed in place. At the end they are what they were, byte for byte, also where an
    exception is thrown."""
    undo: list[Callable[[], None]] = []
    try:
        for edit in edits:
            if edit.site.where is Where.PARAMETER:
                tensor = parameters[edit.site.name].detach()
                words = edit.site.format.in_memory(tensor)
                undo.append(_hold(tensor, edit) if words is None else _hold_words(tensor, words, edit))
        yield
    finally:
        for back in reversed(undo):
            back()


def _hold_words(tensor: Tensor, words: npt.NDArray[Any], edit: Edit) -> Callable[[], None]:
    """The same for words that stand in memory as they are: to reach them by PyTorch's operators takes 0.5 ms when
    nothing of these is in the caches, as after a pass. Gives what takes it back."""
    before = words[edit.cells]

    def put(new: npt.NDArray[Any]) -> None:
        words[edit.cells] = new
        increment_version(tensor)  # which PyTorch would do

    put((before & edit.keep ^ edit.flip).astype(words.dtype))
    return partial(put, before)


def _hold(tensor: Tensor, edit: Edit) -> Callable[[], None]:
    tensor = tensor if tensor.dim() else tensor.reshape(1)  # of a single number, without an axis
    index = _unravel(edit.cells, tuple(tensor.shape), tensor)

    def put(new: Tensor) -> None:
        with torch.no_grad():
            tensor[index] = new

    with torch.no_grad():
        before = tensor[index].clone()
        put(changed(before, *_masks(edit, tensor), edit.site.format))
    return partial(put, before)


def met(output: object, edit: Edit, call: int = 0, in_place: bool = False) -> object:
    """What a module gives, with the words of its first tensor changed that are of this call; the argument is left as it
    is unless ``in_place``."""
    tensor = first_tensor(output)
    assert tensor is not None
    site, form, axis = edit.site, edit.site.format, edit.site.axis
    if site.in_rows and tensor.is_contiguous():  # as nearly always
        faulty = tensor if in_place else tensor.clone()
        form.edit(faulty, site.size, edit.rows, edit.cells, edit.keep, edit.flip)
        return output if in_place else with_first(output, faulty)
    chosen = np.arange(len(edit)) if edit.site.calls == 1 else np.flatnonzero(edit.cells // edit.site.size == call)
    if not len(chosen):
        return output
    every = len(chosen) == len(edit)
    cells, rows, keep, flip = (
        part if every else part[chosen] for part in (edit.cells, edit.rows, edit.keep, edit.flip)
    )
    cells = cells if edit.site.calls == 1 and edit.site.where is not Where.STATE else cells % edit.site.size
    faulty = tensor if in_place else tensor.clone()
    if axis == 0 and not isinstance(form, Quantised) and tensor.is_contiguous():
        form.edit(faulty, edit.site.size, rows, cells, keep, flip)
        return output if in_place else with_first(output, faulty)
    if axis is not None and (rows == EVERY_ROW).any():
        count = tensor.shape[axis]
        many = np.where(rows == EVERY_ROW, count, 1)
        cells, keep, flip = (np.repeat(part, many) for part in (cells, keep, flip))
        rows = np.concatenate([np.arange(count) if row == EVERY_ROW else [row] for row in rows])
    index = _unravel(cells, edit.site.shape if axis is not None else tuple(tensor.shape), tensor)
    if axis is not None:
        index = (*index[:axis], torch.from_numpy(rows).to(tensor.device), *index[axis:])
    if isinstance(form, Quantised):
        form = form.at(output, index)
    masks = torch.from_numpy(keep).to(tensor.device), torch.from_numpy(flip).to(tensor.device)
    faulty[index] = changed(faulty[index], *masks, form)
    return output if in_place else with_first(output, faulty)


def _masks(edit: Edit, like: Tensor) -> tuple[Tensor, Tensor]:
    keep, flip = (torch.from_numpy(part).to(like.device) for part in (edit.keep, edit.flip))
    return keep, flip


def _unravel(cells: Ints, shape: tuple[int, ...], like: Tensor) -> Index:
    """The index of flat numbers into a tensor of this shape."""
    parts = np.unravel_index(cells, shape or (1,))
    return tuple(torch.from_numpy(np.ascontiguousarray(part)).to(like.device) for part in parts)
