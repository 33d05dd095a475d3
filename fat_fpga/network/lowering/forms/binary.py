"""XNOR and popcount on bits, as FINN's steps make them of bipolar products: where the bits come from is found again.

A product of -1 and +1 becomes a count of equal bits there, and the thresholds in front of it make 0 and 1. As a network
that is the same function, but its streams and sums would be others than the ones that the file was made of. So where
all bits of a product come from thresholds that serve such products alone, both are taken as bipolar again.
"""

from __future__ import annotations

from collections import defaultdict

import onnx

from fat_fpga.network.lowering.graph import Node, attributes

MOVING = (
    "Transpose", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Identity", "Im2Col", "MaxPool", "MaxPoolNHWC",
    "ConvolutionInputGenerator", "ConvolutionInputGenerator1D", "StreamingMaxPool", "StreamingFIFO",
    "StreamingDataWidthConverter", "DuplicateStreams", "Pool",
)  # fmt: skip
"""Operators that keep an order of values, with 0 and 1 as well as with -1 and +1."""


def base_name(node: Node) -> str:
    """The operator's name without what says how it is made."""
    name = str(node.op_type)
    for ending in ("_hls", "_rtl", "_Batch"):
        name = name.removesuffix(ending)
    return name


def counts(node: Node) -> bool:
    """Whether a node counts equal bits."""
    return node.op_type == "XnorPopcountMatMul" or bool(attributes(node).get("binaryXnorMode"))


def bipolar_nodes(model: onnx.ModelProto) -> set[str]:
    """First outputs of the nodes that are bipolar again: thresholds of bits, and products of them."""
    made_by = {name: node for node in model.graph.node for name in node.output}
    readers = defaultdict(list)
    for node in model.graph.node:
        for name in dict.fromkeys(node.input):
            readers[name].append(node)
    sizes = {tensor.name: list(tensor.dims) for tensor in model.graph.initializer}
    products = {node.output[0]: node for node in model.graph.node if counts(node)}
    sources: dict[str, set[str]] = {}
    for name, node in products.items():
        found = _source(made_by.get(node.input[0]), made_by, sizes)
        if found is not None:
            sources.setdefault(found, set()).add(name)
    kept = set[str]()
    for source, served in sources.items():
        if _served(source, readers) <= served:
            kept |= {source, *served}
    return kept


def _source(node: Node | None, made_by: dict[str, Node], sizes: dict[str, list[int]]) -> str | None:
    """First output of the thresholds of bits that a product reads; None where it reads something else."""
    while node is not None and base_name(node) in MOVING:
        if any(attributes(node).get("pad_amount", ())) or attributes(node).get("Function", "MaxPool") != "MaxPool":
            return None
        node = made_by.get(node.input[0])
    if node is None or len(node.input) < 2 or sizes.get(node.input[-1], [0])[-1] != 1:
        return None
    options = attributes(node)
    if node.op_type == "MultiThreshold":
        bits = (options.get("out_scale", 1.0), options.get("out_bias", 0.0)) == (1.0, 0.0)
    else:
        thresholds = base_name(node) in ("Thresholding", "MVAU", "VVAU", "MatrixVectorActivation", "StreamingFCLayer")
        bits = thresholds and not options.get("noActivation") and options.get("outputDataType") == "BINARY"
        bits = bits and not options.get("ActVal")
    return str(node.output[0]) if bits else None


def _served(source: str, readers: dict[str, list[Node]]) -> set[str]:
    """What reads a stream behind all that only moves it."""
    found, open_ = set[str](), [source]
    while open_:
        tensor = open_.pop()
        if not readers[tensor]:
            found.add(tensor)
        for node in readers[tensor]:
            if base_name(node) in MOVING:
                open_ += node.output
            else:
                found.add(node.output[0])
    return found
