"""What is stored equals what was computed directly."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fat_fpga.campaign import Run, run_campaign
from fat_fpga.engines.reference import predict
from fat_fpga.faults import Fault, fault_space, parse_fault
from fat_fpga.network import Levels

from .tiny import Watched, tiny_data, tiny_network, tiny_run

TERNARY = Levels(-1, 1, 3)


@pytest.mark.parametrize("levels", [Levels(-1, 2, 2), TERNARY, Levels(0, 1, 4)])
def test_rows_equal_direct_counts(tmp_path: Path, levels: Levels) -> None:
    network, data = tiny_network(levels=levels), tiny_data()
    run = tiny_run(tmp_path / "a.run", levels=levels)
    golden = predict(network, data.images)
    assert run.error_free == (golden == data.labels).sum()
    np.testing.assert_array_equal(run.golden, golden)
    np.testing.assert_array_equal(run.labels, data.labels)
    assert [r.fault for r in run.results] == [str(f) for f in fault_space(network)]
    for row in run.results:
        fault = parse_fault(row.fault)
        assert isinstance(fault, Fault)
        faulty = predict(network, data.images, [fault])
        assert (row.layer, row.kind, row.index, row.effect) == (
            fault.layer,
            "channel",
            str(fault.index[0]),
            fault.effect_text,
        )
        assert (row.correct, row.changed) == ((faulty == data.labels).sum(), (faulty != golden).sum())
    assert len({row.correct for row in run.results}) > 3  # the design tells faults apart


def test_arrays_follow_the_rows(tmp_path: Path) -> None:
    run = tiny_run(tmp_path / "a.run")
    assert run.correct.tolist() == [r.correct for r in run.results]
    assert run.changed.tolist() == [r.changed for r in run.results]
    np.testing.assert_allclose(run.accuracy, [100 * r.correct / 30 for r in run.results])
    assert (run.done, run.asked, run.images, run.complete) == (14, 14, 30, True)


def test_every_chunk_size_gives_the_same_run(tmp_path: Path) -> None:
    network, data = tiny_network(), tiny_data()
    whole = tiny_run(tmp_path / "whole.run").results
    for chunk in (1, 4, 14, 100):
        engine = Watched()
        run = run_campaign(network, data, fault_space(network), tmp_path / f"{chunk}.run", engine, chunk=chunk)
        assert run.results == whole
        assert max(engine.calls) == min(chunk, 14)
        assert len(engine.asked) == 14


def test_the_layer_table_describes_the_network(tmp_path: Path) -> None:
    layers = tiny_run(tmp_path / "a.run", levels=TERNARY).layers
    assert [(r.name, r.type, r.channels, r.height, r.width, r.levels, r.weights, r.macs) for r in layers] == [
        ("input", "input", 1, 8, 8, ",".join(map(str, range(-128, 128))), 0, 0),
        ("conv0", "unit", 4, 6, 6, "-1,0,1", 36, 36 * 36),
        ("conv0.pool", "pool", 4, 3, 3, "-1,0,1", 0, 0),
        ("conv1", "unit", 3, 2, 2, "-1,0,1", 48, 4 * 48),
        ("fc2", "unit", 4, 1, 1, "", 48, 48),
    ]


def test_a_run_can_be_read_while_it_is_written(tmp_path: Path) -> None:
    network, path = tiny_network(), tmp_path / "a.run"
    seen = []

    class Reader(Watched):
        def run(self, *arguments, **options):  # type: ignore[no-untyped-def]
            if path.exists():
                seen.append(Run.open(path).done)
            return super().run(*arguments, **options)

    run_campaign(network, tiny_data(), fault_space(network), path, Reader(), chunk=5)
    assert seen == [0, 5, 10]
