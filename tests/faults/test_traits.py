"""What a kind of fault is stands with the kind, and nowhere else."""

from __future__ import annotations

import ast
import re
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
    "faults/traits.py": {"channel"},  # names of axes
    "hardening/plan_file.py": {"pe"},  # a key of JSON files: the PEs of a unit
    "interactive/payload.py": {"channel", "threshold", "pe"},  # columns of run files
    "safety/table.py": {"element"},  # a column of tables: a part of the hardware
    "reports/json_file.py": {"pe"},  # a key of JSON files: the number of a PE
    "campaign/columns.py": {"channel", "threshold", "pe", "entry"},  # names of axes, and of columns of run files
    "campaign/fault_rows.py": {"pe"},  # a column of run files
    "board/description.py": {"offset"},  # a key of JSON files: of words
    "hardening/ranges/analysis.py": {"activation"},  # a column of tables
    "hardening/ranges/text.py": {"activation", "threshold"},  # columns of tables
    "luts/matrix.py": {"pe"},  # a key of JSON files: the PEs of a unit
    "luts/rows.py": {"pe"},  # a key of JSON files: the lanes of a voter
    "energy/block_curves.py": {"weight", "activation"},  # cells of patterns
    "hardening/layerwise/evidence.py": {"weight"},  # cells of patterns
    "hardening/layerwise/text.py": {"pe"},  # a key of JSON files: the PEs of a unit
    "finn/placing.py": {"activation", "factor"},  # roles of nodes in FINN's graph
}
"""The same words for other things, by file. Training has error models of its own, which are no faults."""


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
        ("entry", Family.MEMORY_BIT, 2, None),
        ("factor", Family.MEMORY_BIT, 1, None),
        ("offset", Family.MEMORY_BIT, 1, None),
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
    assert len(MODELS) == 11
    assert next(iter(MODELS)) == DEFAULT_KIND


def test_sets_have_words_too() -> None:
    together = words("set of channel+pixel")
    assert together == Traits(Family.SET, "set of channel+pixel faults", "sets of channel+pixel faults", "worst effect")
    assert not together.levels
    assert not together.bits


def spelt_out(source: str) -> Iterator[tuple[int, str]]:
    """Kinds in string constants that are no docstrings: alone, after the word kind, or in a text form that is made."""
    for node in ast.walk(ast.parse(source)):
        for child in ast.iter_child_nodes(node):
            if not isinstance(child, ast.Constant) or not isinstance(child.value, str) or isinstance(node, ast.Expr):
                continue
            found = [child.value, *re.findall(r"\bkinds? (\w+)", child.value)]
            if isinstance(node, ast.JoinedStr):
                found += re.findall(r"/(\w+)\[$", child.value)
            yield from ((child.lineno, word) for word in found if word in MODELS)


def test_no_kind_is_spelt_out_outside_its_own_file() -> None:
    own = {f"faults/{kind}.py" for kind in MODELS}
    found, used = [], set()
    for path in sorted(SOURCES.rglob("*.py")):
        name = path.relative_to(SOURCES).as_posix()
        if name in own or name.startswith("training/"):
            continue
        for line, word in spelt_out(path.read_text()):
            used.add((name, word))
            if word not in ELSEWHERE.get(name, ()):
                found.append(f"{name}:{line}: {word}")
    assert found == []
    assert used == {(name, word) for name, words in ELSEWHERE.items() for word in words}


@pytest.mark.parametrize(
    "code",
    ["kind == 'pe'", "help='needed for kind pe'", "KINDS = ('weight',)", "f'{layer}/channel[{number}]'", "x['pixel']"],
)
def test_kinds_that_are_spelt_out_are_found(code: str) -> None:
    assert len(list(spelt_out(code))) == 1


def test_other_words_are_not_found() -> None:
    for code in ("x = 'a channel is stuck'", "x = 'kind of fault'", "'channel'", "x = 'conv1/channel[17] = +1'"):
        assert list(spelt_out(code)) == []


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
