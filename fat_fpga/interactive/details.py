"""What a page shows of single faults: predictions, the way through the layers, and the images."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fat_fpga.campaign import Run
from fat_fpga.campaign.predictions import bits_of, bytes_of, pack, unpack
from fat_fpga.datasets.dataset import Dataset
from fat_fpga.engines import default_engine, get
from fat_fpga.engines.session import Session
from fat_fpga.errors import CampaignError
from fat_fpga.faults import AnyFault, AnySubject, Fault, memory_fingerprint, parse_fault
from fat_fpga.interactive.arrays import packed
from fat_fpga.network import Network

MOST_BYTES = 6_000_000
"""Of packed predictions in a page."""
MOST_PIXELS = 3_000_000
"""Of thumbnails in a page, in bytes."""
FEW_IMAGES = 16
"""A fault's way through the layers is looked at on so many images."""


@dataclass(frozen=True, eq=False)
class Subject:
    """What a run was on, for a closer look at its faults: the network and its data.

    Attributes:
        network: of the campaign.
        data: its images.
    """

    network: AnySubject
    data: Dataset

    def check(self, run: Run) -> None:
        """CampaignError if the run was on another network or other images."""
        what = run.identity
        if self.network.fingerprint != what.network_fingerprint:
            raise CampaignError(
                f"{run.title} is a run on {what.network} ({what.network_fingerprint[:8]}), and the model given is "
                f"{self.network.name} ({self.network.fingerprint[:8]}): give the model of the campaign"
            )
        if what.memory_fingerprint and memory_fingerprint(self.network) != what.memory_fingerprint:
            raise CampaignError(
                f"{run.title} is of faults in memories, and those of the model given hold something else: give the "
                "file of the campaign"
            )
        if self.data.fingerprint != what.dataset_fingerprint:
            raise CampaignError(
                f"{run.title} is on {what.dataset}, {run.images:,} images, and the data given, {self.data.name}, are "
                "others"
            )


def details(run: Run, shown: Sequence[int], worst: Sequence[int], subject: Subject | None) -> dict[str, Any]:
    """What a page adds for single faults.

    Args:
        shown: numbers of the results that the page lists; faults are called by their place in it.
        worst: numbers of the most critical results, the worst first, that are looked at with the network.
        subject: network and data, where they are given.
    """
    place = {number: index for index, number in enumerate(shown)}
    found: dict[str, Any] = {"predictions": None, "paths": {}, "images": None, "names": []}
    if run.outputs is not None:
        return found
    session = None if subject is None else get(default_engine(subject.network)).open(_built(subject.network, run))
    kept = _predictions(run, worst, subject, session)
    if kept is not None:
        classes, rows = kept
        found["predictions"] = {
            "bits": bits_of(classes),
            "bytes": bytes_of(classes, run.images),
            "classes": classes,
            "faults": packed([place[number] for number in rows]),
            "base64": base64.b64encode(b"".join(rows.values())).decode(),
        }
        if subject is not None and session is not None:
            found["names"] = list(subject.data.classes)
            found["images"] = _thumbnails(run, rows, classes, subject.data)
            for number in worst:
                changed = np.flatnonzero(unpack(rows[number], classes, run.images) != run.golden)
                found["paths"][place[number]] = _path(session, subject.data, run, number, changed)
    return found


def _built(network: AnySubject, run: Run) -> AnySubject:
    """The network in the hardware of the run."""
    if isinstance(network, Network) and run.identity.thresholds:
        return network.with_threshold_logic(run.identity.thresholds)
    return network


def _predictions(
    run: Run, worst: Sequence[int], subject: Subject | None, session: Session | None
) -> tuple[int, dict[int, bytes]] | None:
    """Classes of the network, and packed predictions of the most critical faults: the kept ones, as many as a page
    holds, or computed for ``worst``."""
    if run.predictions is not None:
        classes = run.predictions.classes
        most = max(len(worst), MOST_BYTES // bytes_of(classes, run.images))
        order = np.lexsort((np.arange(run.done), -run.changed, run.correct))[:most].tolist()
        return classes, dict(zip(order, run.predictions.packed(order), strict=True))
    if subject is None or session is None or not len(worst):
        return None
    faults: list[AnyFault] = [_fault(run, number) for number in worst]
    outcome = session.run(subject.data.images, subject.data.labels, faults, predictions=True)
    assert outcome.predictions is not None
    return subject.network.classes, dict(zip(worst, pack(outcome.predictions, subject.network.classes), strict=True))


def _fault(run: Run, number: int) -> AnyFault:
    """What a result is of: a fault, or a pattern of errors in a sweep."""
    result = run.results[number]
    return result.pattern if run.has_patterns else parse_fault(result.fault)


def _path(
    session: Session, data: Dataset, run: Run, number: int, changed: npt.NDArray[np.int64]
) -> dict[str, Any] | None:
    """At each place the share of activations that differ, on a few images, those that the fault changes first."""
    fault = _fault(run, number)
    frame = fault.frame if isinstance(fault, Fault) else None
    if frame is not None:
        chosen = np.array([frame])
    else:
        others = np.setdiff1d(np.arange(run.images), changed)
        chosen = np.concatenate([changed, others])[:FEW_IMAGES]
    totals: dict[str, list[int]] = {}
    for image in chosen.tolist():
        one = data.images[image : image + 1]
        before = session.trace(one, first_frame=image, frames=run.images)
        after = session.trace(one, fault, first_frame=image, frames=run.images)
        for name, stream in before.items():
            if name in after:
                total = totals.setdefault(name, [0, 0])
                total[0] += int((after[name] != stream).sum())
                total[1] += stream.size
    return {"images": len(chosen), "places": [[name, differ, size] for name, (differ, size) in totals.items()]}


def _thumbnails(run: Run, rows: dict[int, bytes], classes: int, data: Dataset) -> dict[str, Any] | None:
    """Pixels of the images that the most critical faults change, as many as a page holds; None where the data are no
    images of one or three channels."""
    shape = data.images.shape[1:]
    if data.images.dtype != np.uint8 or len(shape) != 3 or shape[0] not in (1, 3):
        return None
    most = MOST_PIXELS // int(np.prod(shape))
    chosen: dict[int, None] = {}
    if run.images <= most:
        chosen = dict.fromkeys(range(run.images))
    for row in rows.values():
        if len(chosen) >= most:
            break
        changed = np.flatnonzero(unpack(row, classes, run.images) != run.golden)[:24].tolist()
        chosen |= dict.fromkeys(changed)
    which = sorted(chosen)[:most]
    pixels = np.ascontiguousarray(data.images[which].transpose(0, 2, 3, 1))
    return {
        "channels": shape[0],
        "height": shape[1],
        "width": shape[2],
        "which": packed(which),
        "pixels": packed(pixels),
    }
