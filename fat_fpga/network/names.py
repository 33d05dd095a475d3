"""What the name of a unit says: how it reads its input. Nobody else takes a name apart.

A unit that multiplies windows is called ``conv3``, one that multiplies a flat vector ``fc7``; the number counts units.
A convolution whose kernel covers its whole input computes the same as a fully connected layer, but hardware has a
window generator in front of it, and files hold a Conv. Networks and run files keep this in the name alone.
"""

from __future__ import annotations

from math import prod

from fat_fpga.network.layers import Shape

FLAT = "fc"
"""What names of units start with that multiply a flat vector."""


def reads_flat(name: str, inputs: int, shape: Shape) -> bool:
    """Whether a unit is a matrix product in files: called fully connected, and over its whole input.

    Args:
        inputs: weights of one output channel.
        shape: channels, height, width in front of it.
    """
    return name.startswith(FLAT) and inputs == prod(shape)
