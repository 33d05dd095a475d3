"""What faults do to words: of each word some bits are held and some are inverted.

Whatever holds and flips of single bits do to a word one after the other is ``word & keep ^ flip``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from fat_fpga.faults import AnyFault, Fault, Pattern
from fat_fpga.faults.flips import all_flips, flips_of
from fat_fpga.faults.parts import Part, parts_of
from fat_fpga.faults.singles import FLIPPED, singles_of

if TYPE_CHECKING:
    from fat_fpga.modules.sites import Site
    from fat_fpga.modules.subject import ModuleSubject

Ints = npt.NDArray[np.int64]
EVERY_ROW = -1


@dataclass(frozen=True, eq=False)
class Edit:
    """Changed words at one site.

    Attributes:
        site: where.
        rows: of the batch, int64 [H]; ``EVERY_ROW`` for all. Of stored words 0.
        cells: numbers of the words, int64 [H]; no pair of row and cell is there twice.
        keep, flip: the word becomes ``word & keep ^ flip``, int64 [H].
        flips: whether all of them are known to be flips, so that every word becomes another one.
    """

    site: Site
    rows: Ints
    cells: Ints
    keep: Ints
    flip: Ints
    flips: bool = False

    def __len__(self) -> int:
        return len(self.cells)

    def taken_back(self) -> bool:
        """Whether to make it once more in the same tensor takes it back."""
        return self.flips and self.site.in_rows


def bit_edit(bit: int, flip: bool, value: int) -> tuple[int, int]:
    """``(keep, flip)`` that flips a bit, or holds it at a value, as int64."""
    mask = _signed(1 << bit)
    return (-1, mask) if flip else (~mask, mask if value else 0)


def then(first: tuple[int, int], second: tuple[int, int]) -> tuple[int, int]:
    """One after the other on the same word."""
    return first[0] & second[0], first[1] & second[0] ^ second[1]


def edits_of(subject: ModuleSubject, fault: AnyFault, first_frame: int, images: int, first_row: int) -> list[Edit]:
    """What a fault does to images ``first_frame`` up to ``first_frame + images``, the first of them in row
    ``first_row`` of the batch; nothing where it is of other images, or a pattern hits nothing."""
    if isinstance(fault, Pattern):
        return _of_pattern(subject, fault, first_frame, images, first_row)
    return _of_singles(subject, fault.faults, first_frame, images, first_row)


def _of_singles(
    subject: ModuleSubject, faults: Iterable[Fault], first_frame: int, images: int, first_row: int
) -> list[Edit]:
    words: dict[tuple[str, str], dict[tuple[int, int], tuple[int, int]]] = {}
    for fault in faults:
        row = EVERY_ROW
        if fault.frame is not None:
            if not first_frame <= fault.frame < first_frame + images:
                continue
            row = first_row + fault.frame - first_frame
        site = subject.sites[fault.layer, fault.kind]
        assert fault.bit is not None
        cell = site.cell(fault.index)
        own = words.setdefault((fault.layer, fault.kind), {})
        edit = bit_edit(fault.bit, fault.flip, fault.value)
        own[row, cell] = then(own[row, cell], edit) if (row, cell) in own else edit
    found = []
    for key, own in words.items():
        table = np.array([(*place, *masks) for place, masks in own.items()], np.int64)
        found.append(Edit(subject.sites[key], *table.T.copy()))
    return found


def _of_pattern(subject: ModuleSubject, pattern: Pattern, first_frame: int, images: int, first_row: int) -> list[Edit]:
    """The same without an object for each single fault."""
    found = []
    parts = parts_of(subject, pattern)
    if all_flips(parts):
        return _of_flips(subject, parts, range(first_frame, first_frame + images), first_row)
    for part, own in zip(parts, singles_of(parts, range(first_frame, first_frame + images)), strict=True):
        if not len(own):
            continue
        assert own.bits is not None
        site = subject.sites[part.block.place, part.block.kind]
        rows = np.full(len(own), EVERY_ROW) if own.frames is None else own.frames - first_frame + first_row
        found.append(_joined(site, rows, own.words, own.bits, own.to))
    return found


def _of_flips(subject: ModuleSubject, parts: list[Part], images: range, first_row: int) -> list[Edit]:
    """The same of flips, which are many, and are in the order of words already."""
    found = []
    kept = np.empty(0, np.int64)
    for part, own in zip(parts, flips_of(parts, images), strict=True):
        if len(own):
            kept = kept if len(kept) >= len(own) else np.full(len(own), -1, np.int64)
            rows = own.images + first_row if first_row else own.images
            site = subject.sites[part.block.place, part.block.kind]
            found.append(Edit(site, rows, own.words, kept[: len(own)], own.masks, flips=True))
    return found


def _joined(site: Site, rows: Ints, words: Ints, bits: Ints, to: Ints) -> Edit:
    """Single bits as words. No bit of a word is there twice, so their order does not matter."""
    masks = np.left_shift(np.int64(1), bits)
    flipped = to == FLIPPED
    if flipped.all():
        keep, flip = np.full(len(masks), -1), masks
    else:
        keep, flip = np.where(flipped, -1, ~masks), np.where(flipped | (to == 1), masks, 0)
    cells = rows * (int(words.max()) + 1) + words
    if (cells[1:] > cells[:-1]).all():  # as nearly always: flips that are drawn for each image
        return Edit(site, rows, words, keep, flip)
    order = np.argsort(cells, kind="stable")
    cells, rows, words, keep, flip = (part[order] for part in (cells, rows, words, keep, flip))
    starts = np.flatnonzero(np.diff(cells, prepend=cells[0] - 1))
    return Edit(
        site, rows[starts], words[starts], np.bitwise_and.reduceat(keep, starts), np.bitwise_or.reduceat(flip, starts)
    )


def _signed(word: int) -> int:
    """The int64 with the bits of a word."""
    return word - (1 << 64) if word >= 1 << 63 else word
