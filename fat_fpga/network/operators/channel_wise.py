"""Layers that make one integer of one, with parameters for each channel."""

from __future__ import annotations

from abc import abstractmethod

from fat_fpga.errors import ModelError
from fat_fpga.network.operators.base import Layer, Shape


class ChannelWise(Layer):
    """A function of each integer by itself, one for each channel."""

    @property
    @abstractmethod
    def channels(self) -> int:
        """Number of channels C."""

    def output_shape(self, *shapes: Shape) -> Shape:
        (shape,) = shapes
        if shape[0] != self.channels:
            raise ModelError(f"{self.name}: it has parameters of {self.channels} channels, its input has {shape[0]}")
        return shape
