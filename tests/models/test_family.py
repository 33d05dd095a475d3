"""The table of networks."""

from __future__ import annotations

import pytest

from fat_fpga import models
from fat_fpga.errors import ModelError


def test_names() -> None:
    expected = {f"cnv-{p}" for p in ("w1a1", "w1a2", "w1a3", "w1a4", "w2a2")}
    expected |= {f"{t}-{p}" for t in ("tfc", "sfc", "lfc") for p in ("w1a1", "w1a2", "w2a2")}
    assert set(models.names()) == expected


def test_spec() -> None:
    spec = models.spec("cnv-w1a2", classes=43)
    assert (spec.weight_bits, spec.activation_bits, spec.input_bits, spec.classes) == (1, 2, 8, 43)
    assert models.spec("lfc-w2a2").input_bits == 2


def test_errors() -> None:
    with pytest.raises(ModelError, match="unknown model 'cnv-w9a9'; known models: cnv-w1a1, "):
        models.build("cnv-w9a9")
    with pytest.raises(ModelError, match="at least 2 classes, got 1"):
        models.build("cnv-w1a1", classes=1)
