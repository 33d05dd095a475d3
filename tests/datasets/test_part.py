"""Parts of data sets: the same images every time, disjoint where they must be, in every format."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from fat_fpga.datasets import Dataset, load
from fat_fpga.datasets.part import Part, held_out_of, split_spec
from fat_fpga.errors import DataError
from tests.datasets.test_cifar10 import NAMES, batch
from tests.datasets.test_gtsrb import write

END = st.none() | st.integers(-30, 30)


@given(END, END, st.none() | st.integers(-4, 4).filter(bool), st.sampled_from(["", "test", "train", "val", "fit"]))
def test_a_part_is_read_as_python_reads_it(start: int | None, stop: int | None, step: int | None, split: str) -> None:
    ends = ":".join("" if end is None else str(end) for end in (start, stop))
    if (start, stop, step, split) == (None, None, None, ""):
        split = "test"
    source, part = split_spec(f"cifar10:data@{split}[{ends}{'' if step is None else f':{step}'}]")
    assert source == "cifar10:data"
    assert (part.split or "") == split
    assert part.images == (start, stop, step)
    if split in ("", "test", "train"):
        assert part.of(range(23)).tolist() == list(range(23))[start:stop:step]
    assert (part.text == "" and not split) or split_spec(f"x:y@{split}{part.text}")[1] == part


@given(st.lists(st.integers(0, 40), min_size=1, max_size=300))
def test_val_and_fit_share_the_training_part(groups: list[int]) -> None:
    val, fit = (Part(split).of(groups) for split in ("val", "fit"))
    assert sorted([*val, *fit]) == list(range(len(groups)))
    assert not {groups[i] for i in val} & {groups[i] for i in fit}
    held = {groups[i] for i in val}
    assert len(held) == max(1, len(set(groups)) // 10)
    assert held_out_of(groups).tolist() == held_out_of(groups).tolist()


def test_the_held_out_images_never_change() -> None:
    assert np.flatnonzero(held_out_of(range(50_000)))[:5].tolist() == FIRST


FIRST = [14, 22, 24, 28, 64]


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("demo:mnist@tset", "'@tset' names no images; expected @PART"),
        ("demo:mnist@", "'@' names no images"),
        ("demo:mnist@test[1:2", "names no images"),
        ("demo:mnist@[1]", "names no images"),
        ("demo:mnist@[::0]", "the step of '@\\[::0\\]' must not be 0"),
        (f"demo:mnist@[{'9' * 4000}:]", "too large"),
        ("demo:mnist@[500:600]", "holds no images"),
        ("demo:mnist@train", "demo:mnist has no train part, it has one part only: choose images of it, as @"),
        ("demo:mnist@val[0:3]", "has no val part"),
    ],
)
def test_parts_that_cannot_be(spec: str, words: str) -> None:
    with pytest.raises(DataError, match=words):
        load(spec)


def same(found: Dataset, whole: Dataset, indices: slice | Sequence[int] | np.ndarray) -> None:
    np.testing.assert_array_equal(found.images, whole.images[indices])
    np.testing.assert_array_equal(found.labels, whole.labels[indices])


def test_one_part_only() -> None:
    whole = load("demo:mnist")
    halves = [load(f"demo:mnist@[{start}::2]") for start in (0, 1)]
    assert [half.name for half in halves] == ["demo:mnist[0::2]", "demo:mnist[1::2]"]
    for start, half in enumerate(halves):
        same(half, whole, slice(start, None, 2))
    assert load("demo:mnist@test").fingerprint == whole.fingerprint == load("demo:mnist", "train").fingerprint
    same(load("demo:mnist@[10:]", limit=5), whole, slice(10, 15))
    with pytest.raises(DataError, match="has no val part"):
        load("demo:mnist", "val")


def test_cifar10(tmp_path: Path) -> None:
    for seed, name in enumerate(NAMES):
        data, labels = batch(seed, 6)
        rows = np.concatenate([np.array(labels, np.uint8)[:, None], data], axis=1)
        (tmp_path / f"{name}.bin").write_bytes(rows.tobytes())
    train, test = load(f"cifar10:{tmp_path}@train"), load(f"cifar10:{tmp_path}")
    assert (train.name, test.name) == ("cifar10:train", "cifar10:test")
    assert train.fingerprint == load(f"cifar10:{tmp_path}", "train").fingerprint
    val, fit = load(f"cifar10:{tmp_path}@val"), load(f"cifar10:{tmp_path}@fit")
    held = held_out_of(range(len(train)))
    same(val, train, held)
    same(fit, train, ~held)
    assert (val.name, fit.name) == ("cifar10:val", "cifar10:fit")
    same(load(f"cifar10:{tmp_path}@test[1:3]"), test, slice(1, 3))
    with pytest.raises(DataError, match="this is the val part, and the train part is needed: leave @ out"):
        load(f"cifar10:{tmp_path}@val", "train")


def test_tracks_of_gtsrb_are_held_out_whole(tmp_path: Path) -> None:
    for label in range(43):  # two tracks of two photographs in each class
        folder, table = tmp_path / f"{label:05d}", tmp_path / f"{label:05d}" / f"GT-{label:05d}.csv"
        write(folder, table, [(32 + label, 40 + number) for number in range(4)], [label] * 4)
        for number in range(4):
            name = f"{number // 2:05d}_{number % 2:05d}.ppm"
            (folder / f"{number:05d}.ppm").rename(folder / name)
            table.write_text(table.read_text().replace(f"\n{number:05d}.ppm", f"\n{name}"))
    train = load(f"gtsrb:{tmp_path}@train")
    val, fit = load(f"gtsrb:{tmp_path}@val"), load(f"gtsrb:{tmp_path}@fit")
    assert (val.name, fit.name, len(val) + len(fit)) == ("gtsrb:val", "gtsrb:fit", len(train))
    assert len(val) == 2 * (86 // 10)
    tracks = [2 * label + number // 2 for label in range(43) for number in range(4)]
    same(val, train, held_out_of(tracks))
    same(load(f"gtsrb:{tmp_path}@train[1:40:3]"), train, slice(1, 40, 3))


def test_folders(tmp_path: Path) -> None:
    for number, part in enumerate(("train", "test")):
        for image in range(20):
            path = tmp_path / part / "ab"[image % 2] / f"{image:02}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(np.full((4, 4), 40 * number + image, np.uint8)).save(path)
    spec = f"folder:{tmp_path}"
    train = load(f"{spec}@train")
    held = held_out_of(range(20))
    same(load(f"{spec}@val"), train, held)
    same(load(f"{spec}@fit"), train, ~held)
    assert load(f"{spec}@val[::2]").name == f"folder:{tmp_path.name}/val[::2]"
    (tmp_path / "val").mkdir()
    (tmp_path / "test" / "a").rename(tmp_path / "val" / "a")
    assert load(f"{spec}@val").labels.tolist() == [0] * 10  # its own folder
    assert load(f"{spec}@test").labels.tolist() == load(spec).labels.tolist() == [1] * 10
    same(load(f"{spec}@fit"), train, slice(None))
    with pytest.raises(DataError, match="has no val part"):
        load(f"folder:{tmp_path / 'train'}@val")


def test_a_path_with_an_at_sign(tmp_path: Path) -> None:
    data = load("demo:mnist@[:4]")
    for path in (tmp_path / "me@host" / "some.npz", tmp_path / "a@val"):
        path.parent.mkdir(exist_ok=True)
        with path.open("wb") as file:
            np.savez(file, images=data.images, labels=data.labels)
        assert len(load(f"npz:{path}")) == 4
    assert len(load(f"npz:{tmp_path / 'a@val'}@[:2]")) == 2
