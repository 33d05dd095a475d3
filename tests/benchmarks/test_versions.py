"""The native engine against that of an earlier commit: what is computed from what the processes tell."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks import versions, versions_measured
from benchmarks.versions_build import ROOT, BuildError, built, commit_of, packages
from fat_fpga.datasets import load
from fat_fpga.engines.native_engine import chosen_instruction_set
from fat_fpga.engines.reference import ReferenceEngine
from fat_fpga.faults import fault_space
from fat_fpga.models.zoo import read_onnx
from fat_fpga.network import load_network

IN_GIT = (ROOT / ".git").exists() and shutil.which("git") is not None


def told(**other: Any) -> dict[str, Any]:
    first = {
        "faults": 100, "images": 10, "few_images": 2, "seconds": 1.0, "few_seconds": 0.6,
        "faults_sha256": "f", "counts_sha256": "c", "changed": 5,
    }  # fmt: skip
    return {**first, **other}


def test_slope_takes_the_best_of_each_number_of_images() -> None:
    assert versions.slope([told()]) == pytest.approx(0.4 / 800 * 1e6)
    slower = told(seconds=0.9, few_seconds=0.8)
    assert versions.slope([told(), slower]) == pytest.approx(0.3 / 800 * 1e6)


def test_what_differs_is_said() -> None:
    assert versions.difference([told(), told()], [told(seconds=9.0)]) == ""
    assert versions.difference([told()], [told(counts_sha256="d", changed=7)]) == (
        "other counts: 5 and 7 changed predictions"
    )
    assert versions.difference([told()], [told(faults_sha256="g", faults=99, counts_sha256="d")]) == (
        "other faults are drawn: 100 and 99"
    )


def test_table() -> None:
    rows = [versions.Row("cnv", "channel", "avx2", 3.0, 2.0, ""), versions.Row("cnv", "pe", "avx2", 1.0, 2.0, "other")]
    head, first, second = versions.table(rows).splitlines()
    assert head.split() == ["network", "kind", "set", "us", "old", "us", "new", "ratio"]
    assert first.split() == ["cnv", "channel", "avx2", "3.000", "2.000", "1.50", "x"]
    assert second.split() == ["cnv", "pe", "avx2", "1.000", "2.000", "0.50", "x", "other"]


def test_file_of(tmp_path: Path) -> None:
    found = versions.file_of("tfc-w2a2", tmp_path)
    assert found == tmp_path / "tfc_w2a2.onnx"
    assert found.read_bytes() == read_onnx("tfc_w2a2")
    assert versions.file_of(str(found), tmp_path) == found
    for wrong in ("tfc_w9", str(tmp_path / "no.onnx")):
        with pytest.raises(BuildError, match=wrong):
            versions.file_of(wrong, tmp_path)


def test_a_process_tells_what_the_engine_counts(tmp_path: Path) -> None:
    network = versions.file_of("cnv_w1a1", tmp_path)
    script = Path(shutil.copy(versions_measured.__file__, tmp_path))
    simd = chosen_instruction_set()
    one, other = (versions.measured(sys.executable, script, network, "pe", simd, n, 1) for n in (2, 3))
    assert (one["faults"], one["images"], one["few_images"]) == (174, 2, 1)
    assert one["instruction_set"] == simd
    assert one["seconds"] > 0
    assert one["faults_sha256"] == other["faults_sha256"]
    assert one["counts_sha256"] != other["counts_sha256"]
    assert one["changed"] > 0
    with pytest.raises(BuildError, match="pixels"):
        versions.measured(sys.executable, script, network, "pixels", simd, 2, 1)


def test_faults_and_counts_are_hashed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    """By the reference engine on a few faults, without a process."""
    path = versions.file_of("cnv_w1a1", tmp_path)
    monkeypatch.setattr(versions_measured, "SAMPLE", 5)
    monkeypatch.setattr(sys, "argv", ["", str(path), "channel", "2", "1"])
    versions_measured.main()
    found = json.loads(capsys.readouterr().out)
    network, data = load_network(path), load("demo:cifar10", limit=2)
    outcome = ReferenceEngine().open(network).run(data.images, data.labels, fault_space(network, "channel").sample(5))
    assert found["changed"] == outcome.changed.sum()
    assert found["faults"] == 5


@pytest.mark.skipif(not IN_GIT, reason="not a repository")
@pytest.mark.parametrize(("counts", "code"), [("c", 0), ("other", 1)])
def test_other_counts_are_an_error(
    counts: str, code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def measured(python: str, *_: Any) -> dict[str, Any]:
        return told(package=python, counts_sha256=counts if python == "earlier" else "c")

    monkeypatch.setattr(versions, "measured", measured)
    arguments = ["HEAD", "--environment", "earlier", "--sets", "portable", "--json", str(tmp_path / "rows.json")]
    assert versions.main(arguments) == code
    assert ("other counts" in capsys.readouterr().out) == bool(code)
    rows = json.loads((tmp_path / "rows.json").read_text())["rows"]
    assert [(row["kind"], row["ratio"]) for row in rows] == [("channel", 1.0), ("pe", 1.0)]


@pytest.mark.skipif(not IN_GIT, reason="not a repository")
def test_two_environments_with_one_package_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    same = ["HEAD", "--environment", sys.executable, "--images", "2", "--rounds", "1", "--turns", "1", "--kinds", "pe"]
    assert versions.main([*same, "--sets", chosen_instruction_set()]) == 2
    assert "both environments have the package" in capsys.readouterr().err


@pytest.mark.skipif(not IN_GIT, reason="not a repository")
def test_a_revision_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert versions.main(["no-such-tag"]) == 2
    assert "got 'no-such-tag'" in capsys.readouterr().err


@pytest.mark.parametrize("wrong", [["--kinds", "channels"], ["--sets", "mmx"], ["--images", "1"], ["--turns", "0"]])
def test_options_that_are_refused(wrong: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        versions.main(["HEAD", *wrong])
    assert left.value.code == 2
    assert ("unknown: " + wrong[1] if wrong[0] in ("--kinds", "--sets") else "expected") in capsys.readouterr().err


@pytest.mark.skipif(not IN_GIT, reason="not a repository")
def test_a_worktree_is_removed_where_the_build_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "no-python"))
    with pytest.raises((BuildError, OSError)), built(commit_of("HEAD"), tmp_path):
        pass
    assert not (tmp_path / "tree").exists()
    listed = subprocess.run(
        ["git", "-C", str(ROOT), "worktree", "list"], capture_output=True, text=True, check=True
    ).stdout  # fmt: skip
    assert str(tmp_path) not in listed


def test_packages() -> None:
    paths = ["", "/usr/lib/python3", "/a/site-packages", "/usr/lib/python3/dist-packages"]
    assert packages(paths) == ["/a/site-packages", "/usr/lib/python3/dist-packages"]
