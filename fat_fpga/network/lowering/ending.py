"""The end of a graph: its class scores, or its values, and the network that they finish."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

from fat_fpga.errors import ModelError, ModelWarning
from fat_fpga.network.layers import Input, Layer
from fat_fpga.network.lowering.builder import Builder
from fat_fpga.network.lowering.graph import Graph
from fat_fpga.network.lowering.grid import Grid
from fat_fpga.network.lowering.image import PendingImage
from fat_fpga.network.lowering.input_thresholds import with_thresholds
from fat_fpga.network.lowering.levelled import is_levelled, level_scores
from fat_fpga.network.lowering.parts import facing
from fat_fpga.network.lowering.pixels import Outputs
from fat_fpga.network.lowering.sites import Sites
from fat_fpga.network.lowering.strand import Strand
from fat_fpga.network.lowering.strands import Strands
from fat_fpga.network.lowering.unit import PendingUnit
from fat_fpga.network.lowering.valued import written_scales
from fat_fpga.network.network import Network
from fat_fpga.network.outputs import OutputValues


@dataclass
class Ending:
    """Makes the network of a graph whose nodes have all been visited.

    Attributes:
        outputs: whether these are class scores or values.
        image: the input.
        strands: what is known of each tensor.
    """

    graph: Graph
    outputs: Outputs
    image: PendingImage
    strands: Strands

    @property
    def builder(self) -> Builder:
        """The layers that are finished."""
        return self.strands.builder

    @property
    def sites(self) -> Sites:
        """Where everything is in the file."""
        return self.strands.sites

    def network(self, name: str) -> Network:
        """The network, when all nodes have been visited."""
        end = self._end(self.strands.known)
        unit = end.head
        written = written_scales(self.graph)
        pixels = end.layout.index.size != end.layout.shape[0]
        if self.outputs == "values" or (self.outputs == "auto" and (pixels or written is not None)):
            return self._valued(name, end, written)
        if isinstance(unit, PendingImage) or self.image.input is None:
            raise ModelError("it holds no matrix product that depends on the input: is it the whole model?")
        if not end.ends & set(self.graph.outputs):
            raise ModelError(
                f"its output '{', '.join(self.graph.outputs)}' is not the end of the chain, '{end.tensor}': "
                "export the model with its class scores as output"
            )
        if end.pad is not None:
            raise end.lost_pad("the end of the file")
        levelled = is_levelled(end)
        if isinstance(unit, PendingUnit) and not levelled:
            unit.check_last(end.layout)
        left_out = [name for name in self.graph.outputs if name not in end.scores]
        if left_out:
            warnings.warn(
                f"the file's output '{', '.join(left_out)}' is left out: only the class scores are looked at",
                ModelWarning,
                stacklevel=2,
            )
        if isinstance(unit, PendingUnit) and not levelled:
            unit.scoring(self.sites)
        else:
            level_scores(end, self.graph, self.builder, self.sites)
        self.sites.scores = self.sites.scores or end.normalised or end.tensor
        return Network(name, *self._program())

    def _program(self) -> tuple[Input, tuple[Layer, ...]]:
        """The input and the layers."""
        assert self.image.input is not None, "a product has read it"
        return with_thresholds(self.image.input, self.builder.finish(self.sites), self.sites)

    def _valued(self, name: str, end: Strand, written: OutputValues | None) -> Network:
        """The network whose outputs are values."""
        if isinstance(end.head, PendingImage):
            raise ModelError("it holds no matrix product that depends on the input: is it the whole model?")
        if end.selected:
            raise ModelError("it ends with the choice of a class, so its outputs are no values: leave outputs out")
        if end.tensor not in self.graph.outputs:
            raise ModelError(
                f"its output '{', '.join(self.graph.outputs)}' is not the end of the chain, '{end.tensor}': "
                "export the model with that as output"
            )
        if end.pad is not None:
            raise end.lost_pad("the end of the file")
        last = next(node for node in reversed(self.graph.nodes) if end.tensor in node.output)
        end = facing(self.strands, last, end)
        if isinstance(end.grid, Grid) and end.grid.levels is not None:
            scales: tuple[float, ...] = (end.head.finish(last, end.grid, self.sites).step,)
        elif isinstance(end.head, PendingUnit):
            scales = end.head.valued(self.sites)
        else:
            raise ModelError(f"its outputs '{end.tensor}' are no integers: {end.grid}; end the model with a quantiser")
        self.sites.scores = end.tensor
        return Network(name, *self._program(), outputs=written or OutputValues(scales))

    def _end(self, strands: dict[str, Strand]) -> Strand:
        """What nothing reads any more: the class scores."""
        ends = {id(strand): strand for tensor, strand in strands.items() if not self.graph.uses[tensor]}
        first, *others = ends.values()
        for other in others:
            if {first.tensor, other.tensor} <= set(self.graph.outputs):
                raise ModelError(
                    f"it has several heads, with the outputs '{first.tensor}' and '{other.tensor}': keep one, with "
                    f"onnx.utils.extract_model(file, new_file, ['{self.graph.input}'], ['{first.tensor}'])"
                )
            raise ModelError(
                f"its tensors '{first.tensor}' and '{other.tensor}' are both read by nothing: several heads are not "
                "supported yet, export the model with its class scores alone"
            )
        return first
