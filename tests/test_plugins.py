"""What other packages add: real packages with metadata in a folder on the path, good ones and broken ones."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fat_fpga import __version__
from fat_fpga.board.saboteur import settings
from fat_fpga.board.stream import StreamLayout
from fat_fpga.campaign import Run
from fat_fpga.cli import main
from fat_fpga.engines import forms, get, names
from fat_fpga.engines.reference import ReferenceEngine
from fat_fpga.errors import BoardError, EngineError, FatFpgaError, FaultError, ModelError, PlanError
from fat_fpga.faults import MODELS, Fault, FaultSpace, fault_model, fault_space, parse_fault
from fat_fpga.faults.register import Register
from fat_fpga.hardening.costs.registry import cost_model
from fat_fpga.hardening.costs.registry import names as cost_names
from fat_fpga.network.handlers import load_operators
from fat_fpga.reports import report_text
from fat_fpga.workers.code import Code, code, refusal
from tests.campaign.tiny import tiny_data, tiny_network, tiny_run_of
from tests.designs.package import EntryPoints, install
from tests.network.test_handlers import Negation

Install = Callable[..., None]

KIND = """
from fat_fpga.faults.streams import StuckBox
from fat_fpga.faults.traits import ROW_AXIS, Family, Traits


class Row(StuckBox):
    kind = "row"
    cause = "a line buffer"
    traits = Traits(Family.LEVEL, "stuck row", "rows", axes=(ROW_AXIS,))
"""

ENGINE = """
from fat_fpga.engines import register
from fat_fpga.engines.reference import ReferenceEngine


@register
class Backwards(ReferenceEngine):
    name = "backwards"
    forms = ("backwards",)
"""


@pytest.fixture
def add(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Installs a package of one module with the name of the test; other packages are installed beside it."""
    number = 0

    def call(code: str, entry_points: EntryPoints, name: str = "odd-package", version: str = "1.0") -> None:
        nonlocal number
        number += 1
        module = f"plug_{abs(hash((tmp_path, number)))}"
        points = {
            group: {key: value.replace("MODULE", module) for key, value in own.items()}
            for group, own in entry_points.items()
        }
        site = tmp_path / f"site{number}"
        install(site, name, {f"{module}.py": code}, points, version)
        monkeypatch.syspath_prepend(site)

    monkeypatch.setattr("fat_fpga.engines.registry._REGISTERED", dict(_registered()))
    return call


def _registered() -> dict[str, Any]:
    from fat_fpga.engines import registry

    names()
    return registry._REGISTERED


def test_without_packages_there_is_nothing() -> None:
    assert len(MODELS) == len(list(MODELS)) == 11
    assert "row" not in MODELS
    assert cost_names() == ["macs", "folded", "finn"]
    with pytest.raises(FaultError, match=r"unknown fault kind 'row': known are channel, .*, state; those of other"):
        fault_model("row")


def test_a_kind_of_another_package(add: Install) -> None:
    add(KIND, {"fat_fpga.faults": {"row": "MODULE:Row"}})
    assert list(MODELS)[-1] == "row"
    assert len(MODELS) == 12
    assert fault_model("row") is fault_model("row")
    assert str(parse_fault("conv0/row[2] = -1")) == "conv0/row[2] = -1"
    session, outside = get("reference").open(tiny_network()), parse_fault("conv0/row[6] = -1")
    with pytest.raises(FaultError, match="conv0 has rows 0 to 5"):
        session.run(*_some(), [outside])


def _some() -> tuple[Any, Any]:
    data = tiny_data(3)
    return data.images, data.labels


def test_a_worker_with_other_packages_is_another_code(add: Install) -> None:
    """Counts may differ with another version of a fault kind."""
    without = code()
    assert str(without) == f"{__version__} ({without.sources[:8]})"
    add(KIND, {"fat_fpga.faults": {"row": "MODULE:Row"}}, name="stuck-rows", version="1.0")
    first = code()
    assert first != without
    assert Code(*tuple(first)) == first
    assert str(first) == f"{without} with stuck-rows 1.0"
    add("", {"fat_fpga.costs": {"other": "MODULE:thing"}}, name="other", version="2")
    assert code().plugins == "other 2, stuck-rows 1.0"
    assert refusal("tcp://1", without, first).endswith(f"is given by fat_fpga {first}")


def test_an_engine_that_registers_itself_is_an_engine_of_its_package(add: Install) -> None:
    add(ENGINE, {"fat_fpga.engines": {"backwards": "MODULE:Backwards"}})
    for _ in range(2):  # before it is imported, and after
        assert names()[-1] == "backwards"
        assert names().count("backwards") == 1
        assert forms()[-1] == "backwards"
        assert isinstance(get("backwards"), ReferenceEngine)
    with pytest.raises(EngineError, match=r"known are native, reference, .*board:FOLDER, backwards"):
        get("abacus")


Ask = Callable[[], object]
ASK: dict[str, tuple[str, Callable[[str], object], type[FatFpgaError], str]] = {
    "fat_fpga.faults": ("fault kind", fault_model, FaultError, "channel"),
    "fat_fpga.engines": ("engine", get, EngineError, "native"),
    "fat_fpga.costs": ("cost model", cost_model, PlanError, "macs"),
    "fat_fpga.operators": ("operator", lambda name: load_operators(), ModelError, ""),
}


@pytest.mark.parametrize("group", ASK)
@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("import no_such_module", "it cannot be loaded: ModuleNotFoundError: No module named 'no_such_module'"),
        ("raise SystemExit('bye')", "it cannot be loaded: SystemExit: bye"),
        ("1 / 0", "it cannot be loaded: ZeroDivisionError: division by zero"),
        ("raise ValueError('one\\ntwo')", "it cannot be loaded: ValueError: one two"),
    ],
)
def test_what_cannot_be_imported(group: str, code: str, reason: str, add: Install) -> None:
    what, ask, error, _ = ASK[group]
    target = "MODULE" if group == "fat_fpga.operators" else "MODULE:thing"
    add(code, {group: {"odd": target}}, version="2.5")
    start = rf"{what} 'odd' of package odd-package 2\.5 \(entry point odd = plug_\d+\S* in {group}\): "
    for _ in range(2):
        with pytest.raises(error, match=f"^{start}{reason}$"):
            ask("odd")


@pytest.mark.parametrize(
    ("group", "target", "reason"),
    [
        ("fat_fpga.faults", "thing", "its 'kind' must be a str, got None"),
        ("fat_fpga.faults", "Nameless", "its 'kind' is 'other': the entry point has to have the same name"),
        ("fat_fpga.faults", "Bare", "it has no method 'block'"),
        ("fat_fpga.faults", "Needs", "it cannot be loaded: TypeError: .*'argument'"),
        ("fat_fpga.engines", "thing", "it is no subclass of fat_fpga.engines.Engine"),
        ("fat_fpga.engines", "Other", "its 'name' is 'reference': the entry point has to have the same name"),
        ("fat_fpga.costs", "thing", "it is no class"),
        ("fat_fpga.costs", "Bare", "its 'name' must be a str, got None"),
        ("fat_fpga.costs", "Half", "it has no method 'of'"),
        ("fat_fpga.operators", "thing", "it is no module: write my_package.my_operator, without a colon"),
        ("fat_fpga.operators", "", "no kind of layer has the 'type' 'odd': the entry point has to have the same name"),
    ],
)
def test_what_is_no_such_thing(group: str, target: str, reason: str, add: Install) -> None:
    code = """
from fat_fpga.engines.reference import ReferenceEngine
from fat_fpga.faults.traits import Family, Traits

thing = 5


class Bare:
    kind, cause, traits = "odd", "", Traits(Family.LEVEL, "", "")


class Nameless(Bare):
    kind = "other"
    block = block_of = changes = print


class Needs(Bare):
    def __init__(self, argument):
        pass


class Other(ReferenceEngine):
    pass


class Half:
    name, title, folded, parts = "odd", "", False, False
"""
    add(code, {group: {"odd": f"MODULE:{target}".rstrip(":")}})
    what, ask, error, _ = ASK[group]
    with pytest.raises(error, match=rf"{what} 'odd' of package odd-package 1\.0 \(entry .*\): {reason}$"):
        ask("odd")


@pytest.mark.parametrize("kind", ["set", "two-words", "2nd"])
def test_words_that_no_kind_can_be(kind: str, add: Install) -> None:
    add(KIND.replace('"row"', f'"{kind}"'), {"fat_fpga.faults": {kind: "MODULE:Row"}})
    with pytest.raises(FaultError, match=f"'{kind}' cannot be a kind of fault"):
        fault_model(kind)


@pytest.mark.parametrize("group", [group for group in ASK if ASK[group][3]])
def test_a_name_of_ours_is_refused_and_nothing_of_it_imported(group: str, add: Install) -> None:
    what, ask, error, ours = ASK[group]
    add("import no_such_module", {group: {ours: "MODULE:thing"}})
    with pytest.raises(
        error, match=rf"{what} '{ours}' is a part of fat_fpga, and package odd-package 1\.0 \(.*\) gives it, too: unin"
    ):
        ask(ours)
    assert [*MODELS, *names(), *cost_names()].count(ours) == 1


@pytest.mark.parametrize("group", ASK)
def test_a_name_of_two_packages_is_refused(group: str, add: Install) -> None:
    what, ask, error, _ = ASK[group]
    for name in ("first", "second"):
        add("import no_such_module", {group: {"odd": "MODULE:thing"}}, name=name)
    with pytest.raises(
        error, match=rf"{what} 'odd' comes from package \w+ 1.0 \(.*\) and package \w+ 1.0 \(.*\): uninstall one"
    ):
        ask("odd")


def test_a_broken_package_stops_nothing_else(
    add: Install, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for group in ASK:
        add("import no_such_module", {group: {"odd": "MODULE:thing"}}, name=group.replace(".", "-").replace("_", "-"))
    run = tiny_run_of(tmp_path / "tiny.run", "channel", "weight")
    assert report_text(Run.open(run.path or "")).count("stuck channel")
    assert main(["plan", "tiny.run", "--tmr"]) == 0
    capsys.readouterr()
    assert main(["plan", "tiny.run", "--tmr", "--cost", "odd"]) == 2
    error = capsys.readouterr().err
    assert error.startswith("fat-fpga: cost model 'odd' of package fat-fpga-costs 1.0 (entry point odd = ")
    assert error.count("\n") == 1


@dataclass(frozen=True)
class Wrong:
    """A change that is not what the network is."""

    code: str
    reason: str


WRONG = (
    Wrong("HeldActivations(fault.layer, range(0, 5), range(0, 1), range(0, 1), 1)", "conv0 has channels 0 to 3"),
    Wrong("HeldActivations(fault.layer, range(-1, 1), range(0, 1), range(0, 1), 1)", "conv0 has channels 0 to 3"),
    Wrong("HeldActivations(fault.layer, range(0, 1), range(0, 7), range(0, 1), 1)", "conv0 has rows 0 to 5"),
    Wrong("HeldActivations(fault.layer, range(0, 1), range(0, 1), range(0, 0), 1)", "conv0 has columns 0 to 5"),
    Wrong("HeldActivations(fault.layer, range(0, 1), range(0, 4, 2), range(0, 1), 1)", "rows have to be contiguous"),
    Wrong("HeldActivations(fault.layer, range(0, 1), range(0, 1), range(0, 1), 3)", "the levels of conv0 are {-1"),
    Wrong("HeldActivations('fc2', range(0, 1), range(0, 1), range(0, 1), 1)", "fc2 has class scores"),
    Wrong("HeldActivations('fc9', range(0, 1), range(0, 1), range(0, 1), 1)", "there is no place 'fc9'"),
    Wrong("FlippedActivation('conv0', (0, 0, 6), 0, activation_register(place.levels), 0)", "its index is not inside"),
    Wrong("FlippedActivation('conv0', (0, 0, 0), 1, activation_register(place.levels), 0)", "has bits 0 to 0"),
    Wrong("FlippedActivation('conv0', (0, 0, 0), 0, Register(8, True), 0)", "the register there is Register"),
    Wrong("FlippedActivation('conv0', (0, 0, 0), 0, activation_register(place.levels), -1)", "counted from 0"),
    Wrong("ChangedWeight('conv0', (4, 0, 0, 0), 1, 0, weight_register(place.unit), None)", "not inside of 4x1x3x3"),
    Wrong("ChangedWeight('conv0', (0, 0, 0), 1, 0, weight_register(place.unit), None)", "not inside of 4x1x3x3"),
    Wrong("ChangedWeight('conv0', (0, 0, 0, 0), 5, 0, weight_register(place.unit), None)", "the memory holds -?1 "),
    Wrong("ChangedWeight('conv0.pool', (0, 0, 0, 0), 1, 0, weight_register(place.unit), 0)", "pool has no weights"),
    Wrong("ChangedThreshold('fc2', (0, 0), 1, 0, threshold_register(place), None)", "fc2 has no thresholds"),
    Wrong("ChangedThreshold('conv0', (0, 1), 1, 0, threshold_register(place), None)", "not inside of 4x1 at conv0"),
    Wrong("ChangedAccumulators('conv0', 4, 0, accumulator_register(place), None)", "its index is not inside of 4"),
    Wrong("ChangedAccumulators('conv0', 0, 0, accumulator_register(place), 2)", "a bit is held at 0 or 1"),
    Wrong("ChangedAccumulators('conv0', 0, 60, accumulator_register(place), 0)", "the register has bits 0 to"),
    Wrong("ChangedAccumulators('conv0.pool', 0, 0, accumulator_register(place), 1)", "pool has no accumulators"),
    Wrong("'conv0/channel[0] = 1'", "there is no place None"),
    Wrong("types.SimpleNamespace(place='conv0')", "it is none of the elementary changes"),
)


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: wrong.code.partition("(")[0])
@pytest.mark.parametrize("engine", ["native", "reference"])
def test_a_model_that_is_wrong_about_the_network_is_refused(wrong: Wrong, engine: str, add: Install) -> None:
    """Engines index arrays with what a change says, so it is looked at before."""
    code = f"""
import types
from fat_fpga.faults.changes import *
from fat_fpga.faults.changes import ChangedAccumulators, ChangedThreshold, ChangedWeight
from fat_fpga.faults.place import place_of
from fat_fpga.faults.register import *
{KIND}
    def changes(self, network, fault):
        place = place_of(network, fault.layer)
        return [{wrong.code}]
"""
    add(code, {"fat_fpga.faults": {"row": "MODULE:Row"}})
    session = get(engine).open(tiny_network())
    with pytest.raises(FaultError, match=rf"^conv0/row\[0\] = \+1: the fault model .* is wrong: .*{wrong.reason}"):
        session.run(*_some(), [parse_fault("conv0/row[0] = +1")])


IMPORTS = """
from fat_fpga.faults.changes import ChangedWeight, FlippedActivation, HeldActivations
from fat_fpga.faults.place import place_of
from fat_fpga.faults.register import activation_register, weight_register
"""

HELD = "HeldActivations('conv0', range(0, 1), range(0, 1), range(0, 1), 1)"
FLIPPED = "FlippedActivation('conv0', (0, 0, 0), 0, activation_register(place.levels), {frame})"
WORD = "ChangedWeight('conv0', (0, 0, 0, 0), int(place.unit.weights[0, 0, 0, 0]), 0, weight_register(place.unit), None)"


@pytest.mark.parametrize(
    ("base", "text", "changes", "reason"),
    [
        ("channel.ChannelStuckAt", "conv0/odd[0] = +1", WORD, "LEVEL hold activations, and do nothing else"),
        ("pe.PeStuckAt", "conv0/odd[0 of 2] = +1", FLIPPED.format(frame=0), "BLOCK hold activations, and do nothing"),
        (
            "accumulator.AccumulatorBit",
            "conv0/odd[0].bit[0] ^ 1",
            FLIPPED.format(frame=0),
            "MEMORY_BIT are in each image",
        ),
        ("activation.ActivationUpset", "conv0/odd[0,0,0].bit[0] ^ 1 @ frame[1]", HELD, "TRANSIENT are in one image"),
        (
            "activation.ActivationUpset",
            "conv0/odd[0,0,0].bit[0] ^ 1 @ frame[1]",
            FLIPPED.format(frame=2),
            "in one image",
        ),
    ],
)
def test_changes_go_with_the_family(base: str, text: str, changes: str, reason: str, add: Install) -> None:
    """Whether a run depends on the words of memories, for one, is decided by the family."""
    module, _, name = base.partition(".")
    code = f"""{IMPORTS}
from fat_fpga.faults.{module} import {name}


class Odd({name}):
    kind = "odd"

    def changes(self, network, fault):
        place = place_of(network, fault.layer)
        return [{changes}]
"""
    add(code, {"fat_fpga.faults": {"odd": "MODULE:Odd"}})
    session = get("native").open(tiny_network())
    with pytest.raises(FaultError, match=rf"the fault model of kind odd is wrong: .* faults of the family .*{reason}"):
        session.run(*_some(), [parse_fault(text)])


@pytest.mark.parametrize(
    ("base", "family", "what"),
    [
        ("channel.ChannelStuckAt", "MEMORY_BIT", "bits=None"),
        ("activation.ActivationUpset", "MEMORY_BIT", "frames=1"),
        ("channel.ChannelStuckAt", "BLOCK", "of=None"),
        ("weight.WeightBit", "TRANSIENT", "frames=None"),
    ],
)
def test_blocks_go_with_the_family(base: str, family: str, what: str, add: Install) -> None:
    module, _, name = base.partition(".")
    code = f"""
from dataclasses import replace

from fat_fpga.faults.{module} import {name}
from fat_fpga.faults.traits import Family


class Odd({name}):
    kind, traits = "odd", replace({name}.traits, family=Family.{family})
"""
    add(code, {"fat_fpga.faults": {"odd": "MODULE:Odd"}})
    with pytest.raises(FaultError, match=f"kind odd is wrong: its block has {what}, which does not go with the family"):
        fault_space(tiny_network(), "odd", pes={"conv0": 1, "conv1": 1, "fc2": 1}, frames=1)


def test_no_kind_is_a_family_of_sets(add: Install) -> None:
    add(KIND.replace("Family.LEVEL", "Family.SET"), {"fat_fpga.faults": {"row": "MODULE:Row"}})
    with pytest.raises(FaultError, match="no kind is of the family SET"):
        fault_model("row")


def test_a_saboteur_does_not_guess_what_a_kind_means(add: Install) -> None:
    """A kind with the axes of one of ours may mean something else."""
    code = """
from fat_fpga.faults.channel import ChannelStuckAt
from fat_fpga.faults.changes import HeldActivations


class Pair(ChannelStuckAt):
    kind = "pair"

    def changes(self, network, fault):
        (one,) = super().changes(network, fault)
        first = fault.index[0]
        return [one, HeldActivations(one.place, range(first - 1, first), one.rows, one.columns, one.value)]
"""
    add(code, {"fat_fpga.faults": {"pair": "MODULE:Pair"}})
    fault = Fault("conv0", "pair", (1,), 1)
    both = parse_fault("conv0/channel[1] = 1 & conv0/channel[0] = 1")
    outcome = get("native").open(tiny_network()).run(*_some(), [fault, both], predictions=True)
    assert outcome.predictions is not None
    assert np.array_equal(*outcome.predictions)
    with pytest.raises(BoardError, match="a saboteur holds channels, pixels, elements and PEs"):
        settings(StreamLayout(4, 6, 6, 2, Register(1, False, -1, 2)), fault)


def test_a_block_of_another_kind_is_refused(add: Install) -> None:
    code = f"""
from dataclasses import replace
{KIND}
    def block(self, network, place, setting):
        block = super().block(network, place, setting)
        return None if block is None else replace(block, kind="channel")
"""
    add(code, {"fat_fpga.faults": {"row": "MODULE:Row"}})
    with pytest.raises(FaultError, match="kind row is wrong: its block is of channel at conv0 with the axes row"):
        fault_space(tiny_network(), "row")


def test_an_axis_that_run_files_have_no_column_for_is_refused(add: Install, tmp_path: Path) -> None:
    code = (
        KIND.replace("axes=(ROW_AXIS,)", 'axes=("lane",)')
        + """
    def block(self, network, place, setting):
        from fat_fpga.faults.block import Block
        from fat_fpga.faults.fault import Effect

        return None if place.levels is None else Block(place.name, "row", ("lane",), (2,), (Effect(1),))

    def changes(self, network, fault):
        return ()
"""
    )
    add(code, {"fat_fpga.faults": {"row": "MODULE:Row"}})
    with pytest.raises(FatFpgaError, match=r"no column for the axis 'lane' of row faults: its columns are for "):
        tiny_run_of(tmp_path / "row.run", "row")
    assert list(tmp_path.glob("*.run*")) == []


def test_a_run_of_a_kind_that_is_gone(
    add: Install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The file is opened, and what needs the kind says what is missing."""
    path = list(sys.path)
    add(KIND, {"fat_fpga.faults": {"row": "MODULE:Row"}})
    run = tiny_run_of(tmp_path / "row.run", "row")
    assert {result.row for result in run.results} == set(range(6))
    monkeypatch.setattr(sys, "path", path)
    assert np.array_equal(Run.open(tmp_path / "row.run").correct, run.correct)
    capsys.readouterr()
    assert main(["report", str(tmp_path / "row.run")]) == 2
    assert "unknown fault kind 'row': known are channel" in capsys.readouterr().err


def test_an_operator_is_imported_where_a_room_has_no_handler(add: Install) -> None:
    code = """
from fat_fpga.engines import reference
from tests.test_plugins import Flip


@reference.output.register
def _(layer: Flip, activations, changes):
    return -activations
"""
    add(code, {"fat_fpga.operators": {"flip": "MODULE"}})
    first, *rest = tiny_network().layers
    network = replace(tiny_network(), layers=(first, Flip("conv0.flip"), *rest))
    streams = get("reference").open(network).trace(tiny_data(2).images)
    assert np.array_equal(streams["conv0.flip"], -streams["conv0"])
    with pytest.raises(EngineError, match="has no Flip yet"):
        get("torch").open(network).run(*_some(), [])


class Flip(Negation):
    """An operator whose handlers are in another package."""

    type = "flip"


def test_samples_and_sets_hold_kinds_of_packages(add: Install) -> None:
    from fat_fpga.crosscheck import KINDS, crosscheck, sample_faults

    assert "row" not in KINDS
    add(KIND, {"fat_fpga.faults": {"row": "MODULE:Row"}})
    assert tuple(KINDS) == (*MODELS, "set")
    network = tiny_network()
    faults = sample_faults(network, KINDS, 60, 3)
    assert any(isinstance(fault, Fault) and fault.kind == "row" for fault in faults)
    assert any("row" in fault.kind.split("+") for fault in faults if not isinstance(fault, Fault))
    images = tiny_data(3).images
    assert crosscheck(network, images, faults, {name: get(name) for name in ("reference", "native")}).equal
    assert isinstance(fault_space(network, "row"), FaultSpace)
