"""Windows of convolutions and pools: kernel, strides, dilations and padding, of images and of signals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from fat_fpga.network.lowering.graph import Node, attributes, refuse
from fat_fpga.network.lowering.layout import Layout

Padding = tuple[int, int, int, int]
"""Top, left, bottom, right."""
Pair = tuple[int, int]
NONE: Padding = (0, 0, 0, 0)


@dataclass(frozen=True)
class Windows:
    """Windows over height and width; a signal has height 1.

    Attributes:
        kernel, stride, dilation: vertical, horizontal.
        padding: what the windows may reach beyond the input, with the zeros of a Pad in front.
    """

    kernel: Pair
    stride: Pair
    dilation: Pair
    padding: Padding

    @property
    def span(self) -> Pair:
        """Rows and columns from the first to the last place of a window."""
        return (self.kernel[0] - 1) * self.dilation[0] + 1, (self.kernel[1] - 1) * self.dilation[1] + 1


def windows_of(node: Node, layout: Layout, kernel: Sequence[int], zeros: Padding = NONE) -> Windows:
    """The windows of a Conv or a pool whose moving input has ``layout``; ModelError where they do not fit it.

    Args:
        kernel: as many sizes as the tensor has axes for pixels.
        zeros: what a Pad in front has added.
    """
    found = unpadded(node, layout, kernel)
    own = _padding(node, found, layout, zeros)
    top, left, bottom, right = (size + added for size, added in zip(own, zeros, strict=True))
    return replace(found, padding=(top, left, bottom, right))


def unpadded(node: Node, layout: Layout, kernel: Sequence[int]) -> Windows:
    """The same without any padding."""
    if not layout.is_image:
        raise refuse(
            node,
            f"expected activations [N, C, H, W] or [N, C, L], got the axes of an image {list(layout.shape)} in another "
            "order: export the model with channels first",
        )
    axes, options = layout.index.ndim - 1, attributes(node)

    def sizes(values: Any, what: str, fill: int = 1) -> Pair:
        found = tuple(int(value) for value in values)
        if len(found) != axes:
            raise refuse(node, f"expected {what} of {axes} sizes, for an input of {axes} axes of pixels, got {found}")
        if min(found) < 1:
            raise refuse(node, f"expected {what} above 0, got {list(found)}")
        return (fill, found[0]) if axes == 1 else (found[0], found[1])

    shape = sizes(kernel, "a window")
    stride = sizes(options.get("strides", [1] * axes), "strides")
    dilation = sizes(options.get("dilations", [1] * axes), "dilations")
    return Windows(shape, stride, dilation, NONE)


def _padding(node: Node, windows: Windows, layout: Layout, zeros: Padding) -> Padding:
    """A node's own padding, with ``zeros`` already around its input."""
    options = attributes(node)
    sizes = layout.shape[1] + zeros[0] + zeros[2], layout.shape[2] + zeros[1] + zeros[3]
    automatic = options.get("auto_pad", "NOTSET")
    if automatic in ("SAME_UPPER", "SAME_LOWER"):  # as many results as strides fit, the odd zero after or before
        missing = [
            max((-(-n // s) - 1) * s + k - n, 0)
            for n, k, s in zip(sizes, windows.span, windows.stride, strict=True)
        ]  # fmt: skip
        half = [(n + (automatic == "SAME_LOWER")) // 2 for n in missing]
        return half[0], half[1], missing[0] - half[0], missing[1] - half[1]
    if automatic not in ("NOTSET", "VALID"):
        raise refuse(node, f"unknown auto_pad {automatic}: give pads")
    return given_pads(node, layout) if automatic == "NOTSET" else NONE


def given_pads(node: Node, layout: Layout) -> Padding:
    """The attribute ``pads`` of a node, for height and width."""
    options = attributes(node)
    pads = tuple(options.get("pads", ()))
    if pads and len(pads) != 2 * layout.index.ndim - 2:
        raise refuse(node, f"expected {2 * layout.index.ndim - 2} pads, got {list(pads)}")
    if len(pads) == 2:
        pads = (0, pads[0], 0, pads[1])
    top, left, bottom, right = pads or NONE
    if min(top, left, bottom, right) < 0:
        raise refuse(node, f"negative pads are not supported: {options['pads']}")
    return top, left, bottom, right
