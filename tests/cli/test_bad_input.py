"""Bad input: one clear line, exit code 2, nothing half-written."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from fat_fpga.cli import main
from tests.campaign.tiny import tiny_data, tiny_run
from tests.designs.float_graph import GraphBuilder

from .conftest import CLASSES, Refused

RUN = ("-o", "a.run")
ENGINE = ("--engine", "reference")
DATA = ("--data", "npz:tiny.npz")


def test_a_model_that_is_not_there(refused: Refused) -> None:
    assert "no file 'nowhere.onnx', and no bundled network of that name" in refused(
        "campaign", "nowhere.onnx", *DATA, *RUN
    )
    refused("info", "nowhere.onnx")
    assert "; did you mean cnv_w1a2?" in refused("info", "cnv_w1a")
    refused("export", "nowhere", "-o", "a.onnx")


def test_a_file_that_is_no_onnx(folder: Path, refused: Refused) -> None:
    (folder / "text.onnx").write_text("this is no model")
    (folder / "empty.onnx").write_bytes(b"")
    for name in ("text.onnx", "empty.onnx", "tiny.npz", "."):
        assert name in refused("campaign", name, *DATA, *RUN)
        refused("info", name)


def test_a_checkpoint_is_to_be_exported_first(folder: Path, refused: Refused) -> None:
    (folder / "last.pt").write_bytes(b"PK")
    assert "fat-fpga export last.pt -o last.onnx" in refused("campaign", "last.pt", *DATA, *RUN)


def test_an_unsupported_operator_is_named(folder: Path, refused: Refused) -> None:
    node = helper.make_node("Det", ["x"], ["y"], name="my_determinant")
    value = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 3, 8, 8]) for name in "xy"]
    onnx.save(helper.make_model(helper.make_graph([node], "g", value[:1], value[1:])), str(folder / "determinant.onnx"))
    message = refused("campaign", "determinant.onnx", *DATA, *RUN)
    assert "my_determinant" in message
    assert "Det" in message


def test_what_a_user_should_know_is_one_line(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    builder = GraphBuilder([1, 12], "UINT8")
    builder.node("MatMul", np.zeros((12, 4)), name="the_product")
    builder.node("MultiThreshold", np.zeros((1, 1)), out_dtype="BINARY")
    builder.node("MatMul", np.eye(4, 3))
    onnx.save(builder.model(), folder / "zeros.onnx")
    assert main(["info", "zeros.onnx"]) == 0
    assert capsys.readouterr().err == "fat-fpga: note: node 'the_product' (MatMul): all its weights are 0\n"


def test_images_for_a_flat_input(folder: Path, refused: Refused) -> None:
    builder = GraphBuilder([1, 784], "UINT8")
    builder.node("MatMul", np.ones((784, 3)))
    builder.node("MultiThreshold", np.zeros((1, 1)), out_dtype="BINARY")
    builder.node("MatMul", np.eye(3))
    onnx.save(builder.model(), folder / "flat.onnx")
    images, labels = np.zeros((4, 1, 28, 28), np.uint8), np.zeros(4, np.int64)
    np.savez(folder / "digits.npz", images=images, labels=labels)
    message = refused("campaign", "flat.onnx", "--data", "npz:digits.npz", *RUN, *ENGINE)
    assert "got uint8 [4, 1, 28, 28]: the file's input is flat" in message
    assert "give its image shape with --image-shape 1,28,28 (image_shape= in Python)" in message


def test_an_unknown_layer_lists_the_known_ones(refused: Refused) -> None:
    message = refused("campaign", "tiny.onnx", *DATA, "--layers", "conv0,conv9", *RUN, *ENGINE)
    for words in ("conv9", "conv0", "conv1", "fc2"):
        assert words in message
    assert "conv0, conv0.pool, conv1" in refused("campaign", "tiny.onnx", *DATA, "--layers", "fc2", *RUN, *ENGINE)
    refused("campaign", "tiny.onnx", *DATA, "--layers", ",", *RUN, *ENGINE)


def test_unknown_kinds_and_engines_list_the_known_ones(refused: Refused) -> None:
    assert "channel" in refused("campaign", "tiny.onnx", *DATA, "--faults", "gremlin", *RUN, *ENGINE)
    assert "native, reference" in refused("campaign", "tiny.onnx", *DATA, *RUN, "--engine", "abacus")


@pytest.mark.parametrize("count", ["0", "-3", "31", "many"])
def test_a_number_of_images_that_cannot_be(refused: Refused, count: str) -> None:
    assert count in refused("campaign", "tiny.onnx", *DATA, "--images", count, *RUN, *ENGINE)


def test_images_that_do_not_fit(folder: Path, refused: Refused) -> None:
    data = tiny_data()
    images, labels = data.images, data.labels
    bad: dict[str, dict[str, np.ndarray]] = {
        "shape": {"images": images[:, :, :7], "labels": labels},
        "range": {"images": images.astype(np.float32) / 255, "labels": labels},
        "wide": {"images": images.astype(np.int64) * 3, "labels": labels},
        "classes": {"images": images, "labels": labels + 1, "classes": CLASSES},
        "more_classes": {"images": images, "labels": labels + 1},
        "negative": {"images": images, "labels": labels - 1},
        "fewer": {"images": images, "labels": labels[:9]},
        "none": {"images": images[:0], "labels": labels[:0]},
        "unlabelled": {"images": images},
    }
    for name, arrays in bad.items():
        np.savez(folder / f"{name}.npz", allow_pickle=True, **arrays)
        assert refused("campaign", "tiny.onnx", "--data", f"npz:{name}.npz", *RUN, *ENGINE)


def test_data_that_is_missing_or_truncated(folder: Path, refused: Refused) -> None:
    for spec in ("npz:nowhere.npz", "cifar10:nowhere", "cifar10:.", "mnist:.", "tiny.npz", "video:tiny.npz"):
        assert refused("campaign", "tiny.onnx", "--data", spec, *RUN, *ENGINE)
    (folder / "cut.npz").write_bytes((folder / "tiny.npz").read_bytes()[:1000])
    assert "cut.npz" in refused("campaign", "tiny.onnx", "--data", "npz:cut.npz", *RUN, *ENGINE)


def test_an_output_that_cannot_be_written(folder: Path, refused: Refused) -> None:
    (folder / "there").mkdir()
    for path in ("nowhere/a.run", "there", "tiny.npz/a.run"):
        assert "cannot write there" in refused("campaign", "tiny.onnx", *DATA, "-o", path, *ENGINE)
    tiny_run(folder / "good.run")
    assert "cannot write there" in refused("report", "good.run", "--csv", "nowhere/a.csv")
    assert "cannot write there" in refused("report", "good.run", "--json", "there")
    assert "it is a file: tiny.npz" in refused("report", "good.run", "--figures", "tiny.npz")
    refused("report", "good.run", "--csv", "ok.csv", "--json", "nowhere/a.json")
    refused("demo", "-o", "tiny.npz")


def test_a_run_file_of_another_campaign(folder: Path, refused: Refused) -> None:
    assert main(["campaign", "tiny.onnx", *DATA, *RUN, *ENGINE, "-q"]) == 0
    assert "the model is tiny (" in refused("campaign", "other.onnx", *DATA, *RUN, *ENGINE)
    assert "the data set is" in refused("campaign", "tiny.onnx", *DATA, "--images", "9", *RUN, *ENGINE)
    assert "the fault list has" in refused("campaign", "tiny.onnx", *DATA, "--layers", "conv1", *RUN, *ENGINE)
    assert "is not a run file" in refused("campaign", "tiny.onnx", *DATA, "-o", "other.onnx", *ENGINE)


def test_a_report_of_what_is_no_run(refused: Refused) -> None:
    assert "no run file at nowhere.run" in refused("report", "nowhere.run")
    assert "is not a run file" in refused("report", "tiny.onnx", "--figures", "new")
    refused("report", ".")


def test_a_report_of_no_lines(folder: Path, refused: Refused) -> None:
    tiny_run(folder / "good.run")
    assert "argument --top: expected a whole number, 1 or more" in refused("report", "good.run", "--top", "0")


def test_arguments_that_cannot_be_read(refused: Refused) -> None:
    assert "invalid choice" in refused("fly")
    assert "--data" in refused("campaign", "tiny.onnx", *RUN)
    assert "unrecognized" in refused("report", "a.run", "--colour", "red")
    assert "channels,height,width" in refused("info", "tiny.onnx", "--image-shape", "28,28")
