"""What is known of all tensors on the way: where several nodes read one, a stream that is finished, or a fork."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from fat_fpga.network.lowering.builder import Builder
from fat_fpga.network.lowering.graph import Graph, Node, label, refuse
from fat_fpga.network.lowering.grid import Grid
from fat_fpga.network.lowering.image import PendingImage
from fat_fpga.network.lowering.sites import Sites, stream_site
from fat_fpga.network.lowering.strand import Strand
from fat_fpga.network.lowering.stream import PendingStream, Stream
from fat_fpga.network.lowering.transposed import TRANSPOSED
from fat_fpga.network.lowering.unit import PendingUnit


@dataclass
class Strands:
    """The tensors so far, and the layers that are finished.

    Attributes:
        known: what leads to each tensor.
        seen: shapes of the tensors.
        forks: makes the strand of each node that reads a tensor which several read.
        number: of the latest node.
    """

    graph: Graph
    sites: Sites
    known: dict[str, Strand]
    seen: dict[str, tuple[int, ...]]
    builder: Builder = field(default_factory=Builder)
    forks: dict[str, Callable[[], Strand]] = field(default_factory=dict)
    number: int = 0

    def of(self, node: Node, tensor: str) -> Strand:
        """What is known of a tensor that a node reads: where others read it, too, of a stream that is finished."""
        strand = self.known[tensor]
        if self.graph.uses[tensor] < 2 or strand.selected:
            return strand
        if tensor not in self.forks:
            self.forks[tensor] = self.fork(node, tensor, strand)
        return self.forks[tensor]()

    def fork(self, node: Node, tensor: str, strand: Strand) -> Callable[[], Strand]:
        """What makes a strand for each node that reads a tensor.

        Where its integers are known they are a stream from here on. Else what leads to them is each branch's own, and
        only the sums in front are common to all.
        """
        head = strand.head
        if isinstance(strand.grid, Grid) or isinstance(head, PendingImage) or strand.pad is not None:
            stream = self.finish(node, strand)
            return lambda: self.behind(stream, tensor, strand)
        pending = head.behind_sums(self.number) if isinstance(head, PendingUnit) else head
        return lambda: Strand(
            pending.fork(self.number), tensor, strand.layout, strand.grid, strand.dtype, scores=set(strand.scores)
        )

    def behind(self, stream: Stream, tensor: str, at: Strand) -> Strand:
        """What follows a stream that is at a tensor, which lies like that of a strand."""
        head = PendingStream.of(stream, tensor, at.layout, self.number, self.graph, self.builder)
        return Strand(head, tensor, at.layout, stream.grid, at.dtype, scores=set(at.scores))

    def finish(self, node: Node, strand: Strand) -> Stream:
        """Finish the stream that a node reads, and with it what lies in front."""
        if strand.pad is not None and node.op_type not in ("Conv", TRANSPOSED):
            raise strand.lost_pad(label(node))
        if strand.normalised:
            raise refuse(node, "behind a softmax only the choice of the class is supported")
        made = strand.head.finish(node, strand.grid, self.sites)
        if isinstance(strand.grid, str) and made.name not in self.sites.streams:
            site = stream_site(strand.tensor, strand.layout, Grid(made.step, made.levels), made.levels)
            self.sites.streams[made.name] = site
        return made

    def made(self, node: Node, strand: Strand) -> None:
        """Go on with what a node makes."""
        strand.move_to(node, self.graph)
        made = node.output if node.op_type == "TopK" else node.output[:1]
        self.known.update(dict.fromkeys(made, strand))
        self.seen.update(dict.fromkeys(node.output, (self.graph.batch, *strand.layout.index.shape)))
        if strand.selected:
            if strand.layout.index.size == 1:
                raise refuse(node, "there is one score only, which is not chosen among: export the model without it")
            self.sites.scores, self.sites.choice = strand.before, node.output[-1]
