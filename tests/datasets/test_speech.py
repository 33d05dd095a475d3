"""Recordings of spoken digits: layouts, features, what is kept on disk, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from fat_fpga.datasets import feature_cache, load
from fat_fpga.datasets.speech import FEATURES, STEPS, features, padded
from fat_fpga.errors import DataError


def tone(digit: int, rate: int, seconds: float = 0.4) -> np.ndarray:
    time = np.arange(round(rate * seconds)) / rate
    noise = np.random.default_rng(digit).normal(0, 0.01, len(time))
    return np.sin(2 * np.pi * (200 + 100 * digit) * time) * np.hanning(len(time)) * 0.5 + noise


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "fat_fpga"


@pytest.fixture
def fsdd(tmp_path: Path) -> Path:
    folder = tmp_path / "fsdd" / "recordings"
    folder.mkdir(parents=True)
    for speaker in ("jackson", "theo"):
        for digit in range(10):
            for index in range(6):
                soundfile.write(folder / f"{digit}_{speaker}_{index}.wav", tone(digit, 8000), 8000)
    return folder


def test_fsdd(fsdd: Path) -> None:
    test = load(f"fsdd:{fsdd.parent}")
    assert test.images.shape == (100, FEATURES, STEPS)
    assert test.images.dtype.name == "float32"
    assert test.labels[:20].tolist() == [*range(10), *range(10)]  # the first so many have every digit
    train = load(f"fsdd:{fsdd}@train")
    assert len(train) == 20
    assert test.name == "fsdd:test"
    np.testing.assert_array_equal(test.images[3], features(load_wav(fsdd / "3_jackson_0.wav"), 8000))
    assert len(load(f"fsdd:{fsdd}@fit")) + len(load(f"fsdd:{fsdd}@val")) == 20
    assert len(load(f"fsdd:{fsdd}@test[::7]")) == 15


def load_wav(path: Path) -> np.ndarray:
    return np.asarray(soundfile.read(path, dtype="float32")[0])


def test_features_have_mean_0_and_deviation_1_and_zeros_behind() -> None:
    found = features(tone(3, 8000).astype(np.float32), 8000)
    frames = 1 + 3200 // 80
    np.testing.assert_allclose(found[:, :frames].mean(axis=1), 0, atol=1e-5)
    np.testing.assert_allclose(found[:, :frames].std(axis=1), 1, atol=1e-4)
    assert not found[:, frames:].any()
    assert features(tone(3, 8000, 4.0).astype(np.float32), 8000).shape == (FEATURES, STEPS)
    silent = features(np.zeros(3000, np.float32), 8000)
    assert np.isfinite(silent).all()


def test_features_against_a_plain_reading() -> None:
    """MFCC by their definition: windows, power spectrum, triangular mel bands of equal area (Slaney), decibels, DCT."""
    import librosa
    from scipy.fft import dct
    from scipy.signal import get_window, savgol_filter

    samples = tone(5, 8000).astype(np.float32)
    window = np.pad(get_window("hann", 200), 28)
    long = np.pad(samples, 128)
    frames = np.stack([long[start : start + 256] * window for start in range(0, len(samples) + 1, 80)])
    power = np.abs(np.fft.rfft(frames)) ** 2
    bands = 10 * np.log10(np.maximum(power @ librosa.filters.mel(sr=8000, n_fft=256, n_mels=26).T, 1e-10))
    mfcc = dct(np.maximum(bands, bands.max() - 80), norm="ortho")[:, :13].T
    deltas = [savgol_filter(mfcc, 9, polyorder=order, deriv=order, mode="nearest") for order in (1, 2)]
    expected = padded(np.concatenate([mfcc, *deltas]))
    np.testing.assert_allclose(features(samples, 8000), expected, atol=2e-3)


def test_tidigits(tmp_path: Path) -> None:
    for part in ("TRAIN", "test"):
        for speaker in ("man/ae", "woman/AC", "boy/bd"):
            folder = tmp_path / "tidigits" / part / speaker
            folder.mkdir(parents=True)
            for said in ("1a", "9b", "za", "oa", "OB" if part == "TRAIN" else "ob", "12a"):
                soundfile.write(folder / f"{said}.wav", tone(1, 20000), 20000, format="NIST", subtype="PCM_16")
    test, train = load(f"tidigits:{tmp_path}"), load(f"tidigits:{tmp_path}@train")
    assert test.images.shape == (15, FEATURES, STEPS)
    assert sorted(test.labels.tolist()) == [0] * 9 + [1] * 3 + [9] * 3
    assert len(train) == 15
    assert len(load(f"tidigits:{tmp_path}@val")) == 5  # one speaker of three
    with pytest.raises(DataError, match="no test part of TIDIGITS here; expected train and test"):
        load(f"tidigits:{tmp_path / 'tidigits' / 'TRAIN'}")
    with pytest.raises(DataError, match="no such folder"):
        load(f"tidigits:{tmp_path / 'none'}")


def test_features_are_kept_and_computed_anew(fsdd: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = load(f"fsdd:{fsdd}@train[0:3]").images
    (file,) = cache.iterdir()
    with monkeypatch.context() as patch:
        patch.setattr("fat_fpga.datasets.speech.features", None)
        np.testing.assert_array_equal(load(f"fsdd:{fsdd}@train[0:3]").images, first)
    file.write_bytes(file.read_bytes()[:100])
    np.testing.assert_array_equal(load(f"fsdd:{fsdd}@train[0:3]").images, first)
    soundfile.write(fsdd / "0_jackson_5.wav", tone(7, 8000), 8000)
    assert not np.array_equal(load(f"fsdd:{fsdd}@train[0:3]").images, first)
    monkeypatch.setattr(feature_cache, "folder", lambda: fsdd / "0_jackson_0.wav" / "no folder")
    assert len(load(f"fsdd:{fsdd}@train[0:3]")) == 3


def test_what_is_refused(fsdd: Path) -> None:
    (fsdd / "4_theo_2.wav").unlink()
    with pytest.raises(DataError, match=r"4_theo_2.wav is missing; copy the data set again"):
        load(f"fsdd:{fsdd}")
    (fsdd / "4_theo_2.wav").write_bytes(b"RIFF")
    with pytest.raises(DataError, match=r"4_theo_2.wav: not a readable recording .*sph2pipe"):
        load(f"fsdd:{fsdd}")
    soundfile.write(fsdd / "4_theo_2.wav", np.zeros((100, 2)), 16000)
    with pytest.raises(DataError, match="expected 8,000 samples a second of one channel, got 16,000 of 2"):
        load(f"fsdd:{fsdd}")
    soundfile.write(fsdd / "4_theo_2.wav", np.zeros(0), 8000)
    with pytest.raises(DataError, match="has no samples"):
        load(f"fsdd:{fsdd}")
    (fsdd / "notes.wav").touch()
    with pytest.raises(DataError, match=r"notes.wav: expected names DIGIT_SPEAKER_INDEX.wav"):
        load(f"fsdd:{fsdd}")
    with pytest.raises(DataError, match="no FSDD files here"):
        load(f"fsdd:{fsdd.parent.parent}")
