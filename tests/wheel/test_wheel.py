"""What is in the wheel, and the main job with it in an environment that knows nothing of the repository."""

from __future__ import annotations

import re
import subprocess
import zipfile
from email.message import Message
from pathlib import Path

from fat_fpga import load_data, load_network, run_campaign
from fat_fpga.campaign import Run
from fat_fpga.hardware import folder as hardware_folder
from fat_fpga.hardware import modules

from .conftest import ROOT, Installed, requirements

NATIVE = re.compile(r"fat_fpga/(?:engines/_native_(?:portable|neon|avx2|avx512|amx)|faults/_hits)\.cpython-\d+-\S+\.so")


def test_all_of_the_package_is_in_it_and_nothing_else(wheel: Path) -> None:
    listed = subprocess.run(["git", "ls-files", "fat_fpga"], cwd=ROOT, text=True, capture_output=True, check=True)
    package = {name for name in listed.stdout.split() if "/native/" not in name}
    hardware = {f"fat_fpga/hw/{file}" for files in modules().values() for file in files}
    hardware |= {"fat_fpga/hw/modules.json", "fat_fpga/hw/sim/board.cpp", "fat_fpga/hw/sim/upsets.vlt"}
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    compiled = {name for name in names if NATIVE.fullmatch(name)}
    assert names - compiled == package | hardware
    assert {"fat_fpga/engines/_native_portable", "fat_fpga/faults/_hits"} <= {name.split(".")[0] for name in compiled}
    assert "fat_fpga/py.typed" in names


def test_requirements_are_ranges(metadata: Message) -> None:
    base = requirements(metadata)
    assert {re.split(r"[<>=!~;]", text)[0] for text in base} == {
        "numpy", "scipy", "onnx", "onnxruntime", "qonnx", "matplotlib", "tqdm", "tomli"
    }  # fmt: skip
    assert all(">=" in text and "==" not in text.split(";")[0] for text in base)
    assert not [text for text in metadata.get_all("Requires-Dist") or [] if "==" in text.split(";")[0]]
    extras = set(metadata.get_all("Provides-Extra") or [])
    assert extras == {
        "data",
        "speech",
        "tables",
        "html",
        "xlsx",
        "sizes",
        "completion",
        "dask",
        "train",
        "notebooks",
        "rtl",
        "docs",
        "dev",
    }


def test_what_an_index_shows(metadata: Message) -> None:
    assert (metadata["Name"], metadata["Requires-Python"]) == ("fat_fpga", ">=3.10")
    classifiers = metadata.get_all("Classifier") or []
    assert "Typing :: Typed" in classifiers
    assert "License :: OSI Approved :: BSD License" in classifiers
    assert metadata["Description-Content-Type"] == "text/markdown"


def test_it_is_imported_from_where_it_is_installed(installed: Installed) -> None:
    program = (
        "import fat_fpga, sys, pathlib; from fat_fpga.engines.native_engine import instruction_sets as sets;"
        "print(pathlib.Path(fat_fpga.__file__).is_relative_to(sys.prefix), sets()[-1])"
    )
    assert installed("python", "-c", program) == "True portable\n"


def test_the_demo(installed: Installed) -> None:
    said = installed("fat-fpga", "demo", "--output", "demo")
    assert "demo: run file, faults.csv, report.json, and the figures" in said
    run = Run.open(installed.folder / "demo" / "cnv_w1a1.run")
    assert (run.complete, run.images, len(run.results), run.error_free) == (True, 1000, 3840, 814)


def test_campaign_plan_harden_verify(installed: Installed) -> None:
    """The same counts as here; and the promise of the plan holds."""
    folding = ("--folding", "16x49,16x16,16x16,10x16")
    installed("fat-fpga", "campaign", "tfc_w2a2", "--data", "demo:mnist", "-o", "tfc.run", "-q")
    said = installed("fat-fpga", "plan", "tfc.run", "--worst-error", "3", *folding, "-o", "plan.json")
    assert "plan.json" in said
    installed("fat-fpga", "harden", "tfc_w2a2", "plan.json", "-o", "hardened.onnx")
    installed("fat-fpga", "campaign", "hardened.onnx", "--data", "demo:mnist", "-o", "hardened.run", "-q")
    assert "\nHELD: all 996 faults did as promised" in installed("fat-fpga", "verify", "plan.json", "hardened.run")
    here = run_campaign(load_network("tfc_w2a2"), load_data("demo:mnist"))
    assert Run.open(installed.folder / "tfc.run").results == here.results


def test_the_engines_agree(installed: Installed) -> None:
    """Three of them execute nodes with the onnx and the onnxruntime that are installed."""
    few = ("--data", "demo:mnist", "--sample", "12", "--images", "1")
    said = installed("fat-fpga", "crosscheck", "tfc_w2a2", "--engines", "native,file,qonnx", *few)
    assert said.endswith("\nequal\n")


def test_it_tells_which_extra_is_missing(installed: Installed) -> None:
    """The environment has none of them."""
    installed("fat-fpga", "campaign", "tfc_w2a2", "--data", "demo:mnist", "--images", "5", "-o", "few.run", "-q")
    said = installed.refusal("fat-fpga", "report", "few.run", "--parquet", "few.parquet")
    assert re.fullmatch(r"fat-fpga: .*needs the packages? .*pip install '.*\[tables\]'.*\n", said)
    said = installed.refusal("fat-fpga", "train", "--data", "demo:cifar10", "-o", "trained")
    assert re.fullmatch(r"fat-fpga: .*torch.*pip install '.*\[train\]'.*\n", said)
    assert not (installed.folder / "few.parquet").exists()
    assert not (installed.folder / "trained").exists()


def test_finn_generates_code_from_the_wheel(installed_with_finn: Installed) -> None:
    """Saboteurs and checksums: their SystemVerilog is copied out of the package, and is the repository's."""
    command = ("finn", "build", "tfc_w2a2", "--board", "ZCU104", "--folding", "auto:50000", "--inject", "stream")
    said = installed_with_finn("fat-fpga", *command, "--checksums", "-o", "build", "--until", "code")
    assert "wrote build/report/comparison.json" in said
    generated = {path.name: path for path in (installed_with_finn.folder / "build").rglob("fat_*.sv")}
    for name in ("fat_saboteur.sv", "fat_checksum.sv", "fat_registers_pkg.sv"):
        assert generated[name].read_bytes() == (hardware_folder() / "rtl" / name).read_bytes()
    where = installed_with_finn("python", "-c", "from fat_fpga.hardware import folder; print(folder())").strip()
    assert Path(where).is_relative_to(installed_with_finn.environment)
    assert not (Path(where).parent / "conftest.py").exists()
