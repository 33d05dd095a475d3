"""The stream saboteur (``hw/rtl/fat_saboteur.sv``) as a FINN operator.

On the board it passes its stream unchanged until its registers are written. Here the node's attributes say which box of
the stream is held, and Python execution holds it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fat_fpga.finn.operators.base import StreamOperator
from fat_fpga.luts import saboteur_luts


class FatSaboteur_rtl(StreamOperator):  # noqa: N801
    """Holds a box of a stream's values.

    Attributes of the node, besides `StreamOperator`'s: ``channels`` and ``rows`` and ``columns`` as start, stop, step
    (empty: nothing is held), ``value`` as it stands in the tensor.
    """

    module = "fat_saboteur"

    def get_nodeattr_types(self) -> dict[str, Any]:
        """FINN: names, types and defaults of the node's attributes."""
        boxes: dict[str, Any] = {name: ("ints", False, []) for name in ("channels", "rows", "columns")}
        return {**boxes, "value": ("i", False, 0), **super().get_nodeattr_types()}

    def execute_node(self, context: dict[str, Any], graph: Any) -> None:
        """FINN: the stream [..., channels] with the box held."""
        node = self.onnx_node
        stream = context[node.input[0]].copy()
        box = [self.get_nodeattr(name) for name in ("rows", "columns", "channels")]
        if all(len(part) for part in box):
            as_image = stream.reshape(-1, *_sizes(stream.shape))
            as_image[(slice(None), *(slice(*map(int, part)) for part in box))] = self.get_nodeattr("value")
            stream = as_image.reshape(stream.shape)
        context[node.output[0]] = stream

    def parameters(self) -> dict[str, int | str]:
        """Parameters of ``fat_saboteur``."""
        height, width, channels = _sizes(self.get_normal_input_shape())
        lanes = int(self.get_nodeattr("PE"))
        bits = int(self.get_input_datatype().bitwidth())
        return {"LANES": lanes, "FOLDS": channels // lanes, "WIDTH": width, "HEIGHT": height, "BITS": bits}

    def lut_estimation(self, fpgapart: str) -> int:
        """FINN: LUTs, by the line that is fitted to synthesised saboteurs."""
        return saboteur_luts(self.get_instream_width())


def _sizes(shape: Sequence[int]) -> tuple[int, int, int]:
    """Height, width and channels of a stream [N, H, W, C] or [N, C]."""
    return (shape[1], shape[2], shape[3]) if len(shape) == 4 else (1, 1, shape[-1])
