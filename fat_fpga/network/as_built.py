"""What the folder of a build says of the thresholds of its layers.

A board's ``board.json`` says it of each stream; a FINN build's ``thresholds.json`` of each layer.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from os import PathLike
from pathlib import Path

from fat_fpga.errors import ModelError
from fat_fpga.files import replacing
from fat_fpga.json_file import Entry, read_object
from fat_fpga.network.operators.threshold_logic import LOGICS

BOARD, BUILD = "board.json", "thresholds.json"
FORMAT = 1


def write_logics(folder: str | PathLike[str], fingerprint: str, logics: Mapping[str, str]) -> None:
    """Write ``thresholds.json``: the logic of each layer of the network with that fingerprint."""
    with replacing(Path(folder) / BUILD) as temporary:
        content = {"format": FORMAT, "fingerprint": fingerprint, "thresholds": dict(logics)}
        temporary.write_text(json.dumps(content, indent=2) + "\n")


def read_logics(folder: str | PathLike[str], fingerprint: str) -> dict[str, str] | None:
    """The logic of each layer that a build in this folder knows of; None where the folder holds no build, or one of
    another network.

    Raises:
        ModelError: a file of the build is damaged.
    """
    for name in (BUILD, BOARD):
        path = Path(folder) / name
        if path.is_file():
            entry = read_object(path, "a description of a build", ModelError)
            if entry.value.get("fingerprint") != fingerprint:
                return None
            return _of_build(entry) if name == BUILD else _of_board(entry)
    return None


def _of_build(entry: Entry) -> dict[str, str]:
    if entry.get("format", int) != FORMAT:
        raise ModelError(f"{entry.path}: expected format {FORMAT}: build anew")
    thresholds = entry.inner("thresholds")
    return {name: _word(thresholds, name) for name in thresholds.value}


def _of_board(entry: Entry) -> dict[str, str]:
    streams = entry.inners("streams")
    found = {s.get("place", str): s for s in streams if s.value.get("threshold_logic") is not None}
    return {place: _word(stream, "threshold_logic") for place, stream in found.items()}


def _word(entry: Entry, key: str) -> str:
    word: str = entry.get(key, str)
    if word not in LOGICS:
        raise ModelError(f"{entry.path}: {entry.place}{key} must be one of {', '.join(LOGICS)}, got '{word}'")
    return word
