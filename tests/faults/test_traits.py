"""What a kind of fault is stands with the kind, and nowhere else."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import fat_fpga
from fat_fpga.board.saboteur import settings
from fat_fpga.board.stream import StreamLayout
from fat_fpga.cli.main import build_parser
from fat_fpga.errors import BoardError
from fat_fpga.faults import DEFAULT_KIND, MODELS, Family, Traits
from fat_fpga.faults.fault import Fault
from fat_fpga.faults.register import Register
from fat_fpga.reports.words import words

SOURCES = Path(fat_fpga.__file__).parent
DOCS = SOURCES.parent / "docs"
ELSEWHERE = {
    "faults/traits.py": "names of axes",
    "hardening/plan_file.py": "a key of JSON files: the PEs of a unit",
    "reports/json_file.py": "a key of JSON files: the number of a PE",
    "campaign/columns.py": "names of axes, and of columns of run files",
    "campaign/fault_rows.py": "a column of run files",
    "finn/graph.py": "a role of nodes in FINN's graph",
}
"""Files with the same words for other things. Training has error models of its own, which are no faults."""


@pytest.mark.parametrize(
    ("kind", "family", "axes", "maps"),
    [
        ("channel", Family.LEVEL, 1, None),
        ("pixel", Family.LEVEL, 2, (0, 1)),
        ("element", Family.LEVEL, 3, (1, 2)),
        ("pe", Family.BLOCK, 1, None),
        ("weight", Family.MEMORY_BIT, 4, None),
        ("threshold", Family.MEMORY_BIT, 2, None),
        ("accumulator", Family.MEMORY_BIT, 1, None),
        ("activation", Family.TRANSIENT, 3, None),
    ],
)
def test_every_kind(kind: str, family: Family, axes: int, maps: tuple[int, int] | None) -> None:
    traits = MODELS[kind].traits
    assert (traits.family, len(traits.axes), traits.map_axes) == (family, axes, maps)
    assert traits.levels is not traits.bits
    assert traits.needs_folding is traits.everywhere is (kind == "pe")
    assert traits.needs_frames is (kind == "activation")
    assert words(kind) is traits


def test_every_kind_is_in_the_table_above() -> None:
    assert len(MODELS) == 8
    assert next(iter(MODELS)) == DEFAULT_KIND


def test_sets_have_words_too() -> None:
    together = words("set of channel+pixel")
    assert together == Traits(Family.SET, "set of channel+pixel faults", "sets of channel+pixel faults", "worst effect")
    assert not together.levels
    assert not together.bits


def strings(tree: ast.AST) -> Iterator[ast.Constant]:
    """String constants that are no docstrings and no annotations."""
    for node in ast.walk(tree):
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Constant) and isinstance(child.value, str) and not isinstance(node, ast.Expr):
                yield child


def test_no_kind_is_spelt_out_outside_its_own_file() -> None:
    own = {f"faults/{kind}.py" for kind in MODELS}
    found = []
    for path in sorted(SOURCES.rglob("*.py")):
        name = path.relative_to(SOURCES).as_posix()
        if name in own or name in ELSEWHERE or name.startswith("training/"):
            continue
        for constant in strings(ast.parse(path.read_text())):
            if constant.value in MODELS:
                found.append(f"{name}:{constant.lineno}: {constant.value}")
    assert found == []


@pytest.mark.parametrize("command", ["campaign", "faults"])
def test_help_names_every_kind(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        build_parser().parse_args([command, "--help"])
    assert ", ".join(MODELS) in " ".join(capsys.readouterr().out.split())


def test_the_docs_name_every_kind() -> None:
    page = (DOCS / "faults.md").read_text()
    for kind in MODELS:
        assert f"| `{kind}`" in page or f"/{kind}[" in page, kind


def test_a_saboteur_takes_every_kind_of_levels_and_no_other() -> None:
    layout = StreamLayout(8, 4, 4, 4, Register(2, True))
    for kind, model in MODELS.items():
        of = layout.lanes if model.traits.family is Family.BLOCK else None
        fault = Fault("conv0", kind, (1,) * len(model.traits.axes), 1, of=of)
        if model.traits.levels:
            assert settings(layout, fault)["MODE"] > 0
        else:
            with pytest.raises(BoardError, match="a saboteur holds channels, pixels, elements and PEs"):
                settings(layout, fault)
