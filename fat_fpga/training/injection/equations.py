"""Equations 1 to 3 of the FAT paper."""

from __future__ import annotations

import torch
from torch import Tensor

from fat_fpga.training.injection.levels import Levels


def replace(x: Tensor, r: Tensor, p: float, levels: Levels) -> Tensor:
    """Replace activations by error values where ``r`` says so (equation 1); the others are left as they are.

    Each of the M levels has the same share of the probability: level m is taken where p_m <= r < p_(m+1), with
    p_m = p / 100 * m / M. The paper's equation 2 has M - 1 for M, and equation 1 then counts to p_(M-1); taken by the
    letter, the first level would have no share, or the whole would exceed p. The paper's own example (p = 5 % and two
    levels of 2.5 % each) is what is computed here.

    The gradient of a replaced activation is zero, any other passes unchanged (equation 3). There is no rescaling.

    Args:
        x: activations, floating point of any precision, [b, c, ...].
        r: uniform in [0, 1), float32, of a shape that broadcasts to that of ``x`` (equations 4 and 5).
        p: probability that an activation is replaced, in percent.
        levels: of the quantiser that gave ``x``; the error values.

    Returns:
        A tensor like ``x``.
    """
    count = levels.count()
    replaced = r < p / 100
    index = (r / (p / 100) * count).floor().clamp(max=count - 1)  # the clamp serves what is not replaced, too
    return torch.where(replaced, levels.values(index, x.dtype), x)
