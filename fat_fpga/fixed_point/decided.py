"""The classes in what a float network puts out."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from fat_fpga.errors import ModelError
from fat_fpga.fixed_point.float_model import FloatModel
from fat_fpga.fixed_point.step import Step
from fat_fpga.network.lowering.operators import MOVES, PASSIVE

MIDDLES = {"Sigmoid": 0.5, "HardSigmoid": 0.5, "Tanh": 0.0}
"""Of a single output, by the function that makes it, the value above which the class is 1. Behind a product it is 0."""


class Decision:
    """Tells the classes in the output of a float network, as the integer network that it becomes does.

    Args:
        model: its output is the scores of the classes, a single score, or the number of the class.

    Attributes:
        output: the tensor that tells.

    Raises:
        ModelError: the output tells no class.
    """

    def __init__(self, model: FloatModel) -> None:
        self._model = model
        self.output = next(iter(model.graph.outputs))
        last, tensor = self._last()
        self._operator = last.node.op_type
        self._numbers = self._operator in ("ArgMax", "TopK")
        if self._operator == "TopK" and tensor == last.node.output[0]:
            if last.node.output[1] not in model.graph.outputs:
                raise ModelError(f"{model.name}: it puts out the largest score, and not which class has it")
            self.output = last.node.output[1]
        self._middle = 0.0 if last.product is not None else MIDDLES.get(self._operator)

    def classes(self, output: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
        """Classes int64 [N] of what is put out for N images.

        Raises:
            ModelError: a single output is made by a function whose middle is not known.
        """
        rows = output.reshape(len(output), -1)
        if self._numbers:
            numbers: npt.NDArray[np.int64] = rows[:, 0].astype(np.int64)
            return numbers
        if rows.shape[1] > 1:
            best: npt.NDArray[np.int64] = rows.argmax(axis=1)
            return best
        if self._middle is None:
            raise ModelError(
                f"{self._model.name}: its one output is made by {self._operator}: expected a product, or "
                f"{', '.join(MIDDLES)} behind it, to know which values are class 1"
            )
        return (rows[:, 0] > self._middle).astype(np.int64)

    def _last(self) -> tuple[Step, str]:
        """The step that makes the output, without what only moves it, and the tensor that is moved."""
        made = {name: step for step in self._model.steps for name in step.node.output}
        tensor = self.output
        while made[tensor].node.op_type in (*MOVES, *PASSIVE) and made[tensor].node.input[0] in made:
            tensor = made[tensor].node.input[0]
        return made[tensor], tensor
