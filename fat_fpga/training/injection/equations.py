"""Equations 1 to 3 of the FAT paper."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from fat_fpga.training.injection.levels import Levels


class _Replace(torch.autograd.Function):
    """x * keep + errors, one pass forward and one back.

    With ``keep`` of ones and zeros, and ``errors`` that are zero where ``keep`` is one, that is exact in every
    floating point type. On a CPU it takes half the time of ``torch.where``, a quarter where it may write over ``x``.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, keep: Tensor, errors: Tensor, in_place: bool) -> Tensor:
        """Return the activations, in the memory of ``x`` if ``in_place``."""
        ctx.save_for_backward(keep)
        if not in_place:
            return torch.addcmul(errors, x, keep)
        ctx.mark_dirty(x)
        return torch.addcmul(errors, x, keep, out=x)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None, None]:
        """Return the gradient with respect to ``x``."""
        (keep,) = ctx.saved_tensors
        return gradients[0] * keep, None, None, None


def replace(x: Tensor, r: Tensor, p: float, levels: Levels, in_place: bool = False) -> Tensor:
    """Replace activations by error values where ``r`` says so (equation 1); the others are left as they are.

    Each of the M levels has the same share of the probability: level m is taken where p_m <= r < p_(m+1), with
    p_m = p / 100 * m / M. The paper's equation 2 has M - 1 for M, and equation 1 then counts to p_(M-1); taken by the
    letter, the first level would have no share, or the whole would exceed p. The paper's own example (p = 5 % and two
    levels of 2.5 % each) is what is computed here.

    The gradient of a replaced activation is zero, any other passes unchanged (equation 3). There is no rescaling.

    Args:
        x: activations, finite, floating point of any precision, [b, c, ...].
        r: uniform in [0, 1), float32, of a shape that broadcasts to that of ``x`` (equations 4 and 5).
        p: probability that an activation is replaced, in percent, above 0.
        levels: of the quantiser that gave ``x``; the error values.
        in_place: write over ``x``, which nothing else may need.

    Returns:
        A tensor like ``x``.
    """
    count = levels.count()
    replaced = r < p / 100
    index = (r / (p / 100) * count).floor().clamp(max=count - 1)  # the clamp serves what is not replaced, too
    errors = levels.values(index, x.dtype) * replaced
    result: Tensor = _Replace.apply(x, (~replaced).to(x.dtype), errors, in_place)  # type: ignore[no-untyped-call]
    return result
