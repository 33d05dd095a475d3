"""The commands do their job, and tell it in the way scripts rely on."""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import fat_fpga
from fat_fpga.campaign import Run
from fat_fpga.cli import main
from fat_fpga.engines import default_judges
from fat_fpga.faults import memory_fingerprint
from fat_fpga.network import load_network
from tests.campaign.tiny import tiny_run

from .conftest import Refused

CAMPAIGN = ("campaign", "tiny.onnx", "--data", "npz:tiny.npz", "-o", "a.run", "--engine", "reference")


def test_campaign_then_report(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(CAMPAIGN) == 0
    output = capsys.readouterr()
    assert output.err == ""  # no terminal, no bar
    assert "accuracy under one stuck channel" in output.out
    assert Run.open("a.run").results == tiny_run(folder / "b.run").results

    assert main(["report", "a.run", "--csv", "a.csv", "--json", "a.json", "--figures", "figures", "--top", "3"]) == 0
    output = capsys.readouterr()
    assert output.err == ""
    assert "most critical" in output.out
    assert output.out.count(" = ") == 4  # three of the list, one in the line over all faults
    with (folder / "a.csv").open() as file:
        assert len(list(csv.reader(file))) == 15
    assert len(list((folder / "figures").iterdir())) == 9
    assert (folder / "a.json").stat().st_size > 1000


def test_campaign_on_some_layers_and_images(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*CAMPAIGN, "--layers", "conv1", "--images", "7", "--quiet"]) == 0
    run = Run.open("a.run")
    assert (run.asked, run.images, {r.layer for r in run.results}) == (6, 7, {"conv1"})
    assert capsys.readouterr() == ("", "")


def test_a_finished_campaign_only_shows_its_table(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(CAMPAIGN) == 0
    first = capsys.readouterr().out
    assert main(CAMPAIGN) == 0
    assert capsys.readouterr().out == first


def _heed_interrupts() -> None:
    """Shells let what they start in the background ignore interrupts, and children inherit that."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_ctrl_c_leaves_a_run_that_the_same_command_continues(folder: Path) -> None:
    script = """
import sys, time
from fat_fpga.engines import reference
slow = reference.ReferenceSession.run
def run(self, *arguments, **options):
    time.sleep(0.2)
    return slow(self, *arguments, **options)
reference.ReferenceSession.run = run
from fat_fpga.cli import main
sys.exit(main(sys.argv[1:]))
"""
    command = [sys.executable, "-c", script, *CAMPAIGN, "--chunk", "1"]
    process = subprocess.Popen(
        command,
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=_environment(),
        preexec_fn=_heed_interrupts,
    )
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        if (folder / "a.run").exists() and Run.open("a.run").done >= 2:
            process.send_signal(signal.SIGINT)
            break
        time.sleep(0.02)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert out == ""
    done = Run.open("a.run").done
    assert 2 <= done < 14
    last = err.strip().splitlines()[-1]
    assert last == f"fat-fpga: stopped; {done} of 14 faults are saved, the same command continues a.run"
    assert "Traceback" not in err
    assert main(["report", "a.run"]) == 0
    assert main([*CAMPAIGN, "-q"]) == 0
    assert Run.open("a.run").results == tiny_run(folder / "b.run").results


def _environment() -> dict[str, str]:
    root = str(Path(fat_fpga.__file__).parents[1])
    return {**os.environ, "PYTHONPATH": os.pathsep.join([root, os.environ.get("PYTHONPATH", "")])}


def test_a_reader_that_goes_away_is_no_error(folder: Path) -> None:
    tiny_run(folder / "a.run")
    command = f"{sys.executable} -m fat_fpga report a.run --top 100000 | true"
    result = subprocess.run(["bash", "-c", command], capture_output=True, text=True, env=_environment())
    assert (result.returncode, result.stderr) == (0, "")


def test_an_interrupt_before_the_first_fault(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("fat_fpga.engines.reference.ReferenceSession.run", stop)
    assert main(CAMPAIGN) == 130
    assert "nothing was written" in capsys.readouterr().err
    assert not (folder / "a.run").exists()


def test_info(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info", "tiny.onnx"]) == 0
    text = capsys.readouterr().out
    rows = [line.split() for line in text.splitlines()]
    assert rows[0][:2] == ["tiny:", "1x8x8"]
    assert rows[1] == ["fingerprint", load_network("tiny.onnx").fingerprint]
    assert rows[2] == ["memories", memory_fingerprint(load_network("tiny.onnx"))]
    assert rows[5] == ["conv0", "4x1x3x3", "BIPOLAR", "{-1,", "+1}", "4x6x6", "1,296", "8"]
    assert rows[6] == ["conv0.pool", "max", "2x2", "4x3x3"]
    assert rows[8] == ["fc2", "4x3x2x2", "BIPOLAR", "scores", "4x1x1", "48", "0"]
    assert rows[9] == ["total", "132", "1,536", "14"]


def test_help_teaches_by_example(capsys: pytest.CaptureFixture[str]) -> None:
    for command in ("campaign", "report", "info", "faults", "demo", "train", "export", "models"):
        with pytest.raises(SystemExit) as left:
            main([command, "--help"])
        assert left.value.code == 0
        assert f"\n  fat-fpga {command}" in capsys.readouterr().out


def test_starting_up_imports_nothing_heavy() -> None:
    script = "import sys, fat_fpga.cli; print(*sorted({m.split('.')[0] for m in sys.modules}))"
    result = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True, env=_environment()
    )
    heavy = {"numpy", "onnx", "onnxruntime", "qonnx", "matplotlib", "tqdm", "torch", "brevitas", "sqlite3"}
    assert heavy.isdisjoint(result.stdout.split())


def test_campaigns_and_reports_need_no_torch(folder: Path) -> None:
    script = """
import sys
for name in ("torch", "brevitas"):
    sys.modules[name] = None
from fat_fpga.cli import main
sys.exit(main(sys.argv[1:]))
"""
    environment = _environment()
    for arguments in (CAMPAIGN, ("report", "a.run", "--figures", "f"), ("info", "tiny.onnx")):
        subprocess.run([sys.executable, "-c", script, *arguments], check=True, env=environment, capture_output=True)
    train = ("train", "--model", "cnv-w1a1", "--data", "cifar10:.", "-o", "out")
    result = subprocess.run([sys.executable, "-c", script, *train], env=environment, capture_output=True, text=True)
    assert result.returncode == 2
    assert (
        result.stderr
        == "fat-fpga: this needs the package torch: pip install '.[train]' in the folder of fat_fpga's sources\n"
    )
    assert not (folder / "out").exists()


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["--version"])
    assert left.value.code == 0
    assert capsys.readouterr().out == f"fat-fpga {fat_fpga.__version__}\n"


def test_bundled_networks_go_by_name(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models"]) == 0
    assert "cnv_w1a1" in capsys.readouterr().out.split()
    assert main(["models", "cnv_w1a1"]) == 0
    assert "test_accuracy" in capsys.readouterr().out
    assert main(["info", "cnv_w1a1"]) == 0
    described = capsys.readouterr().out
    assert main(["info", "cnv-w1a1"]) == 0
    assert capsys.readouterr().out == described
    assert "3,840" in described
    assert main(["export", "cnv_w1a1", "-o", "cnv_w1a1.onnx"]) == 0
    capsys.readouterr()
    assert main(["info", "cnv_w1a1.onnx"]) == 0
    assert capsys.readouterr().out == described


def test_demo_needs_no_files_of_the_user(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "-o", "new/report", "--images", "2"]) == 0
    assert "cnv_w1a1 on demo:cifar10, 2 images" in capsys.readouterr().out
    names = {path.name for path in (folder / "new" / "report").iterdir()}
    assert {"cnv_w1a1.run", "faults.csv", "report.json", "ranges.png", "criticality.pdf", "faults.svg"} <= names
    assert len(names) == 12


def test_the_command_alone_prints_its_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    assert capsys.readouterr().out.startswith("usage: fat-fpga")


def test_a_near_miss_is_offered(refused: Refused) -> None:
    assert "did you mean campaign?" in refused("campain", "tiny.onnx")
    assert "did you mean" not in refused("xyz", "tiny.onnx")


def test_default_judges_are_those_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert default_judges() == ["native", "torch", "qonnx"]
    monkeypatch.setitem(sys.modules, "torch", None)
    assert default_judges() == ["native", "reference", "qonnx"]
