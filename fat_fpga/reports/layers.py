"""A layer in a table of the network."""

from __future__ import annotations

from fat_fpga.errors import ModelError
from fat_fpga.network import MajorityVote, MatrixVectorUnit, MaxPool
from fat_fpga.network.handlers import no_handler, singledispatch
from fat_fpga.network.layers import (
    Add,
    ClassScores,
    Concat,
    Layer,
    Requantise,
    Scores,
    Select,
    Shuffle,
    SumPool,
    Table,
    Thresholding,
    Upsample,
    ZeroInsertion,
)

Row = tuple[str, str, str]
"""What it is, the datatype of its weights, and what its activations are."""


@singledispatch
def row_of(layer: Layer) -> Row:
    """The row of a layer."""
    raise no_handler("the table of a network", layer, ModelError)


@row_of.register
def _(layer: MatrixVectorUnit) -> Row:
    return "x".join(map(str, layer.weights.shape)), layer.weight_type, str(layer.levels or "scores")


@row_of.register
def _(layer: MajorityVote) -> Row:
    return f"vote on {layer.voted.sum()}", "", ""


@row_of.register
def _(layer: Table) -> Row:
    return f"table of {layer.channels}", "", str(layer.levels)


@row_of.register
def _(layer: Requantise) -> Row:
    return f"fixed point on {layer.channels}", "", ""


@row_of.register
def _(layer: Add) -> Row:
    first, second = layer.factors
    return f"sum {first}, {second}" if layer.factors != (1, 1) else "sum", "", ""


@row_of.register
def _(layer: Thresholding) -> Row:
    return f"thresholds on {layer.channels}", "", str(layer.levels)


@row_of.register
def _(layer: Concat) -> Row:
    return f"{layer.arity} streams", "", ""


@row_of.register
def _(layer: Scores) -> Row:
    return f"ranks of {layer.ranks.shape[1]:,} sums", "", "scores"


@row_of.register
def _(layer: ClassScores) -> Row:
    return f"scores of {layer.count} classes", "", "scores"


@row_of.register
def _(layer: SumPool) -> Row:
    return f"sum of {'x'.join(map(str, layer.kernel))}", "", ""


@row_of.register
def _(layer: Upsample) -> Row:
    return f"repeated {'x'.join(map(str, layer.factors))}", "", ""


@row_of.register
def _(layer: Select) -> Row:
    return f"{'x'.join(str(len(part)) for part in layer.parts)} selected", "", ""


@row_of.register
def _(layer: Shuffle) -> Row:
    return f"to {'x'.join(map(str, layer.shape))}", "", ""


@row_of.register
def _(layer: ZeroInsertion) -> Row:
    return f"zeros between, {'x'.join(map(str, layer.stride))}", "", ""


@row_of.register
def _(layer: MaxPool) -> Row:
    return f"max {'x'.join(map(str, layer.kernel))}", "", ""
