"""Reports of every kind of fault: tables, maps and shares against figures computed directly from the counts."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from fat_fpga.campaign import Result, Run, Selection, run_campaign
from fat_fpga.faults import MODELS, Fault, fault_space, parse_fault
from fat_fpga.faults.block import BIT_EFFECTS
from fat_fpga.network import Levels
from fat_fpga.reports import layer_table, report_json, report_text, write_csv, write_figures, write_json
from fat_fpga.reports.bits import BINS, drops
from fat_fpga.reports.part import MANY, parts
from fat_fpga.reports.pes import pes
from fat_fpga.reports.pixel_map import pixel_maps
from fat_fpga.reports.words import effect_words
from tests.campaign.tiny import Watched, tiny_data, tiny_network, tiny_run_of

FIGURES_OF = {
    "channel": {"ranges", "criticality", "faults"},
    "pixel": {"ranges", "criticality", "faults", "pixels"},
    "element": {"ranges", "criticality", "faults", "pixels"},
    "pe": {"ranges", "criticality", "faults", "pes"},
    "weight": {"ranges", "criticality", "faults", "drops", "changes"},
    "threshold": {"ranges", "criticality", "faults", "drops", "changes"},
    "accumulator": {"ranges", "criticality", "faults", "drops", "changes"},
    "entry": {"ranges", "criticality", "faults", "drops", "changes"},
    "factor": {"ranges", "criticality", "faults", "drops", "changes"},
    "offset": {"ranges", "criticality", "faults", "drops", "changes"},
    "activation": {"changes"},
}


@pytest.mark.parametrize("kind", MODELS)
def test_every_kind_has_its_report(tmp_path: Path, kind: str) -> None:
    run = tiny_run_of(tmp_path / "a.run", kind, sample=24, images=10)
    text = report_text(run)
    assert run.origin.describe(run.asked) in text
    assert "hardware cause" in text
    assert f"  {kind}: {MODELS[kind].cause}" in text
    assert max(map(len, text.split("\n"))) <= 120
    written = write_figures(run, tmp_path / "figures")
    assert {path.stem for path in written} == FIGURES_OF[kind]
    assert len(written) == 3 * len(FIGURES_OF[kind])
    write_json(run, tmp_path / "a.json")
    assert json.loads((tmp_path / "a.json").read_text()) == report_json(run)
    write_csv(run, tmp_path / "a.csv")
    assert len((tmp_path / "a.csv").read_text().splitlines()) == run.asked + 1


def test_several_kinds_have_figures_of_their_own(tmp_path: Path) -> None:
    run = tiny_run_of(tmp_path / "a.run", "channel", "activation", layers=["conv1"], images=2)
    assert {path.stem for path in write_figures(run, tmp_path / "f")} == {
        "ranges_channel", "criticality_channel", "faults_channel", "changes_activation"
    }  # fmt: skip
    assert [kind["kind"] for kind in report_json(run)["kinds"]] == ["channel", "activation"]


def test_a_pixel_map_holds_the_worst_of_each_pixel(tmp_path: Path) -> None:
    layers = ["conv0", "conv0.pool", "conv1"]
    for kind, first in (("pixel", 0), ("element", 1)):
        run = tiny_run_of(tmp_path / f"{kind}.run", kind, layers=layers, images=8)
        (part,) = parts(run)
        maps = pixel_maps(part)
        assert {name: found.shape for name, found in maps.items()} == {
            "conv0": (6, 6), "conv0.pool": (3, 3), "conv1": (2, 2)
        }  # fmt: skip
        for name, found in maps.items():
            for at in np.ndindex(found.shape):
                own = [
                    r.correct for r in run.results
                    if r.layer == name and tuple(parse_fault(r.fault).faults[0].index[first:]) == at
                ]  # fmt: skip
                assert found[at] == 100 * min(own) / run.images
        assert len(report_json(run)["kinds"][0]["pixels"]) == 3


def test_layers_of_one_pixel_have_no_map(tmp_path: Path) -> None:
    faults = [parse_fault("conv1/pixel[0,1] = +1")]
    run = run_campaign(tiny_network(), tiny_data(), faults, tmp_path / "a.run", "reference")
    found = pixel_maps(parts(run)[0])["conv1"]
    assert np.isnan(found).sum() == 3
    assert report_json(run)["kinds"][0]["pixels"][0]["accuracy"][1] == [None, None]


def test_each_pe_with_its_channels(tmp_path: Path) -> None:
    run = tiny_run_of(tmp_path / "a.run", "pe", layers=["*", "conv0", "conv1"])
    found = pes(parts(run)[0])
    assert [(pe.layer, pe.number, pe.of, pe.channels and list(pe.channels)) for pe in found] == [
        ("*", 0, 2, None),
        ("*", 1, 2, None),
        ("conv0", 0, 2, [0, 2]),
        ("conv0", 1, 2, [1, 3]),
        ("conv1", 0, 2, [0, 2]),
        ("conv1", 1, 2, [1]),
    ]
    accuracy = {r.fault: f"{100 * r.correct / run.images:.2f}" for r in run.results}
    lines = layer_table(run).split("\n")
    head = lines.index("accuracy under each PE [%]") + 1
    assert lines[head].split() == ["layer", "PE", "channels", "stuck", "at", "-1", "stuck", "at", "+1"]
    for line, pe in zip(lines[head + 1 :], found, strict=True):
        expected = [accuracy[f"{pe.layer}/pe[{pe.number} of 2] = {value}"] for value in ("-1", "+1")]
        assert line.split()[-2:] == expected
        assert pe.channels_text in line
    assert "c mod 2 = 1 of every layer" in lines[head + 2]


def test_the_bit_table_counts_faults_by_bit_and_drop(tmp_path: Path) -> None:
    network = tiny_network()
    space = fault_space(network, "accumulator", ["conv1", "fc2"], effects=BIT_EFFECTS)
    run = run_campaign(network, tiny_data(), space, tmp_path / "a.run", "reference")
    _, over, head, *lines = layer_table(run).split("\n")
    assert over.strip() == "faults by drop [points]:"
    assert head.split()[:7] == ["layer", "effect", "faults", "changing", "[%]", "min", "mean"]
    rows = parts(run)[0].rows
    for line, row in zip(lines, rows, strict=True):
        assert row.effect in line
        changing = 100 * sum(r.changed > 0 for r in row.results) / len(row.results)
        assert f" {len(row.results)} " in line
        assert f"{changing:.2f}" in line
        accuracy = [100 * (run.error_free - r.correct) / run.images for r in row.results]
        count = drops(run, row.results)
        expected = np.histogram(accuracy, [-1000, 1e-9, 0.1 + 1e-9, 1 + 1e-9, 10 + 1e-9, 1000])[0]
        assert list(count.values()) == expected.tolist()
        assert list(count) == list(BINS)


def test_effects_in_words() -> None:
    words = {
        "stuck at -1": Result("", "a", "channel", 0, 0, channel=0, flip=0, value=-1),
        "stuck at 0": Result("", "a", "channel", 0, 0, channel=0, flip=0, value=0),
        "stuck at +2": Result("", "a", "pe", 0, 0, pe=0, of=2, flip=0, value=2),
        "bit 12 flipped": Result("", "a", "accumulator", 0, 0, channel=0, bit=12, flip=1, value=1),
        "bit 3 stuck at 1": Result("", "a", "accumulator", 0, 0, channel=0, bit=3, flip=0, value=1),
        "= +1 & bit[0] ^ 1": Result(
            "", "a", "set of channel+weight", 0, 0,
            members=(Fault("a", "channel", (0,), 1), Fault("a", "weight", (0, 0, 0, 0), 1, bit=0, flip=True)),
        ),
    }  # fmt: skip
    assert {text: effect_words(result) for text, result in words.items()} == {text: text for text in words}


def test_many_levels_are_taken_together(tmp_path: Path) -> None:
    run = tiny_run_of(tmp_path / "a.run", "channel", layers=["input", "conv1"], images=3)
    (part,) = parts(run)
    assert [(row.layer, row.effect, len(row.results)) for row in part.rows] == [
        ("input", "any effect", 256),
        ("conv1", "stuck at -1", 3),
        ("conv1", "stuck at +1", 3),
    ]
    assert sorted(part.shades) == [0] * 256 + [1] * 3 + [2] * 3
    write_figures(run, tmp_path / "f")


def test_values_stand_in_order_where_a_sample_lacks_some(tmp_path: Path) -> None:
    texts = ["conv0/channel[1] = +1", "conv1/channel[0] = -1", "conv1/channel[1] = +1"]
    run = run_campaign(tiny_network(), tiny_data(), [parse_fault(t) for t in texts], tmp_path / "a.run", "reference")
    assert layer_table(run).split("\n")[1].split() == ["stuck", "at", "-1:", "stuck", "at", "+1:"]


def test_many_sets_are_taken_together(tmp_path: Path) -> None:
    network = tiny_network()
    singles = fault_space(network, "element", ["conv0", "conv0.pool", "conv1"]).sample(12, 1)
    others = ["input/pixel[0,0] = 1", "*/pe[0 of 2] = 1", "fc2/weight[0,0,0,0].bit[0] ^ 1", "conv1/channel[0] = 1"]
    sets = [parse_fault(f"{single} & {other}") for single in singles for other in others]
    run = run_campaign(network, tiny_data(4), sets, tmp_path / "a.run", "reference")
    for part in parts(run):
        assert part.kind.startswith("set of element+")
        assert len(part.layers) <= MANY
    assert "element: " in report_text(run)
    write_figures(run, tmp_path / "f")


def test_a_sample_has_intervals_once_it_is_finished(tmp_path: Path) -> None:
    network, path = tiny_network(), tmp_path / "a.run"
    faults = Selection.sample(fault_space(network, "weight"), 20, seed=1)
    with pytest.raises(KeyboardInterrupt):
        run_campaign(network, tiny_data(), faults, path, Watched(2), chunk=5)
    assert "confidence" not in report_text(Run.open(path))
    run = run_campaign(network, tiny_data(), faults, path, "reference")
    text = report_text(run)
    assert "20 of 132 weight faults in conv0, conv1, fc2 (flipped), drawn without replacement, seed 1" in text
    table = text.split("estimates for the space that the sample is from [%]\n")[1].split("\n\n")[0].split("\n")
    assert [line.split("  ")[0] for line in table[1:]] == [
        "weight faults that change any prediction",
        "weight faults that cost more than 1 point",
        "mean accuracy under one weight fault",
    ]
    assert all(" 132 " in line and " to " in line for line in table[1:])
    assert "all faults" not in text
    assert "20 drawn faults: min" in text
    found = report_json(run)
    assert found["campaign"]["origin"]["drawn"]
    assert (found["campaign"]["origin"]["space"], found["campaign"]["origin"]["sample"]) == (132, 20)
    assert len(found["kinds"][0]["changing"]["interval"]) == 2
    assert "confidence" not in report_text(tiny_run_of(tmp_path / "b.run", "weight"))


def test_bits_are_never_taken_together(tmp_path: Path) -> None:
    network = tiny_network(levels=Levels(0, 1, 16))
    space = fault_space(network, "accumulator", ["conv1"], effects=BIT_EFFECTS)
    run = run_campaign(network, tiny_data(4), space.sample(len(space)), tmp_path / "a.run", "reference")
    (part,) = parts(run)
    bits = space.blocks[0].bits
    assert bits is not None
    assert len(part.rows) == bits * 3 > MANY
    assert [row.effect for row in part.lanes] == ["any effect"]
    write_figures(run, tmp_path / "f")
