"""Faults of run files of version 2, which have index and effect as text and no digests."""

from __future__ import annotations

import re
import sqlite3
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from fat_fpga.campaign.columns import COLUMNS, INDEX, index_columns
from fat_fpga.campaign.database import damaged
from fat_fpga.campaign.fault_rows import BATCH, FaultRows
from fat_fpga.campaign.header import Header
from fat_fpga.campaign.origin import SETS
from fat_fpga.campaign.selection import kind_of
from fat_fpga.errors import FaultError
from fat_fpga.faults import MODELS, Fault, parse_fault

_EFFECT = re.compile(r"(?:bit\[(\d+)\] )?([=^]) \+?(-?\d+)(?: @ frame\[(\d+)\])?")

DIFFERS = f"""NOT ifnull(typeof(fault) = 'text' AND typeof(layer) = 'text' AND typeof(kind) = 'text'
    AND typeof("index") = 'text' AND typeof(effect) = 'text' AND (substr(kind, 1, {len(SETS)}) = '{SETS}'
    OR fault = layer || '/' || kind || '[' || "index" || CASE substr(effect, 1, 3) WHEN 'bit' THEN '].' ELSE '] ' END
    || effect), 0)"""
"""An SQL condition: the text form of a single fault is not made of its parts."""


def read_faults(connection: sqlite3.Connection, path: Path, header: Header) -> FaultRows:
    """All rows; CampaignError where the parts of a fault are not those of its text form."""
    for position, text in connection.execute(f"SELECT position, fault FROM fault WHERE {DIFFERS} LIMIT 1"):
        damaged(path, f"fault {position}, {text!r:.80}, is not what its columns say")
    cursor = connection.execute(
        'SELECT fault, layer, kind, "index", effect, correct, changed, correct FROM fault ORDER BY position LIMIT ?',
        (header.identity.asked,),
    )
    rows = FaultRows(path)
    try:
        while batch := cursor.fetchmany(BATCH):
            texts, layers, kinds, indices, effects, *counts = zip(*batch, strict=True)
            columns = list(zip(*map(_columns, texts, layers, kinds, indices, effects), strict=True))
            rows.add((texts, layers, kinds), counts, columns)
    except (TypeError, OverflowError) as error:
        damaged(path, f"table fault holds a value of another type ({error})")
    except (FaultError, ValueError) as error:
        damaged(path, f"table fault holds what is no fault ({error})")
    return rows


def _members(text: str, layer: str, kind: str) -> tuple[Fault, ...]:
    """The single faults of a set; ValueError where it is none of that kind in that layer."""
    fault = parse_fault(text)
    if (fault.layer, kind_of(fault)) != (layer, kind):
        raise ValueError(f"{text!r:.80} is not of kind {kind!r:.40}")
    return fault.faults


def _columns(text: str, layer: str, kind: str, index: str, effect: str) -> tuple[Any, ...]:
    """The typed columns of a fault, and its members; FaultError or ValueError where a text cannot be read."""
    if kind not in MODELS:
        return (*(None,) * len(COLUMNS), _members(text, layer, kind))
    numbers, _, of = index.partition(" of ")
    parts = list(map(int, numbers.split(",")))
    found = [None if at is None else parts[at] for at in _order(kind, len(parts))]
    return (*found, int(of) if of else None, *_effect(effect), ())


@cache
def _order(kind: str, parts: int) -> tuple[int | None, ...]:
    """Which number of an index is in which column of ``INDEX``."""
    own = index_columns(MODELS[kind])
    if len(own) != parts:
        raise ValueError(f"{kind} faults have {len(own)} numbers, not {parts}")
    return tuple(own.index(name) if name in own else None for name in INDEX)


@lru_cache(maxsize=4096)
def _effect(text: str) -> tuple[int | None, ...]:
    """``bit``, ``flip``, ``value``, ``frame`` of an effect's text form."""
    found = _EFFECT.fullmatch(text)
    if found is None:
        raise ValueError(f"effect {text!r:.40}")
    bit, sign, value, frame = found.groups()
    return (
        None if bit is None else int(bit),
        int(sign == "^"),
        int(value),
        None if frame is None else int(frame),
    )
