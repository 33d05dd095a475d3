"""A board made of FINN's partitions: registers in Python, everything else computed by FINN's operators.

Nothing of it comes from the description that the runner reads: sizes are the nodes', thresholds those of FINN's weight
files, and bytes are packed and unpacked by FINN.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from fat_fpga.board.stream import Bytes, StreamLayout
from fat_fpga.faults.register import Register
from tests.board.blocks import Block, ChecksumBlock, SaboteurBlock, VoterBlock

PASSING = ("IODMA", "StreamingDataWidthConverter", "StreamingFIFO", "FatChecksum", "FatSaboteur")
"""Operators whose output is their input, but for what our block in their place does."""


class Thresholds(Block):
    """A writable threshold memory, filled from the file that FINN writes for it."""

    def __init__(self, node: Any, tensor: np.ndarray) -> None:
        numbers = np.arange(tensor.size, dtype=np.float32).reshape(tensor.shape)
        before = node.get_nodeattr("weightDataType")
        node.set_nodeattr("weightDataType", "INT32")
        self.order = {4 * at: int(word) for at, word in enumerate(self._file(node, numbers + 1))}
        node.set_nodeattr("weightDataType", before)
        self.shape, self.bits = tensor.shape, node.get_input_datatype(1).bitwidth()
        self.signed = node.get_input_datatype(1).signed()
        super().__init__({4 * at: int(word) for at, word in enumerate(self._file(node, tensor))})

    @staticmethod
    def _file(node: Any, tensor: np.ndarray) -> np.ndarray:
        with tempfile.TemporaryDirectory() as folder:
            path = str(Path(folder) / "weights.dat")
            node.make_weight_file(tensor, "decoupled_runtime", path)
            return np.array([int(word, 16) for word in Path(path).read_text().split()], np.int64)

    def tensor(self) -> np.ndarray:
        """[C, T], as FINN's operators take it."""
        found = np.zeros(self.shape, np.float32)
        for offset, number in self.order.items():
            if number:  # 0 is padding
                word = self.words[offset] & (1 << self.bits) - 1
                negative = self.signed and word >> self.bits - 1
                found.flat[number - 1] = word - (1 << self.bits) if negative else word
        return found


class FinnBoard:
    """A device; ``names`` are those of the blocks in the memory map, as PYNQ would have them."""

    def __init__(self, model: Any) -> None:
        from qonnx.core.modelwrapper import ModelWrapper
        from qonnx.custom_op.registry import getCustomOp

        self.model = model
        partitions = model.get_nodes_by_op_type("StreamingDataflowPartition")
        self._inside = [(p.name, ModelWrapper(getCustomOp(p).get_nodeattr("model"))) for p in partitions]
        self.restart()
        self.names = {name: name for name in self._blocks}
        self._nodes = [node for _, inside in self._inside for node in inside.graph.node]
        self.input = self._layout(getCustomOp(self._first("IODMA", behind=True)), front=True)
        self.output = self._layout(getCustomOp(self._nodes[-2]))

    def restart(self) -> None:
        self._blocks: dict[str, Block] = {}
        self._of: dict[str, Block] = {}
        for name, inside in self._inside:
            block = next(filter(None, (self._block(node, inside) for node in inside.graph.node)), None)
            if block is not None:
                self._blocks[name] = block

    def bus(self, address: Any) -> Bus:
        return Bus(self, str(address))

    def transfer(self, data: Bytes, beats: int, beat_bytes: int) -> Bytes:
        from finn_plus_driver.packing import finnpy_to_packed_bytearray, packed_bytearray_to_finnpy

        source, target = self.model.graph.input[0].name, self.model.graph.output[0].name
        shape, pixels = self.model.get_tensor_shape(source), self.model.get_tensor_datatype(source)
        classes = self.model.get_tensor_datatype(target)
        frames, found = len(data) // self.input.beats, []
        for frame in data.reshape(frames, 1, self.input.beats, self.input.beat_bytes):
            folded = (1, self.input.beats, self.input.lanes)
            values = packed_bytearray_to_finnpy(frame, pixels, folded, reverse_endian=True, reverse_inner=True)
            out = self._execute(values.reshape(shape).astype(np.float32))
            found.append(
                finnpy_to_packed_bytearray(out.reshape(1, 1), classes, reverse_endian=True, reverse_inner=True)
            )
        return np.concatenate(found).reshape(beats, beat_bytes).astype(np.uint8)

    def _execute(self, values: np.ndarray) -> np.ndarray:
        from qonnx.core.onnx_exec import execute_node
        from qonnx.custom_op.registry import getCustomOp

        for _, inside in self._inside:
            for node in inside.graph.node:
                block = self._of.get(node.name)
                if block is not None and not isinstance(block, Thresholds):
                    words = block.passes(self._words(node, values))
                    values = self._values(node, words, values.shape)
                if node.op_type.startswith(PASSING):
                    continue
                constants = {i.name: inside.get_initializer(i.name) for i in inside.graph.initializer}
                context = {**constants, node.input[0]: values, node.output[0]: None}
                if isinstance(block, Thresholds):
                    context[node.input[1]] = block.tensor()
                plain = type(node)()
                plain.CopyFrom(node)
                if not node.op_type.startswith("Fat"):  # in Python, instead of in a simulator
                    plain.op_type = node.op_type.rsplit("_", 1)[0]
                    plain.domain = "finn.custom_op.fpgadataflow"
                getCustomOp(plain)
                context[node.output[0]] = np.zeros(inside.get_tensor_shape(node.output[0]), np.float32)
                execute_node(plain, context, inside.graph, 1, True)
                values = context[node.output[0]]
        return values

    def _block(self, node: Any, inside: Any) -> Block | None:
        from qonnx.custom_op.registry import getCustomOp

        custom = getCustomOp(node)
        block: SaboteurBlock | ChecksumBlock | VoterBlock | Thresholds | None = None
        if node.op_type == "FatSaboteur_rtl":
            block = SaboteurBlock(self._layout(custom))
        elif node.op_type == "FatChecksum_rtl":
            block = ChecksumBlock(self._layout(custom))
        elif node.op_type == "FatVoter_rtl":
            block = VoterBlock(self._layout(custom, front=True), self._layout(custom), custom.sources)
        elif node.op_type == "Thresholding_rtl" and custom.get_nodeattr("runtime_writeable_weights"):
            block = Thresholds(custom, inside.get_initializer(node.input[1]))
        if block is not None:
            self._of[node.name] = block
        return block

    @staticmethod
    def _layout(custom: Any, front: bool = False) -> StreamLayout:
        shape = custom.get_normal_input_shape() if front else custom.get_normal_output_shape()
        folded = custom.get_folded_input_shape() if front else custom.get_folded_output_shape()
        datatype = custom.get_input_datatype() if front else custom.get_output_datatype()
        height, width = shape[1:3] if len(shape) == 4 else (1, 1)
        return StreamLayout(shape[-1], height, width, folded[-1], Register(datatype.bitwidth(), datatype.signed()))

    def _first(self, prefix: str, behind: bool) -> Any:
        at = next(number for number, node in enumerate(self._nodes) if node.op_type.startswith(prefix))
        return self._nodes[at + behind]

    @staticmethod
    def _words(node: Any, values: np.ndarray) -> np.ndarray:
        from qonnx.custom_op.registry import getCustomOp

        datatype = getCustomOp(node).get_input_datatype()
        integers = values.astype(np.int64)
        integers = (integers + 1) // 2 if datatype.name == "BIPOLAR" else integers & (1 << datatype.bitwidth()) - 1
        image = integers if integers.ndim == 4 else integers.reshape(1, 1, 1, -1)
        return image.transpose(0, 3, 1, 2)

    @staticmethod
    def _values(node: Any, words: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        from qonnx.custom_op.registry import getCustomOp

        datatype = getCustomOp(node).get_input_datatype()
        bits = datatype.bitwidth()
        values = words.transpose(0, 2, 3, 1).reshape(shape)
        if datatype.name == "BIPOLAR":
            return (2 * values - 1).astype(np.float32)
        return np.where(datatype.signed() & (values >> bits - 1), values - (1 << bits), values).astype(np.float32)


class Bus:
    """A block, found anew at each access, as a restart makes new ones."""

    def __init__(self, board: FinnBoard, name: str) -> None:
        self.board, self.name = board, name

    def read(self, offset: int = 0) -> int:
        return self.board._blocks[self.name].read(offset)

    def write(self, offset: int, data: int) -> None:
        self.board._blocks[self.name].write(offset, data)
