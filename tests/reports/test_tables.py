"""Runs as pandas tables and Parquet files: every row and type, sets and missing parts included."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fat_fpga.campaign import Run, run_campaign
from fat_fpga.campaign.columns import COLUMNS
from fat_fpga.cli.main import main
from fat_fpga.faults import MODELS, fault_space, parse_fault
from fat_fpga.reports import write_parquet
from tests.campaign.tiny import FOLDING, tiny_data, tiny_network


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    network = tiny_network()
    faults = [parse_fault("conv0/channel[1] = -1 & conv1/weight[0,1,1,0].bit[0] ^ 1")]
    for kind in MODELS:
        faults += fault_space(network, kind, pes=FOLDING, frames=12).sample(6, seed=2)
    return run_campaign(network, tiny_data(12), faults, tmp_path_factory.mktemp("run") / "a.run", "reference")


def test_each_row_says_what_its_text_says(run: Run) -> None:
    table = run.to_pandas()
    assert len(table) == run.done
    axes = {"weight": ["channel", "input_channel", "row", "column"], "threshold": ["channel", "threshold"],
            "pixel": ["row", "column"], "channel": ["channel"], "accumulator": ["channel"], "pe": ["pe"],
            "element": ["channel", "row", "column"], "activation": ["channel", "row", "column"]}  # fmt: skip
    for row, result in zip(table.to_dict("records"), run.results, strict=True):
        fault = parse_fault(row["fault"])
        assert (row["layer"], row["kind"], row["correct"], row["changed"]) == (
            result.layer, result.kind, result.correct, result.changed,
        )  # fmt: skip
        assert row["accuracy"] == 100 * result.correct / 12
        assert row["drop"] == pytest.approx(run.error_free_accuracy - row["accuracy"])
        if len(fault.faults) > 1:
            assert all(pd.isna(row[name]) for name in COLUMNS)
            continue
        (part,) = fault.faults
        wanted = dict(zip(axes[part.kind], part.index, strict=True)) | {"flip": part.flip, "value": part.value}
        wanted |= {name: getattr(part, name) for name in ("of", "bit", "frame") if getattr(part, name) is not None}
        assert {name: row[name] for name in COLUMNS if not pd.isna(row[name])} == wanted


def test_types_and_attributes_survive_parquet(run: Run, tmp_path: Path) -> None:
    write_parquet(run, tmp_path / "a.parquet")
    table, read = run.to_pandas(), pd.read_parquet(tmp_path / "a.parquet")
    pd.testing.assert_frame_equal(read, table)
    assert read["bit"].dtype == pd.Int32Dtype()
    assert read["flip"].dtype == pd.BooleanDtype()
    assert read["correct"].dtype == np.int64
    assert read.attrs == table.attrs
    assert (read.attrs["network"], read.attrs["images"], read.attrs["done"]) == ("tiny", 12, run.done)


@pytest.mark.parametrize("package", ["pandas", "pyarrow"])
def test_without_the_packages_there_is_advice(
    run: Run, tmp_path: Path, package: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from fat_fpga.reports import parquet_file

    monkeypatch.setattr(parquet_file, "installed", lambda name: name != package)
    assert main(["report", str(run.path), "--parquet", str(tmp_path / "a.parquet")]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert f"needs the package {package}: pip install '.[tables]'" in told.err
    assert list(tmp_path.iterdir()) == []
