"""Where the activations of a float network become words of a format."""

from __future__ import annotations

from dataclasses import dataclass

from fat_fpga.fixed_point.step import Step
from fat_fpga.network.lowering.averages import AVERAGES
from fat_fpga.network.lowering.graph import Graph
from fat_fpga.network.lowering.operators import MOVES, PASSIVE

INPUT = "input"
"""The name of the input, among the layers."""
KEPT = (*MOVES, *PASSIVE, "MaxPool", "GlobalMaxPool", "ReduceMax", "Concat", "Pad", "Resize", "Upsample")
"""Operators whose results are words where those in front are."""
CONTINUED = ("Add", "Sub", "Mul", "Div", "Neg", "BatchNormalization", "Relu", "Clip", "Min", "Max")
"""Functions, with constants, that are computed on sums before these are rounded to words."""
JOINS = ("Add", "Sub")
LAST = (*MOVES, *PASSIVE, "Softmax", "LogSoftmax", "Hardmax", "ArgMax", "TopK")
"""Operators behind the last product that change no choice of a class."""


@dataclass(frozen=True)
class State:
    """What a tensor holds.

    Attributes:
        layer: whose values they are; empty for words of a stream whose layer is in front.
        root: the tensor of words that they are a function of; empty for sums. Of words, the tensor itself.
        is_word: whether they are words.
    """

    layer: str
    root: str = ""
    is_word: bool = False


class Words:
    """Finds the tensors that become words: what products, joins, averages and tables read.

    Sums become words behind the limits and factors that follow them, and not at all where they lead to the scores
    alone. Functions of one word, as ``x * sigmoid(x)``, become a word behind the last of them.

    Attributes:
        found: the layer whose activations a tensor of words are, in order.
    """

    def __init__(self, graph: Graph, steps: list[Step]) -> None:
        self._graph, self._steps = graph, steps
        self._readers: dict[str, list[Step]] = {}
        for step in steps:
            for tensor in dict.fromkeys(step.node.input):
                self._readers.setdefault(tensor, []).append(step)
        self._scores = self._sums_that_stay()
        self._states: dict[str, State] = {}
        self.found: dict[str, str] = {}
        self._settle(graph.input, State(INPUT))
        for step in steps:
            if not step.is_shape:
                self._settle(step.node.output[0], self._state(step))

    def _state(self, step: Step) -> State:
        """What a step makes."""
        node, moving = step.node, self._graph.moving(step.node)
        states = [self._states.get(name, State(step.name)) for name in moving]
        tensor, first = node.output[0], states[0]
        if step.product is not None or node.op_type in AVERAGES:
            return State(step.name)
        if node.op_type in KEPT:
            return State("", tensor, True) if first.is_word else first
        if len(moving) == 1 and not first.is_word:
            return first
        if len(moving) == 1 and node.op_type == "Relu":
            return State("", tensor, True)
        opened = [state for state in states if not state.is_word]
        roots = {state.root for state in states}
        if len(roots) == 1 and first.root and (len(moving) == 1 or opened or node.op_type not in JOINS):
            return State(opened[0].layer if opened else step.name, first.root)
        return State(step.name)

    def _settle(self, tensor: str, state: State) -> None:
        """Note what a tensor holds; what is read as words becomes words."""
        if not state.is_word and tensor not in self._scores and not self._goes_on(tensor, state):
            self.found[tensor] = state.layer
            state = State("", tensor, True)
        self._states[tensor] = state

    def _goes_on(self, tensor: str, state: State) -> bool:
        readers = [reader for reader in self._readers.get(tensor, []) if not reader.is_shape]
        if not state.root:
            return len(readers) == 1 and self._on_sums(readers[0])
        return bool(readers) and all(self._on_function(reader, tensor, state.root) for reader in readers)

    def _on_sums(self, step: Step) -> bool:
        """Whether a node is computed on sums before they become words."""
        return step.product is None and step.node.op_type in CONTINUED and len(self._graph.moving(step.node)) == 1

    def _on_function(self, step: Step, tensor: str, root: str) -> bool:
        """Whether a node computes another function of the word ``root`` from one of it, ``tensor``."""
        if step.product is not None or step.node.op_type in (*AVERAGES, *KEPT):
            return False
        others = [name for name in self._graph.moving(step.node) if name != tensor]
        return all(name in self._states and self._states[name].root == root for name in others)

    def _sums_that_stay(self) -> set[str]:
        """The tensors from the last product to the scores, where these are sums of it."""
        outputs, ends = set(self._graph.outputs), set[str]()
        for step in reversed(self._steps):
            tensor, behind = step.node.output[0], self._readers.get(step.node.output[0], [])
            through = all(
                reader.node.output[0] in ends and (self._on_sums(reader) or reader.node.op_type in LAST)
                for reader in behind
            )
            if through and (behind or outputs.intersection(step.node.output)):
                ends.add(tensor)
        found: set[str] = set()
        for step in self._steps:
            tensor = step.node.output[0]
            if tensor in ends and (step.product is not None or found.intersection(step.node.input)):
                found.add(tensor)
        return found
