"""An integer network in a NumPy file: what a board's host reads, as it has no ONNX."""

from __future__ import annotations

import json
from dataclasses import asdict
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from fat_fpga.errors import ModelError
from fat_fpga.files import replacing
from fat_fpga.network.layers import InputQuantiser, Layer, MajorityVote, MatrixVectorUnit, MaxPool
from fat_fpga.network.levels import Levels
from fat_fpga.network.network import Network

FORMAT = 1
_ARRAYS = ("weights", "thresholds", "sources")


def write_network(network: Network, path: str | PathLike[str]) -> None:
    """Write ``network`` as ``.npz``, whole or not at all."""
    arrays: dict[str, Any] = {"table": network.input.table}
    layers = []
    for number, layer in enumerate(network.layers):
        content = {key: value for key, value in vars(layer).items() if key not in _ARRAYS}
        levels = content.get("levels")
        layers.append({**content, "levels": levels and asdict(levels), "type": type(layer).__name__})
        arrays |= {f"{key}{number}": getattr(layer, key) for key in _ARRAYS if getattr(layer, key, None) is not None}
    head = {
        "format": FORMAT,
        "name": network.name,
        "shape": network.input.shape,
        "scale": network.input.scale,
        "datatype": network.input.datatype,
        "layers": layers,
        "fingerprint": network.fingerprint,
    }
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, head=np.array(json.dumps(head)), **arrays)


def read_network(path: str | PathLike[str]) -> Network:
    """The network that ``write_network`` wrote; ModelError if it is none, or damaged."""
    try:
        with np.load(Path(path), allow_pickle=False) as file:
            head = json.loads(str(file["head"]))
            if head["format"] != FORMAT:
                raise ModelError(f"{path}: expected format {FORMAT} of a network file, got {head['format']}")
            layers = tuple(_layer(content, number, file) for number, content in enumerate(head["layers"]))
            source = InputQuantiser(tuple(head["shape"]), file["table"], head["scale"], head.get("datatype", ""))
    except ModelError:
        raise
    except Exception as error:  # a damaged file can raise nearly anything
        raise ModelError(f"cannot read the network file {path}: {error}") from error
    network = Network(head["name"], source, layers)
    if network.fingerprint != head["fingerprint"]:
        raise ModelError(f"{path} is damaged: its network is not the one that was written")
    return network


def _layer(content: dict[str, Any], number: int, file: Any) -> Layer:
    kind: Any = {t.__name__: t for t in (MatrixVectorUnit, MajorityVote, MaxPool)}[content.pop("type")]
    levels = content.pop("levels")
    arrays = {key: file[f"{key}{number}"] for key in _ARRAYS if f"{key}{number}" in file}
    fields = {key: tuple(value) if isinstance(value, list) else value for key, value in content.items()}
    if kind is MatrixVectorUnit:
        fields |= {"levels": levels and Levels(**levels), "thresholds": arrays.pop("thresholds", None)}
    layer: Layer = kind(**fields, **arrays)
    return layer
