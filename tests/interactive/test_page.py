"""What an interactive report holds: the run's own figures, and nothing that is loaded from elsewhere."""

from __future__ import annotations

import base64
import json
import re
import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fat_fpga.campaign import Run, run_campaign
from fat_fpga.cli.main import main
from fat_fpga.errors import CampaignError, FaultError
from fat_fpga.hardening.criticality import criticality_of
from fat_fpga.hardening.planner import Planner
from fat_fpga.interactive import write_html
from fat_fpga.interactive.arrays import NONE, packed, packed_optional
from fat_fpga.interactive.command import campaign_command
from fat_fpga.interactive.details import Subject
from fat_fpga.network import load_network
from tests.campaign.tiny import Watched, tiny_data, tiny_network, tiny_run, tiny_run_of

pytest.importorskip("plotly", reason="the interactive report needs plotly")


def content_of(path: Path) -> dict[str, Any]:
    text = path.read_text(encoding="utf-8")
    (data,) = re.findall(r'<script type="application/json" id="content">(.*?)</script>', text, re.DOTALL)
    found: dict[str, Any] = json.loads(data)
    return found


def unpacked(array: Any) -> list[int]:
    kind = np.dtype(array["type"]).newbyteorder("<")
    found: list[int] = np.frombuffer(base64.b64decode(array["base64"]), kind).tolist()
    return found


@given(st.lists(st.integers(-(2**31), 2**31 - 1) | st.integers(0, 2**32 - 1)))
def test_arrays_come_back(values: list[int]) -> None:
    if values and min(values) < 0 and max(values) > 2**31 - 1:
        with pytest.raises(OverflowError, match="more than 32 bits"):
            packed(values)
    else:
        assert unpacked(packed(values)) == values


def test_arrays_take_few_bytes_and_know_nothing() -> None:
    assert (packed([0, 255])["type"], packed([-1, 255])["type"], packed([65536])["type"]) == (
        "uint8",
        "int16",
        "uint32",
    )
    assert packed_optional([None, None]) is None
    found = packed_optional([3, None])
    assert found is not None
    assert unpacked(found) == [3, NONE]


def test_a_page_holds_the_run(tmp_path: Path) -> None:
    run = tiny_run(tmp_path / "a.run")
    write_html(run, tmp_path / "a.html")
    found = content_of(tmp_path / "a.html")
    faults = found["faults"]
    assert faults["text"].split("\n") == [result.fault for result in run.results]
    assert unpacked(faults["correct"]) == run.correct.tolist()
    assert unpacked(faults["changed"]) == run.changed.tolist()
    assert [faults["layers"][n] for n in unpacked(faults["layer"])] == [result.layer for result in run.results]
    assert unpacked(faults["axes"]["channel"]) == [result.channel for result in run.results]
    assert unpacked(found["labels"]) == run.labels.tolist()
    assert found["head"]["error_free"] == run.error_free
    assert found["head"]["network_fingerprint"] == tiny_network().fingerprint
    points = [[p.worst_correct, p.triplicated, p.ratio] for p in Planner(criticality_of(run)).front()]
    assert found["promises"]["points"] == points
    assert (found["predictions"], found["images"], found["paths"]) == (None, None, {})


def test_a_page_loads_nothing(tmp_path: Path) -> None:
    write_html(tiny_run(tmp_path / "a.run"), tmp_path / "a.html")
    text = (tmp_path / "a.html").read_text(encoding="utf-8")
    assert "default-src 'none'" in text
    assert not re.findall(r"<(?:script|link|img|iframe)[^>]+(?:src|href)=", text.replace(_library(), ""))
    write_html(tiny_run(tmp_path / "a.run"), tmp_path / "again.html")
    assert (tmp_path / "again.html").read_bytes() == (tmp_path / "a.html").read_bytes()


def _library() -> str:
    from plotly.offline import get_plotlyjs

    return str(get_plotlyjs()).replace("</script", "<\\/script")


def test_details_are_those_of_the_network(tmp_path: Path) -> None:
    """Without kept predictions they are computed; both ways they are the same, and the path starts at the fault."""
    network, data = tiny_network(), tiny_data()
    plain = tiny_run(tmp_path / "plain.run")
    kept = run_campaign(network, data, None, tmp_path / "kept.run", "native", counting=("predictions",))
    for run, name in ((plain, "plain"), (kept, "kept")):
        write_html(run, tmp_path / f"{name}.html", subject=Subject(network, data), details_of=14)
    one, other = content_of(tmp_path / "plain.html"), content_of(tmp_path / "kept.html")
    rows = [dict(zip(unpacked(c["predictions"]["faults"]), _rows(c), strict=True)) for c in (one, other)]
    assert rows[0] == rows[1]
    assert len(rows[0]) == 14
    assert one["paths"] == other["paths"]
    for number, result in enumerate(plain.results):
        streams = {name: differ for name, differ, _ in one["paths"][str(number)]["places"]}
        assert result.layer in streams
        if result.layer == "conv1":
            assert streams["conv0"] == 0
    assert one["images"]["which"] == packed(range(30))
    assert unpacked(one["images"]["pixels"]) == data.images.transpose(0, 2, 3, 1).ravel().tolist()
    assert one["names"] == ["a", "b", "c", "d"]


def _rows(content: dict[str, Any]) -> list[bytes]:
    all_of_them, size = base64.b64decode(content["predictions"]["base64"]), content["predictions"]["bytes"]
    return [all_of_them[at : at + size] for at in range(0, len(all_of_them), size)]


def test_names_are_no_html(tmp_path: Path) -> None:
    network = tiny_network(name="</script><script>alert(1)</script>")
    run = run_campaign(network, tiny_data(), None, tmp_path / "a.run", "reference")
    write_html(run, tmp_path / "a.html")
    text = (tmp_path / "a.html").read_text(encoding="utf-8")
    assert "<script>alert" not in text
    assert content_of(tmp_path / "a.html")["head"]["network"] == network.name


@pytest.mark.parametrize(
    "words",
    [
        "--faults weight --sample 40 --seed 7",
        "--faults weight,threshold --effects all --layers fc1,fc2 --sample 30 --seed 0 --stratify kind,layer",
        "--faults channel --layers fc1 --values=-1,1 --sample 40",
        "--faults pe --folding 16,16,16,10 --outcomes --detectors range --sample 6",
        "--faults channel --layers fc2",
    ],
)
def test_the_command_makes_the_run_again(words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    start = ["campaign", "tfc_w2a2", "--data", "demo:mnist", "--images", "10", "-q"]
    assert main([*start, *words.split(), "-o", "a.run"]) == 0
    run = Run.open("a.run")
    command = shlex.split(campaign_command(run))
    (tmp_path / "a.run").rename("b.run")
    assert command[0] == "fat-fpga"
    assert main([*command[1:], "-q"]) == 0
    again = Run.open("a.run")
    assert again.identity == run.identity
    assert again.results == run.results


def test_the_command_of_a_sweep(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    words = "sweep tfc_w2a2 --data demo:mnist --images 5 --rates 1e-3,0.1 --samples 2 --scope structure -q -o a.run"
    assert main(words.split()) == 0
    run = Run.open("a.run")
    (tmp_path / "a.run").rename("b.run")
    assert main([*shlex.split(campaign_command(run))[1:], "-q"]) == 0
    assert Run.open("a.run").results == run.results


def test_what_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.run"
    run = tiny_run(path)
    with pytest.raises(CampaignError, match="give the model of the campaign"):
        write_html(run, tmp_path / "a.html", subject=Subject(tiny_network(seed=1), tiny_data()))
    with pytest.raises(CampaignError, match="the data given, tiny:test, are others"):
        write_html(run, tmp_path / "a.html", subject=Subject(tiny_network(), tiny_data(seed=1)))
    with pytest.raises(FaultError, match="folding 3,3"):
        write_html(run, tmp_path / "a.html", folding="3,3")
    with pytest.raises(KeyboardInterrupt):
        run_campaign(tiny_network(), tiny_data(), None, tmp_path / "b.run", Watched(1))
    with pytest.raises(CampaignError, match="no fault is finished"):
        write_html(Run.open(tmp_path / "b.run"), tmp_path / "a.html")
    assert not (tmp_path / "a.html").exists()
    for words, told in (
        (["--html", "-"], "--html is no text for standard output"),
        (["--against", str(path)], "--against is for the interactive report"),
        (["--html", str(tmp_path / "a.html"), "--model", "tfc_w2a2"], "--model and --data belong together"),
        (["--html", str(path)], "read"),
    ):
        assert main(["report", str(path), *words]) == 2
        assert told in capsys.readouterr().err
    assert Run.open(path).results == run.results


def test_the_command_line_writes_it(tmp_path: Path) -> None:
    words = ["tfc_w2a2", "--data", "demo:mnist"]
    run, page = str(tmp_path / "a.run"), tmp_path / "a.html"
    assert main(["campaign", *words, "--images", "20", "--layers", "fc2", "-q", "-o", run]) == 0
    assert main(["report", run, "--html", str(page), "--details", "2", "--model", *words]) == 0
    found = content_of(page)
    assert len(found["paths"]) == 2
    assert found["predictions"]["classes"] == load_network("tfc_w2a2").classes
    assert page.stat().st_size < 7_000_000


def test_a_run_without_a_plan_says_why(tmp_path: Path) -> None:
    write_html(tiny_run_of(tmp_path / "a.run", "weight", sample=20), tmp_path / "a.html")
    found = content_of(tmp_path / "a.html")["promises"]
    assert found["points"] == []
    assert "a plan needs every channel" in found["why"]
