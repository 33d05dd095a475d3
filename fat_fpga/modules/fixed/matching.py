"""Which words of a fixed-point network are which of the module: found by running both without a fault."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from torch import Tensor

from fat_fpga.engines.images import Images
from fat_fpga.engines.reference import execute, predict
from fat_fpga.errors import ModelError
from fat_fpga.faults.activation import ActivationUpset
from fat_fpga.faults.register import activation_register, weight_register
from fat_fpga.fixed_point import FloatModel, Formats, parse_format
from fat_fpga.fixed_point.quantise import formats_in_front, rounded_bias
from fat_fpga.modules.batch import Batch, recorded
from fat_fpga.modules.fixed.addresses import Address, same_bits, stream_address, weight_address
from fat_fpga.modules.fixed.copy import FixedCopy
from fat_fpga.modules.fixed.given import Given, given, integers
from fat_fpga.modules.formats import format_of
from fat_fpga.modules.outcomes import predicted
from fat_fpga.modules.replay import Replay
from fat_fpga.modules.subject import ModuleSubject
from fat_fpga.network import Network
from fat_fpga.network.layers import IntArray
from fat_fpga.network.network import INPUT

IMAGES = 8
"""Random ones, on which both are run."""
Known = dict[tuple[str, str], Address]


def found_words(
    network: Network, subject: ModuleSubject, copy: FixedCopy, model: FloatModel, formats: Formats
) -> tuple[Known, dict[str, str]]:
    """Find the words of the network in the module.

    A stream belongs to the first module, in the order of computation, whose values are its integers. Where two streams
    are equal on all of the images, as where all is 0, that can be another one; then the roads differ under faults of
    it, and never agree by mistake.

    Args:
        subject: of the copy, with its formats.

    Returns:
        The addresses by place and kind, and the formats of the copy with those of what passes words on, as pools.

    Raises:
        ModelError: the two differ without a fault.
    """
    images = network.input.random(np.random.default_rng(0), IMAGES)
    streams = execute(network, images)
    seen, classes = _seen(subject, images)
    found: Known = {}
    passed = dict(copy.formats)
    calls = list(seen)
    for place, levels in network.levels_of.items():
        for number, (name, call) in enumerate(calls):
            form = _form(streams[place], seen[name, call], _tried(name, copy, model, formats))
            if form is None or passed.setdefault(_key(name), form) != form:
                continue
            calls = calls[number + 1 :]  # both are in the order of computation
            if same_bits(activation_register(levels), format_of(form)):
                kind, address = stream_address(name, call, streams[place].shape[1:])
                found[place, kind] = address
            break
    if not _same_sums(streams[network.units[-1].name], seen, copy, model, formats) or not np.array_equal(
        classes, predict(network, images)
    ):
        raise ModelError(
            f"{model.name}: the integer program and the module in fixed point differ without a fault: is there "
            "arithmetic outside its modules, which was folded into weights?"
        )
    return found | _weights(network, copy, model, formats), passed


def _seen(subject: ModuleSubject, images: Images) -> tuple[Given, npt.NDArray[np.int32]]:
    """What the input and each module give without a fault, and the classes."""
    with subject.loaded():
        batch = Batch.of(subject, subject.input.taken(images), 0, IMAGES)
        run = Replay(subject, batch.tensor, recorded(subject, batch.tensor), reuse=False)
        with given(subject.modules) as seen:
            scores = batch.own(run.anew())
    return {(INPUT, 0): batch.tensor, **seen}, predicted(scores.double().cpu().numpy())


def _key(name: str) -> str:
    return f"{name}/{ActivationUpset.kind}"


def _tried(name: str, copy: FixedCopy, model: FloatModel, formats: Formats) -> list[str]:
    """The formats that a module's values may have: its own, or, as of a pool, that of any words."""
    if _key(name) in copy.formats:
        return [copy.formats[_key(name)]]
    return list(dict.fromkeys(str(formats.activations_of(layer)) for layer in model.activated))


def _form(stream: IntArray, values: Tensor, forms: Sequence[str]) -> str | None:
    """The format in which values are the integers of a stream; None where there is none."""
    for form in forms:
        words = integers(values, parse_format(form).fraction_bits).cpu().numpy()
        if words.size == stream.size and (words.reshape(stream.shape) == stream).all():
            return form
    return None


def _same_sums(stream: IntArray, seen: Given, copy: FixedCopy, model: FloatModel, formats: Formats) -> bool:
    """Whether the sums of the last product are the same, without its biases."""
    layer, product = list(model.products.items())[-1]
    front = formats_in_front(model, formats)[layer]
    weights, values = formats.weights_of(layer), seen[copy.products[-1], 0]
    bias = rounded_bias(product, weights, front)
    sums = values.movedim(1 if values.dim() > 3 else -1, -1).cpu().numpy() - bias
    sums = np.moveaxis(sums, -1, 1) * 2.0 ** (weights.fraction_bits + front.fraction_bits)
    return sums.size == stream.size and bool((sums.reshape(stream.shape) == stream).all())


def _weights(network: Network, copy: FixedCopy, model: FloatModel, formats: Formats) -> Known:
    """Where the weights of each unit are, in the order of the products; only those that are the same integers."""
    found: Known = {}
    left = list(zip(copy.products, model.products.items(), strict=True))
    for unit in network.units:
        for number, (name, (layer, product)) in enumerate(left):
            form = formats.weights_of(layer)
            words, own = product.by_channel(form.quantise(product.weights)), unit.weights.reshape(len(unit.weights), -1)
            if own.shape == words.shape and (own == words).all():
                left = left[number + 1 :]
                if same_bits(weight_register(unit), format_of(str(form))):
                    kind, address = weight_address(name, unit.weights.shape)
                    found[unit.name, kind] = address
                break
    return found
