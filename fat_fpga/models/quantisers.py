"""Brevitas quantisers of the family: constant scales, levels evenly spaced.

One bit means {-1, +1}; n bits mean 2^n - 1 levels, symmetric around zero: {-1, 0, +1} for two bits. Unsigned
activations of n bits have 2^n levels from 0 to 1: {0, 1/3, 2/3, 1} for two bits.
"""

from __future__ import annotations

from brevitas.core.bit_width import BitWidthImplType
from brevitas.core.quant import QuantType
from brevitas.core.restrict_val import FloatToIntImplType, RestrictValueType
from brevitas.core.scaling import ScalingImplType
from brevitas.core.zero_point import ZeroZeroPoint
from brevitas.inject import ExtendedInjector
from brevitas.quant.solver import ActQuantSolver, WeightQuantSolver
from dependencies import value  # type: ignore[import-untyped]


class _ConstantScale(ExtendedInjector):  # type: ignore[misc]
    """Settings that weights and activations share; ``bit_width`` is given where the quantiser is used."""

    bit_width_impl_type = BitWidthImplType.CONST
    scaling_impl_type = ScalingImplType.CONST
    restrict_scaling_type = RestrictValueType.FP
    zero_point_impl = ZeroZeroPoint
    float_to_int_impl_type = FloatToIntImplType.ROUND
    scaling_per_output_channel = False
    narrow_range = True
    signed = True

    @value
    def quant_type(bit_width):  # type: ignore[no-untyped-def]  # noqa: N805 (an injector's function has no self)
        return QuantType.BINARY if bit_width == 1 else QuantType.INT


class WeightQuantiser(_ConstantScale, WeightQuantSolver):  # type: ignore[misc]
    """Weights in {-1, +1} or {-1, 0, +1}: their scale is 1, an accumulator has the scale of its inputs."""

    scaling_const = 1.0


class FineWeightQuantiser(WeightQuantiser):
    """Weights of n > 2 bits: multiples of 2^(1-n) inside (-1, 1), integers of -127 to 127 for eight bits.

    The scale is a power of two, so that products and their sums are exact in float32.
    """

    @value
    def scaling_const(bit_width):  # type: ignore[no-untyped-def]  # noqa: N805
        return 1.0 - 2.0 ** (1 - bit_width)


class ActivationQuantiser(_ConstantScale, ActQuantSolver):  # type: ignore[misc]
    """Activations in [-1, 1]."""

    min_val = -1.0
    max_val = 1.0


class UnsignedActivationQuantiser(ActivationQuantiser):
    """Activations in [0, 1], as DoReFa-Net's: round(x * (2^n - 1)) / (2^n - 1) of x clipped to [0, 1]."""

    min_val = 0.0
    signed = False
    narrow_range = False


class BranchQuantiser(ActivationQuantiser):
    """What is added in a residual block; its range, ``min_val`` and ``max_val``, is given where it is used."""


class ImageQuantiser(ActivationQuantiser):
    """Eight-bit input: multiples of 2^-7 from -1 to 1 - 2^-7, so that it is an int8 on the FPGA."""

    max_val = 1.0 - 2.0**-7
    narrow_range = False
    restrict_scaling_type = RestrictValueType.POWER_OF_TWO
