"""Arguments of public functions: a wrong type is told at the door, with what was expected, what came, and what helps.

The types are those of the function's signature; they are looked at, not converted. Of a sequence the first entry is
looked at.
"""

from __future__ import annotations

import collections.abc
import inspect
import numbers
import os
import re
import sys
import threading
import types
import typing
from collections.abc import Callable
from functools import cache, wraps
from typing import Any, Literal, ParamSpec, TypeVar

from fat_fpga.errors import ArgumentError

P = ParamSpec("P")
R = TypeVar("R")

HELP = {
    "Network": "fat_fpga.load_network reads one, as load_network('cnv.onnx')",
    "Subject": "fat_fpga.modules.ModuleSubject makes one of a PyTorch module",
    "Dataset": "fat_fpga.load_data reads one, as load_data('cifar10:DIR')",
    "Run": "fat_fpga.Run.open reads one from a run file",
    "Plan": "fat_fpga.read_plan reads one from a file",
    "Fault": "fat_fpga.parse_fault reads one from text",
    "FaultSpace": "fat_fpga.fault_space makes one",
    "Comparison": "fat_fpga.reports.compare makes one of several runs",
    "Verification": "fat_fpga.hardening.verify makes one",
    "CrossCheck": "fat_fpga.crosscheck.crosscheck makes one",
    "ndarray": "numpy.asarray makes one",
}
"""Where a user gets an object of a class."""


PLAIN = {
    os.PathLike: "path",
    dict: "dict",
    int: "a whole number",
    float: "a number",
    str: "text",
}
"""What to call types that are not ours."""

_door = threading.local()


def checked(function: Callable[P, R]) -> Callable[P, R]:
    """A public function that refuses arguments of wrong types with an `ArgumentError`.

    What such a function calls in turn, in the same thread, is not looked at again: a campaign calls some once for each
    of a million faults.
    """
    names = list(inspect.signature(function).parameters)

    @wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        if getattr(_door, "passed", False):
            return function(*args, **kwargs)
        hints = _hints(function)
        for name, value in (*zip(names, args, strict=False), *kwargs.items()):
            if name in hints and not fits(value, hints[name]):
                raise ArgumentError(_message(f"{function.__qualname__}: {name}", value, hints[name]))
        _door.passed = True
        try:
            return function(*args, **kwargs)
        finally:
            _door.passed = False

    return call


@cache
def _hints(function: Callable[..., Any]) -> dict[str, Any]:
    """Types of the arguments. A type that is imported for type checkers only is not known, and not checked."""
    found = {}
    module = vars(sys.modules[function.__module__])
    for name, text in function.__annotations__.items():
        if name != "return":
            try:
                found[name] = eval(text, module) if isinstance(text, str) else text
            except (NameError, AttributeError, TypeError):
                continue
    return found


def fits(value: object, hint: Any) -> bool:
    """Whether a value is of a type, as far as that can be told without going through it."""
    origin, parts = typing.get_origin(hint), typing.get_args(hint)
    if hint is Any or isinstance(hint, (TypeVar, str)):
        return True
    if origin in (typing.Union, types.UnionType):
        return any(fits(value, part) for part in parts)
    if origin is Literal:
        return isinstance(value, tuple({type(part) for part in parts}))
    kind = origin or hint
    if kind is None or kind is type(None):
        return value is None
    if kind in (int, float):
        return isinstance(value, numbers.Integral if kind is int else numbers.Real)  # numpy's numbers are registered
    if kind is bool or not isinstance(kind, type):
        return True
    if kind is collections.abc.Sequence:
        kind = collections.abc.Collection  # what has a length and an order; a set of names will do
    if getattr(kind, "_is_protocol", False) and not getattr(kind, "_is_runtime_protocol", False):
        return not isinstance(value, (str, int, float, os.PathLike))
    if not isinstance(value, kind):
        return False
    if issubclass(kind, collections.abc.Iterable) and kind is not str and isinstance(value, (str, bytes)):
        return kind is bytes
    if isinstance(value, (list, tuple)) and value and parts and kind is not type:
        return fits(value[0], parts[0])
    return True


def _message(where: str, value: object, hint: Any) -> str:
    expected = " or ".join(_names(hint))
    helps = "; ".join(text for kind, text in HELP.items() if re.search(rf"\b{kind}\b", expected))
    got = _what(value)
    if isinstance(value, (list, tuple)) and value:
        got = f"a {type(value).__name__} that starts with {_what(value[0])}"
    return f"{where}: expected {expected}, got {got}{'; ' if helps else ''}{helps}"


def _what(value: object) -> str:
    if value is None:
        return "None"
    shown = repr(value)
    return f"the {type(value).__name__} {shown if len(shown) <= 60 else f'{shown[:57]}...'}"


def _names(hint: Any) -> list[str]:
    """What to call the types of a hint."""
    origin, parts = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return list(dict.fromkeys(name for part in parts for name in _names(part)))
    if hint is None or hint is type(None):
        return ["None"]
    kind = origin or hint
    if kind in PLAIN:
        return [PLAIN[kind]]
    if isinstance(kind, type) and issubclass(kind, collections.abc.Iterable) and parts and kind.__name__ != "ndarray":
        what = "a sequence" if kind in (collections.abc.Sequence, collections.abc.Iterable) else f"a {kind.__name__}"
        return [f"{what} of {' or '.join(_names(parts[0]))}"]
    return [getattr(kind, "__name__", str(kind))]
