"""What a module takes and gives: tensors in tuples, lists and dicts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

_INTEGERS = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}


def leaves(value: Any) -> Iterator[Any]:
    """The tensors in a value, and whatever else is no container, in their order."""
    if isinstance(value, tuple | list):
        for part in value:
            yield from leaves(part)
    elif isinstance(value, dict):
        for key in value:
            yield key
            yield from leaves(value[key])
    else:
        yield value


def tensors(value: Any) -> list[Tensor]:
    """The tensors in a value."""
    found: list[Tensor] = []
    _gather(value, found)
    return found


def _gather(value: Any, found: list[Tensor]) -> None:
    if isinstance(value, Tensor):
        found.append(value)
    elif isinstance(value, tuple | list):
        for part in value:
            _gather(part, found)
    elif isinstance(value, dict):
        for part in value.values():
            _gather(part, found)


def first_tensor(value: Any) -> Tensor | None:
    """The first tensor in a value: of a recurrent module its output, of an attention what it attends to."""
    return value if isinstance(value, Tensor) else next(iter(tensors(value)), None)


def with_first(value: Any, tensor: Tensor) -> Any:
    """The value with another tensor as its first."""
    if isinstance(value, Tensor):
        return tensor
    if isinstance(value, tuple) and hasattr(value, "_replace"):  # a named tuple, as tensors of Brevitas
        return value._replace(**{_fields(value)[0]: with_first(value[0], tensor)})
    assert isinstance(value, tuple | list)
    parts = list(value)
    for i, part in enumerate(parts):
        if tensors(part):
            parts[i] = with_first(part, tensor)
            break
    return _sequence(value, parts)


def _sequence(like: Any, parts: list[Any]) -> Any:
    """Parts in a tuple or list of the same type, as a named result of ``torch.max``."""
    return type(like)(parts)


def _fields(value: Any) -> tuple[str, ...]:
    names: tuple[str, ...] = value._fields
    return names


def shared(output: Any, inputs: Any) -> bool:
    """Whether the first tensor of an output has its memory in common with another one, or with itself, as an expanded
    tensor has."""
    first, *others = [output] if isinstance(output, Tensor) else tensors(output)
    memory = first.untyped_storage().data_ptr()
    same_memory = any(other.untyped_storage().data_ptr() == memory for other in (*others, *tensors(inputs)))
    return same_memory or 0 in first.stride()


def in_common(value: Any, tensor: Tensor) -> bool:
    """Whether a tensor in a value has its memory in common with this one."""
    memory = tensor.untyped_storage().data_ptr()
    return any(part.untyped_storage().data_ptr() == memory for part in tensors(value))


def copied(value: Any) -> Any:
    """The value with copies of its tensors."""
    if isinstance(value, Tensor):
        return value.clone()
    if isinstance(value, tuple) and hasattr(value, "_replace"):
        return type(value)(*map(copied, value))
    if isinstance(value, tuple | list):
        return _sequence(value, [copied(part) for part in value])
    if isinstance(value, dict):
        return {key: copied(part) for key, part in value.items()}
    return value


def same_bits(a: Tensor, b: Tensor) -> bool:
    """Whether two tensors are the same, bit for bit: 0 is not -0, and a NaN equals itself."""
    if a is b:
        return True
    if not alike(a, b):
        return False
    return torch.equal(_bits(a), _bits(b))


def same_rows(a: Tensor, b: Tensor) -> npt.NDArray[np.bool_]:
    """Which rows [N] of two tensors [N, ...] are the same, as by `same_bits`: one question to a device, not N.

    Two tensors that differ in shape or type have no row in common.
    """
    if not alike(a, b):
        return np.zeros(len(a), np.bool_)
    equal = (_bits(a) == _bits(b)).unflatten(0, (len(a), 1)).flatten(1)
    found: npt.NDArray[np.bool_] = equal.all(1).cpu().numpy()
    return found


def alike(a: Tensor, b: Tensor) -> bool:
    """Whether two tensors are of one type and shape and on one device."""
    return a.dtype == b.dtype and a.shape == b.shape and a.device == b.device


def _bits(tensor: Tensor) -> Tensor:
    """The words of floats as integers; other tensors as they are."""
    if not tensor.is_floating_point():
        return tensor
    return tensor.contiguous().view(_INTEGERS[tensor.element_size()])


def same(a: Any, b: Any) -> bool:
    """Whether two values are the same, bit for bit."""
    if a is b:
        return True
    first, second = list(leaves(a)), list(leaves(b))
    if len(first) != len(second) or type(a) is not type(b):
        return False
    return all(
        same_bits(x, y) if isinstance(x, Tensor) and isinstance(y, Tensor) else x is y or (_plain(x) and x == y)
        for x, y in zip(first, second, strict=True)
    )


def _plain(value: Any) -> bool:
    return isinstance(value, int | float | str | bool | type(None))
