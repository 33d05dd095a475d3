"""Damage to JSON: values of other types, extreme numbers, missing, foreign and repeated keys, deep nesting."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any

from tests.fuzz.target import Rng

RAW = (
    "NaN", "Infinity", "-Infinity", "1e999", "-1e999", "9" * 30, "9" * 5000, "1e308", "-0.0", "1E400",
    "[" * 100_000 + "]" * 100_000, '{"a":' * 3000 + "1" + "}" * 3000, '"\\ud800"', '"\\u0000"', "nul", "",
    '{"a":1,"a":2}',
)  # fmt: skip
"""JSON, or nearly, that `json.dumps` does not write."""
VALUES: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 2, 3, 255, 256, 65_536, 2**31 - 1, 2**31, 2**32, 2**53, 2**63, -(2**63), 2**64, 10**18,
    10**30, 0.5, -1.5, 1e300, "", "a", "conv0", "0", "-1", "INT8", "INT999999999", "x" * 10_000, "\x1b[2J\x07\x00",
    "‮abc", "a\nb", [], [[]], [None], [0], [1, 2, 3], [-1] * 5, {}, {"a": {}}, [[0] * 300] * 3, "../../etc/passwd",
)  # fmt: skip


def spoiled(content: Any, rng: Rng) -> str:
    """The text of a JSON document with one to three things wrong in it."""
    tree = json.loads(json.dumps(content))
    raw: list[str] = []
    for _ in range(int(rng.integers(1, 4))):
        tree = _spoil(tree, rng, raw)
    text = json.dumps(tree)
    for number, token in enumerate(raw):
        text = text.replace(f'"@{number}@"', token)
    return text


def _spoil(tree: Any, rng: Rng, raw: list[str]) -> Any:
    steps: list[tuple[Any, Any]] = []
    here = tree
    while isinstance(here, dict | list) and here and rng.random() < 0.85:
        key: Any = int(rng.integers(len(here))) if isinstance(here, list) else list(here)[int(rng.integers(len(here)))]
        steps.append((here, key))
        here = here[key]
    if not steps:
        return _other(here, rng, raw)
    holder, key = steps[-1]
    what = rng.random()
    if what < 0.2:
        del holder[key]
    elif what < 0.3 and isinstance(holder, dict):
        holder[str(key) + str(rng.choice(["x", "\x1b[31m", " ", ""]))] = _other(here, rng, raw)
        holder["unknown"] = 1
    elif what < 0.4 and isinstance(holder, list):
        holder.insert(key, deepcopy(holder[key]))
    else:
        holder[key] = _other(here, rng, raw)
    return tree


def _other(value: Any, rng: Rng, raw: list[str]) -> Any:
    what = rng.random()
    if isinstance(value, int) and not isinstance(value, bool) and what < 0.35:
        return value + int(rng.choice([-1, 1, 2, -100, 1000]))
    if what < 0.5:
        raw.append(RAW[int(rng.integers(len(RAW)))])
        return f"@{len(raw) - 1}@"
    return deepcopy(VALUES[int(rng.integers(len(VALUES)))])
