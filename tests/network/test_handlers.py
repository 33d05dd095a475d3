"""A kind of layer that a room has no handler for is refused by the layer's name; no room asks for kinds of layers."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

import fat_fpga
from fat_fpga.cli.info import describe
from fat_fpga.engines import get, native_engine
from fat_fpga.errors import EngineError, FatFpgaError, FinnError, ModelError, ModelWarning, PlanError
from fat_fpga.faults import places
from fat_fpga.finn.graph import check_mappable
from fat_fpga.finn.layers import role_of
from fat_fpga.hardening.rewrite import rearranged
from fat_fpga.network import Network, write_qonnx
from fat_fpga.network.layers import Layer, Shape
from tests.campaign.tiny import tiny_data, tiny_network

SOURCES = Path(fat_fpga.__file__).parent


@dataclass(frozen=True, eq=False)
class Negation(Layer):
    """An operator that nobody knows."""

    name: str
    node: str = ""
    type: ClassVar[str] = "negation"

    def output_shape(self, shape: Shape) -> Shape:
        return shape

    def hashed(self) -> Iterator[bytes]:
        yield repr((self.name, "negation")).encode()


def odd() -> Network:
    network = tiny_network()
    first, *rest = network.layers
    return replace(network, layers=(first, Negation("conv0.negation"), *rest))


def test_it_counts_in_what_every_layer_has() -> None:
    network = odd()
    assert network.fingerprint != tiny_network().fingerprint
    assert places(network)["conv0.negation"].type == "negation"
    assert places(network)["conv0.negation"].shape == places(network)["conv0"].shape
    assert places(network)["conv0.negation"].levels == places(network)["conv0"].levels


DATA = tiny_data(2)


@pytest.mark.parametrize(
    ("room", "use", "error"),
    [
        ("the reference engine", lambda: get("reference").open(odd()).run(DATA.images, DATA.labels, []), EngineError),
        ("the bound of sums", lambda: get("torch").open(odd()).run(DATA.images, DATA.labels, []), EngineError),
        ("the writer of QONNX files", lambda: get("qonnx").open(odd()).run(DATA.images, DATA.labels, []), EngineError),
        ("the writer of QONNX files", lambda: write_qonnx(odd(), "never.onnx"), ModelError),
        ("the permutation of channels", lambda: rearranged(odd(), "conv0", range(4)), PlanError),
        ("the table of a network", lambda: describe(odd()), ModelError),
        ("FINN", lambda: check_mappable(odd()), FinnError),
        ("FINN", lambda: role_of(odd().layers[1]), FinnError),
    ],
)
def test_every_room_refuses_it_by_name(
    room: str, use: Callable[[], object], error: type[FatFpgaError], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(error, match=rf"conv0\.negation: {room}.* has no Negation yet"):
        use()
    assert list(tmp_path.iterdir()) == []


def test_the_native_engine_hands_it_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(native_engine, "_TOLD", set())
    with pytest.warns(ModelWarning, match=r"conv0\.negation: the native engine has no Negation yet: the torch engine"):
        session = get("native").open(odd())
    with pytest.raises(EngineError, match="has no Negation yet"):
        session.run(DATA.images, np.zeros(2, np.int64), [])


def test_no_room_asks_for_the_kind_of_a_layer() -> None:
    asked = re.compile(r"isinstance\([^)]*\b(MatrixVectorUnit|MaxPool|MajorityVote)\b")
    found = [
        f"{path.relative_to(SOURCES)}:{number}"
        for path in SOURCES.rglob("*.py")
        if "network" not in path.relative_to(SOURCES).parts[:1]
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if asked.search(line)
    ]
    assert found == []
