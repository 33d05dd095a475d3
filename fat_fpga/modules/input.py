"""What data a module takes: rows of one shape, as they are or as pixels that are scaled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from fat_fpga.errors import DataError, ModelError
from fat_fpga.network.layers import Shape

if TYPE_CHECKING:
    from torch import Tensor, device

FORMS = ("unit", "raw", "none")


@dataclass(frozen=True)
class ModuleInput:
    """How rows become the tensor that the module is called with.

    Attributes:
        row: shape of one row.
        dtype: of the tensor, as ``float32``, ``float16``, ``int64``.
        pixels: ``unit``: uint8 divided by 255, as torchvision's ToTensor does; ``raw``: uint8 as numbers 0 to 255;
            ``none``: other data as they are.
        mean, std: one number, or one for each channel: subtracted, and divided by, after that, in float32.
    """

    row: tuple[int, ...]
    dtype: str = "float32"
    pixels: str = "unit"
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if self.pixels not in FORMS:
            raise ModelError(f"pixels of a module are {', '.join(FORMS)}, got '{self.pixels}'")
        for name, values in (("mean", self.mean), ("std", self.std)):
            if len(values) not in (0, 1) and (not self.row or len(values) != self.row[0]):
                raise ModelError(f"{name}: expected one number, or one for each channel, got {len(values)}")
        if (len(self.mean) and not len(self.std)) or 0.0 in self.std:
            raise ModelError("normalise: expected a mean and a standard deviation that is not 0")

    @property
    def shape(self) -> Shape:
        """Channels, height and width; axes that are not there are 1."""
        return joined(self.row)

    def taken(self, rows: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Rows [N, ...] of the shape and type; DataError for others."""
        if rows.shape[1:] != self.row:
            raise DataError(f"takes rows of shape {list(self.row)}, got {list(rows.shape[1:])}")
        if self.pixels != "none" and rows.dtype != np.uint8:
            raise DataError(f"takes uint8 pixels, got {rows.dtype}: give pixels='none' for other data")
        integers = self.dtype.startswith("int")
        if self.pixels == "none" and rows.dtype.kind not in ("iu" if integers else "fiu"):
            raise DataError(f"takes {'integers' if integers else 'numbers'}, got {rows.dtype}")
        if rows.dtype.kind == "f" and not np.isfinite(rows).all():
            raise DataError("takes finite numbers, got some that are NaN or infinite")
        return rows

    def tensor(self, rows: npt.NDArray[Any], where: device) -> Tensor:
        """The tensor [N, ...] that the module is called with."""
        import torch

        if self.pixels == "none":
            return torch.from_numpy(np.ascontiguousarray(rows)).to(where, getattr(torch, self.dtype))
        found = rows.astype(np.float32)
        if self.pixels == "unit":
            found /= np.float32(255)
        if self.std:
            sides = (-1, *[1] * (len(self.row) - 1))
            mean, std = (np.array(part or (0.0,), np.float32).reshape(sides) for part in (self.mean, self.std))
            found = (found - mean) / std
        return torch.from_numpy(found).to(where, getattr(torch, self.dtype))


def joined(shape: tuple[int, ...], most: int = 3) -> Shape:
    """Three numbers for a shape: axes that are not there are 1, the last ones are joined where there are more."""
    found = (*shape, 1, 1, 1)[:3] if len(shape) <= most else (*shape[:2], int(np.prod(shape[2:])))
    return int(found[0]), int(found[1]), int(found[2])


def cells_of(shape: tuple[int, ...], most: int) -> tuple[int, ...]:
    """The numbers of an index into a tensor of this shape: at least one, at most ``most``, the last axes joined."""
    if len(shape) <= most:
        return tuple(map(int, shape)) or (1,)
    return (*map(int, shape[: most - 1]), int(np.prod(shape[most - 1 :])))
