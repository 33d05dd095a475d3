"""The report on a sweep, for other programs."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from typing import Any

from fat_fpga.reports.curves import LOSSES, Curve, Point


def curves_json(found: Sequence[Curve]) -> list[dict[str, Any]]:
    """Every curve with its points; accuracies and errors in percent, losses in points."""
    return [
        {
            "cells": curve.cells,
            "layer": curve.layer,
            "kind": curve.kind,
            "errors": curve.errors,
            "protection": curve.protection or None,
            "area": curve.area,
            "linear_area": curve.linear_area,
            "tolerated": [
                {"loss": loss, "rate": curve.tolerated(loss), "at_least": curve.beyond(loss)} for loss in LOSSES
            ],
            "points": [_point_json(point) for point in curve.points],
        }
        for curve in found
    ]


def _point_json(point: Point) -> dict[str, Any]:
    low, first, median, third, high = point.quartiles
    return {
        "rate": point.rate,
        "samples": len(point.accuracy),
        "mean": point.mean,
        "half_interval": point.half if isfinite(point.half) else None,
        "deviation": point.deviation,
        "min": low,
        "quartiles": [first, median, third],
        "max": high,
        "hits": {"mean": float(point.hits.mean()), "min": int(point.hits.min()), "max": int(point.hits.max())},
        "words": {
            name: {"mean": float(count.mean()), "total": int(count.sum())} for name, count in point.words.items()
        },
        "class_variance": point.class_variance,
        "one_class_lost": point.one_class_lost,
        "half_of_classes_wrong": point.half_of_classes_wrong,
    }
