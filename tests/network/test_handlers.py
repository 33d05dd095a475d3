"""A kind of layer that a room has no handler for is refused by the layer's name; no room asks for kinds of layers."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

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
from fat_fpga.network.layers import IntArray, Layer, Shape
from tests.campaign.tiny import tiny_data, tiny_network

SOURCES = Path(fat_fpga.__file__).parent


@dataclass(frozen=True, eq=False)
class Negation(Layer):
    """An operator that nobody knows."""

    name: str
    node: str = ""
    type: ClassVar[str] = "negation"

    def output_shape(self, *shapes: Shape) -> Shape:
        return shapes[0]

    def output(self, *streams: IntArray) -> IntArray:
        return -streams[0]

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


def _kinds(of: Any) -> Iterator[type[Layer]]:
    """The kinds of layers of this package."""
    for kind in of.__subclasses__():
        if kind.__module__.startswith("fat_fpga."):
            yield kind
        yield from _kinds(kind)


INPUTS = {"Input", "InputOfLevels", "InputQuantiser", "IntegerInput", "FeatureQuantiser"}
LAYERS = {kind.__name__ for kind in _kinds(Layer)} | INPUTS | {"Layer"}
TYPES = {kind.type for kind in _kinds(Layer) if isinstance(kind.__dict__.get("type"), str)}
PARTS_OF_NAMES = re.compile(r"conv|fc|\.?(pool|vote)|unit")
TAKES_APART = {"startswith", "endswith", "removeprefix", "removesuffix", "partition", "split", "rpartition"}


def questions(source: str) -> Iterator[tuple[int, str]]:
    """Where code asks what kind a layer is of: by its class, by the word for its kind, or by its name."""
    for node in ast.walk(ast.parse(source)):
        inside = {getattr(part, "id", getattr(part, "attr", None)) for part in ast.walk(node)}
        match node:
            case ast.Call(func=ast.Name(id="isinstance" | "issubclass")) if inside & LAYERS:
                yield node.lineno, "class"
            case ast.MatchClass() if inside & LAYERS:
                yield node.lineno, "class"
            case ast.Compare() if "type" in inside and inside & LAYERS and "Layer" not in inside:
                yield node.lineno, "class"
            case ast.Compare() if {"type", "kind", "op_type"} & inside and TYPES & set(constants(node)):
                yield node.lineno, "word"
            case ast.Call(func=ast.Attribute(attr=verb), args=[ast.Constant(value=str(text)), *_]):
                if verb in TAKES_APART and PARTS_OF_NAMES.fullmatch(text):
                    yield node.lineno, "name"


def constants(node: ast.AST) -> Iterator[str]:
    for part in ast.walk(node):
        if isinstance(part, ast.Constant) and isinstance(part.value, str):
            yield part.value


def test_no_room_asks_for_the_kind_of_a_layer() -> None:
    """`LayerRow`, which has the word of a run file, and `finn.layers`, which has roles, are where a word becomes an
    answer."""
    found = [
        f"{path.relative_to(SOURCES)}:{line}: {what}"
        for path in sorted(SOURCES.rglob("*.py"))
        if path.relative_to(SOURCES).parts[0] != "network"
        and path.relative_to(SOURCES).as_posix() != "campaign/layer_table.py"
        for line, what in questions(path.read_text())
    ]
    assert found == []


@pytest.mark.parametrize(
    ("code", "what"),
    [
        ("isinstance(layer, MaxPool)", "class"),
        ("isinstance(layer, (int, layers.MajorityVote))", "class"),
        ("isinstance(source, InputQuantiser)", "class"),
        ("type(layer) is MatrixVectorUnit", "class"),
        ("row.type == MaxPool.type", "class"),
        ("match layer:\n  case MaxPool(): pass", "class"),
        ("row.type == 'vote'", "word"),
        ("'unit' != row.type", "word"),
        ("row.type in ('pool', 'input')", "word"),
        ("row.name.startswith('conv')", "name"),
        ("name.startswith('fc')", "name"),
        ("name.removesuffix('.vote')", "name"),
        ("name.endswith('.pool')", "name"),
        ("name.partition('.pool')", "name"),
    ],
)
def test_questions_are_found(code: str, what: str) -> None:
    assert [found for _, found in questions(code)] == [what]


def test_what_is_no_question_is_not_found() -> None:
    assert {"MatrixVectorUnit", "MaxPool", "MajorityVote"} < LAYERS
    assert {"unit", "pool", "vote"} <= TYPES
    for code in (
        "row.type == other.type",
        "layer.unit is None",
        "name.startswith('/')",
        "isinstance(x, str)",
        "'pool'",
    ):
        assert list(questions(code)) == []
