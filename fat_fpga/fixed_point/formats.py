"""Which format each layer has: one for all weights, one for all activations, and others layer by layer."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from os import PathLike
from pathlib import Path
from typing import Any

from fat_fpga.arguments import checked
from fat_fpga.errors import ModelError
from fat_fpga.files import read_file, replacing
from fat_fpga.fixed_point.q_format import QFormat, parse_format

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

KEYS = ("weights", "activations")


@dataclass(frozen=True)
class LayerFormats:
    """What a layer has of its own; None where it has what all have."""

    weights: QFormat | None = None
    activations: QFormat | None = None


@dataclass(frozen=True)
class Formats:
    """The formats of a network.

    Attributes:
        weights, activations: of every layer that has none of its own.
        layers: by name of the layer.
    """

    weights: QFormat
    activations: QFormat
    layers: Mapping[str, LayerFormats] = field(default_factory=dict)

    def weights_of(self, layer: str) -> QFormat:
        """The format of a layer's weights."""
        return self.layers.get(layer, LayerFormats()).weights or self.weights

    def activations_of(self, layer: str) -> QFormat:
        """The format of the activations that a layer puts out; of ``input`` those of the input."""
        return self.layers.get(layer, LayerFormats()).activations or self.activations

    def changed(self, layer: str, weights: QFormat | None = None, activations: QFormat | None = None) -> Formats:
        """The same with other formats of one layer."""
        own = self.layers.get(layer, LayerFormats())
        own = LayerFormats(weights or own.weights, activations or own.activations)
        return replace(self, layers={**self.layers, layer: own})

    def check_layers(self, weights: Iterable[str], activations: Iterable[str]) -> None:
        """ModelError for a layer that does not exist, or that has no weights, or no activations of its own.

        Args:
            weights, activations: the layers that have them.
        """
        with_weights, with_activations = tuple(weights), tuple(activations)
        known = tuple(dict.fromkeys((*with_activations, *with_weights)))
        for name, own in self.layers.items():
            if name not in known:
                near = get_close_matches(name, known, 3)
                hint = f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(known)}"
                raise ModelError(f"no layer '{name}': {hint}")
            if own.weights is not None and name not in with_weights:
                raise ModelError(f"layer '{name}' has no weights: give it a format of activations alone, {name}=:Qm.n")
            if own.activations is not None and name not in with_activations:
                raise ModelError(
                    f"layer '{name}' puts out the scores, whose sums stay as they are: give it a format of weights "
                    f"alone, {name}=Qm.n"
                )

    def to_dict(self) -> dict[str, Any]:
        """As `read_formats` reads it from a file."""
        found: dict[str, Any] = {"weights": str(self.weights), "activations": str(self.activations)}
        own = {
            name: {key: str(getattr(layer, key)) for key in KEYS if getattr(layer, key) is not None}
            for name, layer in self.layers.items()
        }
        return found | ({"layers": own} if own else {})


@checked
def parse_layer(text: str) -> tuple[str, LayerFormats]:
    """Read ``conv1=Q2.6:Q5.3``, ``conv1=Q2.6`` for its weights alone, ``add0=:Q5.3`` for its activations alone.

    Raises:
        ModelError: it is not of this form.
    """
    name, equals, formats = text.partition("=")
    weights, _, activations = formats.partition(":")
    if not equals or not name.strip() or not (weights.strip() or activations.strip()):
        raise ModelError(
            f"layer '{text[:40]}' is not understood: expected NAME=WEIGHTS:ACTIVATIONS, as conv1=Q2.6:Q5.3, "
            "conv1=Q2.6 or add0=:Q5.3"
        )
    found = (parse_format(part) if part.strip() else None for part in (weights, activations))
    return name.strip(), LayerFormats(*found)


@checked
def read_formats(path: str | PathLike[str]) -> dict[str, Any]:
    """Read a table of formats: TOML, or JSON where the file's name ends in ``.json``.

    ::

        weights = "Q2.6"
        activations = "Q5.3"

        [layers.conv1]
        weights = "Q2.8"

    Returns:
        What is there of ``weights`` and ``activations``, as `QFormat`, and ``layers``, `LayerFormats` by name.

    Raises:
        ModelError: it cannot be read, or holds something else; the message names the place.
    """
    path = Path(path)
    try:
        text = read_file(path).decode("utf-8-sig")
        content = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
    except OSError as error:
        raise ModelError(f"cannot read {path}, expected a table of formats: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        form = "JSON" if path.suffix == ".json" else "TOML (JSON is told by the name .json)"
        raise ModelError(f"{path} is no table of formats: no {form}: {error}") from error
    table = _table(content, path, "", (*KEYS, "layers"))
    found: dict[str, Any] = {key: _format(table[key], path, key) for key in KEYS if key in table}
    layers = table.get("layers", {})
    if not isinstance(layers, dict):
        raise ModelError(f"{path}: layers: expected a table with a name for each layer, got {layers!r}")
    found["layers"] = {}
    for name, entry in layers.items():
        own = _table(entry, path, f"layers.{name}", KEYS)
        found["layers"][name] = LayerFormats(
            **{key: _format(value, path, f"layers.{name}.{key}") for key, value in own.items()}
        )
    return found


@checked
def write_formats(formats: Formats, path: str | PathLike[str]) -> None:
    """Write a table of formats as JSON, whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(formats.to_dict(), indent=2) + "\n", encoding="utf-8")


def _table(content: Any, path: Path, where: str, keys: Iterable[str]) -> dict[str, Any]:
    """An object of a file, with no other keys than these."""
    place = f"{path}: {where}: " if where else f"{path}: "
    if not isinstance(content, dict):
        raise ModelError(f"{place}expected a table, got {content!r}")
    for key in content:
        if key not in keys:
            raise ModelError(f"{place}unknown key '{key}', expected {', '.join(keys)}")
    return content


def _format(value: Any, path: Path, where: str) -> QFormat:
    if not isinstance(value, str):
        raise ModelError(f'{path}: {where}: expected a format as text, as "Q2.6", got {value!r}')
    try:
        return parse_format(value)
    except ModelError as error:
        raise ModelError(f"{path}: {where}: {error}") from error
