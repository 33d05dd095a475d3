"""Files with a fault built in, as `fat_fpga.engines.faulty_graph` writes them: back to the graph without it.

The fault's text is a property of the model. Its nodes and constants have names with a prefix, and the constants that
they stand in for are still in the file; so it can be taken out again, and what is left must have the fingerprint of the
network that the fault was built into.
"""

from __future__ import annotations

import onnx

from fat_fpga.errors import ModelError

FAULT, FAULT_FREE = "fat_fpga.fault", "fat_fpga.fault_free"
"""Keys of model properties: the text of the fault, and the fingerprint of the network without it."""
DATATYPE = "fat_fpga.datatype."
"""In front of a tensor's name, the key of the datatype that the tensor has without the fault, where it is another."""
PREFIX = "fault_"
"""Of the names of nodes and constants that make the fault."""


def fault_in(model: onnx.ModelProto) -> str:
    """The text of the fault that is in a model, empty where there is none."""
    return _property(model, FAULT)


def without_fault(model: onnx.ModelProto) -> onnx.ModelProto:
    """A copy of the model with the fault taken out; ModelError where its nodes are not as they were written."""
    bare = onnx.ModelProto()
    bare.CopyFrom(model)
    graph = bare.graph
    known = {tensor.name for tensor in graph.initializer}
    ends: dict[str, str] = {}  # of chains of the fault's nodes: from the tensor in front to the one behind
    for node in graph.node:
        if node.name.startswith(PREFIX):
            if len(node.output) != 1 or not node.input:
                raise ModelError(f"node '{node.name}' is none that a built-in fault has")
            before = next((front for front, last in ends.items() if last == node.input[0]), node.input[0])
            ends[before] = node.output[0]
    kept = [node for node in graph.node if not node.name.startswith(PREFIX)]
    for node in kept:
        node.output[:] = [ends.get(name, name) for name in node.output]
        node.input[:] = [
            name.removeprefix(PREFIX) if name.startswith(PREFIX) and name.removeprefix(PREFIX) in known else name
            for name in node.input
        ]
    del graph.node[:]
    graph.node.extend(kept)
    datatypes = {entry.key: entry.value for entry in model.metadata_props if entry.key.startswith(DATATYPE)}
    for annotation in graph.quantization_annotation:
        datatype = datatypes.get(DATATYPE + annotation.tensor_name)
        if datatype is not None:
            annotation.quant_parameter_tensor_names[0].value = datatype
    return bare


def check_fault_free(model: onnx.ModelProto, fingerprint: str) -> None:
    """ModelError unless what is left without the fault is the network that it was built into."""
    written = _property(model, FAULT_FREE)
    if written != fingerprint:
        raise ModelError(
            f"without the fault in it, it is not the network that the fault was built into ({written[:8]}, found "
            f"{fingerprint[:8]}): it has been changed since"
        )


def _property(model: onnx.ModelProto, key: str) -> str:
    """A property of a model, empty where it has none of that key."""
    return next((str(entry.value) for entry in model.metadata_props if entry.key == key), "")
