"""onnxruntime's operators on integers (QOperator form, ConvInteger, MatMulInteger), as quantisers and float operators.

Streams are read as integers with a step of 1, and the scales become factors, as onnxruntime's own kernels compute:
``round(sum * (scale of x * scale of w / scale of y)) + zero point``, with the quotient in float32.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import helper

from fat_fpga.network.lowering.forms.rewriting import MICROSOFT, Rewriter, Rule
from fat_fpga.network.lowering.graph import Node, attributes, refuse
from fat_fpga.network.lowering.matrix import INTEGER_SUMS, check_weights
from fat_fpga.network.lowering.softmax import ROUNDED

Numbers = npt.NDArray[Any]
ONE = np.float32(1)


def qoperator_rule(node: Node) -> Rule | None:
    return _RULES.get(node.op_type) if node.domain in ("", "ai.onnx", MICROSOFT) else None


def _integers(node: Node, rewriter: Rewriter, tensor: int, zero: int, axis: int | None = None) -> str:
    """An input's integers as floats, the zero point taken off; per channel along ``axis`` where it has several.

    All that read a tensor with one zero point read the same one.
    """
    name, given = str(node.input[tensor]), len(node.input) > zero and node.input[zero]
    zeros = rewriter.constant(node, zero) if given else np.zeros((), np.uint8)
    if zeros.size > 1 and axis is None:
        raise refuse(node, "its zero points of activations differ between the channels")
    key = name, f"{axis} {zeros.dtype} {zeros.tolist()}" if zeros.size > 1 else str(zeros.ravel()[0])
    if key not in rewriter.shared:
        zeros = zeros if zeros.size > 1 else zeros.reshape(())
        inputs = [rewriter.store(np.ones(zeros.shape, np.float32), name)]
        if given:
            inputs.append(rewriter.store(zeros, name, dtype=None))
        options: dict[str, Any] = {"axis": axis} if zeros.size > 1 else {}
        rewriter.shared[key] = rewriter.emit(node, "DequantizeLinear", [name, *inputs], **options)
    return rewriter.shared[key]


def _number(node: Node, rewriter: Rewriter, position: int) -> Numbers:
    return rewriter.constant(node, position).astype(np.float32)


def _scaled(node: Node, rewriter: Rewriter, tensor: str, factors: Numbers, rank: int | None = None) -> str:
    """A tensor times one factor, or one for each channel: along axis 1 of ``rank`` axes, or along the last one."""
    flat = factors.ravel()
    if flat.size > 1 and rank is not None:
        flat = flat.reshape(-1, *[1] * (rank - 2))
    return rewriter.emit(node, "Mul", [tensor, rewriter.store(flat if flat.size > 1 else flat[0], tensor)])


def _stored(node: Node, rewriter: Rewriter, tensor: str, zero: int) -> None:
    """Round to the integers of the node's output, whose zero point is at a position of its inputs."""
    zeros = [node.input[zero]] if len(node.input) > zero and node.input[zero] else []
    if zeros:
        zeros = [rewriter.store(rewriter.constant(node, zero).reshape(()), node.input[zero], dtype=None)]
    one = rewriter.store(ONE, node.output[0])
    rewriter.emit(node, "QuantizeLinear", [tensor, one, *zeros], node.output[0])


def _kept(node: Node, *names: str) -> dict[str, Any]:
    return {key: value for key, value in attributes(node).items() if key in names}


WINDOWS = ("auto_pad", "dilations", "group", "kernel_shape", "pads", "strides")


def _facing(node: Node, rewriter: Rewriter, tensor: str) -> tuple[str, bool]:
    """A tensor with its channels first, and whether the node has them last."""
    last = bool(attributes(node).get("channels_last", 0))
    return (rewriter.channels_first(node, tensor, rewriter.axes_of(tensor) or 4), True) if last else (tensor, False)


def _turned(node: Node, rewriter: Rewriter, tensor: str, last: bool) -> str:
    return rewriter.channels_last(node, tensor, rewriter.axes_of(tensor) or 4) if last else tensor


def _product(
    node: Node, rewriter: Rewriter, operator: str, inputs: Sequence[str], bias: int | None = None, **options: Any
) -> str:
    """A Conv, Gemm or MatMul of integers, its bias with it; its sums are noted to be integers."""
    terms = [*inputs]
    if bias is not None and len(node.input) > bias and node.input[bias]:
        terms.append(rewriter.store(rewriter.constant(node, bias).astype(np.float32), node.input[bias]))
    made = rewriter.emit(node, operator, terms, **options, named=True)
    rewriter.model.metadata_props.add(key=INTEGER_SUMS + made, value="1")
    return made


def _convolution(node: Node, rewriter: Rewriter) -> None:
    """QLinearConv: x, its scale and zero point, w, its own, those of y, and a bias."""
    weights = rewriter.constant(node, 3)
    source, last = _facing(node, rewriter, _integers(node, rewriter, 0, 2))
    inputs = [source, _integers(node, rewriter, 3, 5, axis=0)]
    sums = _product(node, rewriter, "Conv", inputs, 8, **_kept(node, *WINDOWS))
    factors = _number(node, rewriter, 1) * _number(node, rewriter, 4) / _number(node, rewriter, 6)
    made = _scaled(node, rewriter, sums, factors, weights.ndim)
    _stored(node, rewriter, _turned(node, rewriter, made, last), 7)


def _matrix(node: Node, rewriter: Rewriter) -> None:
    """QLinearMatMul: a, its scale and zero point, b, its own, those of y."""
    check_weights(node, rewriter.is_constant(node.input[3]))
    axis = rewriter.constant(node, 3).ndim - 1
    sums = _product(
        node, rewriter, "MatMul", [_integers(node, rewriter, 0, 2), _integers(node, rewriter, 3, 5, axis=axis)]
    )
    factors = _number(node, rewriter, 1) * _number(node, rewriter, 4) / _number(node, rewriter, 6)
    _stored(node, rewriter, _scaled(node, rewriter, sums, factors), 7)


def _gemm(node: Node, rewriter: Rewriter) -> None:
    """QGemm: as QLinearMatMul, with a bias in front of y's scale and zero point; without these, y is real."""
    options = attributes(node)
    axis = 0 if options.get("transB") else 1
    inputs = [_integers(node, rewriter, 0, 2), _integers(node, rewriter, 3, 5, axis=axis)]
    sums = _product(node, rewriter, "Gemm", inputs, 6, **_kept(node, "transA", "transB"))
    factors = np.float32(options.get("alpha", 1.0)) * _number(node, rewriter, 1) * _number(node, rewriter, 4)
    if len(node.input) > 7 and node.input[7]:
        _stored(node, rewriter, _scaled(node, rewriter, sums, factors / _number(node, rewriter, 7)), 8)
    else:
        made = _scaled(node, rewriter, sums, factors)
        rewriter.emit(node, "Identity", [made], node.output[0])


def _sum(node: Node, rewriter: Rewriter) -> None:
    """QLinearAdd: its zero point is added before it rounds, so that there is a tie where onnxruntime's has one."""
    scales = [_number(node, rewriter, position).reshape(()) for position in (1, 4, 6)]
    target = rewriter.constant(node, 7) if len(node.input) > 7 and node.input[7] else np.zeros((), np.uint8)
    terms = [
        _scaled(node, rewriter, _integers(node, rewriter, position, position + 2), scale / scales[2])
        for position, scale in zip((0, 3), scales[:2], strict=True)
    ]
    made = rewriter.emit(node, "Add", terms, named=True)
    made = rewriter.emit(node, "Add", [made, rewriter.store(target.ravel()[0], node.output[0])])
    none = rewriter.store(np.zeros((), target.dtype), node.output[0], dtype=None)
    rewriter.emit(node, "QuantizeLinear", [made, rewriter.store(ONE, made), none], node.output[0])


def _real(node: Node, rewriter: Rewriter, position: int = 0) -> str:
    """An input's real values."""
    integers = _integers(node, rewriter, position, position + 2)
    return _scaled(node, rewriter, integers, _number(node, rewriter, position + 1))


def _function(operator: str, *kept: str) -> Rule:
    """A function of real values, as onnxruntime's tables have it: x, its scale and zero point, those of y."""

    def rule(node: Node, rewriter: Rewriter) -> None:
        source, last = _facing(node, rewriter, _real(node, rewriter))
        made = rewriter.emit(node, operator, [source], **_kept(node, *kept), named=True)
        _requantised(node, rewriter, _turned(node, rewriter, made, last), 3)

    return rule


def _requantised(node: Node, rewriter: Rewriter, tensor: str, position: int) -> None:
    inputs = [name for name in node.input[position : position + 2] if name]
    rewriter.emit(node, "QuantizeLinear", [tensor, *inputs], node.output[0])


def _concatenated(node: Node, rewriter: Rewriter) -> None:
    """QLinearConcat: y's scale and zero point, and x, its scale and zero point for each input."""
    scale, zero = node.input[:2]
    parts = []
    for position in range(2, len(node.input), 3):
        stored = rewriter.emit(node, "QuantizeLinear", [_real(node, rewriter, position), scale, zero])
        parts.append(rewriter.emit(node, "DequantizeLinear", [stored, scale, zero]))
    made = rewriter.emit(node, "Concat", parts, axis=int(attributes(node)["axis"]), named=True)
    rewriter.emit(node, "QuantizeLinear", [made, scale, zero], node.output[0])


def _multiplied(node: Node, rewriter: Rewriter) -> None:
    """QLinearMul of a stream and a constant."""
    constants = [rewriter.is_constant(node.input[position]) for position in (0, 3)]
    if not any(constants):
        raise refuse(node, "a product of two activations is not supported")
    made = rewriter.emit(node, "Mul", [_real(node, rewriter, 0), _real(node, rewriter, 3)], named=True)
    _requantised(node, rewriter, made, 6)


def _softmax(node: Node, rewriter: Rewriter) -> None:
    """QLinearSoftmax: x, its scale and zero point, those of y. What comes out is only compared, so it stays real."""
    zero = rewriter.constant(node, 4)
    room, one = int(np.iinfo(zero.dtype).max) - int(zero.ravel()[0]), float(np.floor(ONE / _number(node, rewriter, 3)))
    made = rewriter.emit(node, "Softmax", [_real(node, rewriter)], node.output[0], **_kept(node, "axis"))
    told = f"{float(_number(node, rewriter, 1))!r} {one!r} {room}"
    rewriter.model.metadata_props.add(key=ROUNDED + made, value=told)
    rewriter.chosen.add(made)


def _without_kernel(node: Node, rewriter: Rewriter) -> None:
    """Operators that onnxruntime has on paper."""
    raise refuse(
        node,
        "onnxruntime has no kernel for it on processors, so nothing tells what it rounds to: take "
        f"{node.op_type.removeprefix('QLinear')} between DequantizeLinear and QuantizeLinear (QDQ)",
    )


def _integer_sums(operator: str) -> Rule:
    """ConvInteger and MatMulInteger: x, w, and their zero points; the sums are read as floats."""

    def rule(node: Node, rewriter: Rewriter) -> None:
        check_weights(node, rewriter.is_constant(node.input[1]))
        axis = 0 if operator == "Conv" else rewriter.constant(node, 1).ndim - 1
        inputs = [_integers(node, rewriter, 0, 2), _integers(node, rewriter, 1, 3, axis=axis)]
        options = _kept(node, *WINDOWS) if operator == "Conv" else {}
        made = _product(node, rewriter, operator, inputs, **options)
        rewriter.emit(node, "Identity", [made], node.output[0])
        rewriter.sums.add(node.output[0])

    return rule


def on_sums(node: Node, rewriter: Rewriter) -> bool:
    """Take in a node on integers that are read as floats, sums of 32 bits or what a softmax yields; False where it
    reads none of them."""
    if node.op_type == "DequantizeLinear" and node.input[0] in rewriter.chosen:
        rewriter.same(node)
        return True
    read = [name for name in node.input if name in rewriter.sums]
    if not read:
        return False
    inputs = list(node.input)
    if node.op_type == "DequantizeLinear":
        factors = rewriter.constant(node, 1)
        if len(node.input) > 2 and node.input[2] and rewriter.constant(node, 2).any():
            raise refuse(node, "sums of 32 bits with a zero point are not supported")
        rank = rewriter.axes_of(inputs[0]) if attributes(node).get("axis", 1) == 1 else None
        rewriter.emit(node, "Identity", [_scaled(node, rewriter, inputs[0], factors, rank)], node.output[0])
        return True
    for position, name in enumerate(inputs):
        if name and node.op_type in ON_SUMS and rewriter.is_constant(name):
            values = rewriter.constant(node, position)
            if values.dtype == np.int32:
                inputs[position] = rewriter.store(values, name)
    own = helper.make_node(node.op_type, inputs, list(node.output), node.name, domain=node.domain, **attributes(node))
    rewriter.add(own)
    if node.op_type != "Cast":
        rewriter.sums.update(node.output)
    return True


ON_SUMS = ("Add", "Sub", "Mul", "Max", "Min", "Clip")
"""Operators on sums of 32 bits, which float32 executes as well; their constants become floats."""
_RULES: dict[str, Callable[[Node, Rewriter], None]] = {
    "QLinearConv": _convolution,
    "QLinearMatMul": _matrix,
    "QGemm": _gemm,
    "QLinearAdd": _sum,
    "QLinearMul": _multiplied,
    "QLinearConcat": _concatenated,
    "QLinearSoftmax": _softmax,
    "QLinearReduceMean": _without_kernel,
    "QLinearConvTranspose": _without_kernel,
    "QLinearSigmoid": _function("Sigmoid"),
    "QLinearLeakyRelu": _function("LeakyRelu", "alpha"),
    "QLinearGlobalAveragePool": _function("GlobalAveragePool"),
    "QLinearAveragePool": _function("AveragePool", "ceil_mode", "count_include_pad", *WINDOWS),
    "ConvInteger": _integer_sums("Conv"),
    "MatMulInteger": _integer_sums("MatMul"),
}
