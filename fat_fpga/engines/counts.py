"""What is counted of a fault beside right and changed classes: outcome classes, errors by class, and criteria beyond
accuracy (`fat_fpga.engines.criteria`).

Outcome classes of a fault on an image (Li et al., SC'17), on the integer scores of the network:

| class | meaning |
|---|---|
| detected | a detector has fired, whatever else the fault did |
| masked | all scores are those without the fault |
| noncritical | scores differ, the class does not |
| sdc1 | the class differs |
| sdc5 | the fault-free class is not among the five highest scores any more |
| sdc10, sdc20 | the highest score is more than 10 % (20 %) away from the highest one without the fault |
| critical | the class was right, and is wrong |

Each image is in one of *detected*, *masked*, *noncritical* and *sdc1*; the others are counted of images on which
nothing was detected. Where class scores are ranks there are no distances between them, and no sdc10 and sdc20.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from fat_fpga.engines.criteria import COST, TOP5, check_criteria, cost_matrix_of
from fat_fpga.engines.detectors import DETECTORS, check_detectors
from fat_fpga.engines.images import Labels
from fat_fpga.errors import EngineError
from fat_fpga.faults import AnyFault, AnySubject, Subject
from fat_fpga.faults.decode import WordCounts
from fat_fpga.network import Network
from fat_fpga.network.layers import IntArray

if TYPE_CHECKING:
    from fat_fpga.engines.block import Streams

Counts = Mapping[str, npt.NDArray[np.int64]]
"""Numbers of images int64 [F] by name."""
OUTCOMES, ERRORS, HITS, WORDS, NONFINITE = "outcomes", "errors", "hits", "words", "nonfinite"
"""What can be counted: outcome classes, wrong images of each true class, the cells that a pattern hits, what becomes of
the words of protected memories, and images whose scores are not all finite numbers, which those of a module may be.
Names of detectors may follow."""
PREDICTIONS = "predictions"
"""Is not counted but kept, on request: the class of each image, `Outcome.predictions`."""
WORD_NAMES = tuple(f"{name} words" for name in WordCounts._fields)
"""Words of protected memories with wrong bits, by what became of them; see `WordCounts`."""
NO_IMAGES = (HITS, *WORD_NAMES, COST)
"""What is no number of images."""
PARTS = ("masked", "noncritical", "sdc1", "detected")
"""The outcome classes that add up to all images; of a module together with ``NONFINITE``."""
OUTCOME_NAMES = (*PARTS, "sdc5", "sdc10", "sdc20", "critical")
MODULE_OUTCOME_NAMES = (*PARTS, NONFINITE, *OUTCOME_NAMES[len(PARTS) :])
"""Those of a module; an image whose scores are not finite is ``NONFINITE`` alone, and critical if it was right."""


def check_counting(counting: Sequence[str], network: AnySubject) -> None:
    """EngineError unless everything in it can be counted in the network."""
    module = isinstance(network, Subject)
    known = (OUTCOMES, ERRORS, TOP5, HITS, WORDS, PREDICTIONS, *([NONFINITE] if module else []), *DETECTORS)
    matrix = cost_matrix_of(counting)
    wrong = [name for name in counting if name not in known and not (matrix and name == matrix.counting)]
    if wrong:
        raise EngineError(f"'{wrong[0]}' cannot be counted: known are {', '.join(known)}")
    if counting and network.outputs is not None:
        raise EngineError(
            f"{network.name} has outputs that are no classes: outcome classes, errors and predictions need classes"
        )
    if counting:
        check_criteria(counting, network.name, network.classes)
    detectors = detectors_of(counting)
    if detectors and OUTCOMES not in counting:
        raise EngineError(f"the detector '{detectors[0]}' is for outcome classes: count these, too")
    if isinstance(network, Subject):
        if detectors:
            raise EngineError(f"the detector '{detectors[0]}' is of hardware, and {network.name} is a module")
        return
    check_detectors(detectors, network)


def names_of(counting: Sequence[str], network: AnySubject) -> list[str]:
    """The names of what is counted."""
    names: list[str] = []
    if isinstance(network, Subject):
        names += MODULE_OUTCOME_NAMES if OUTCOMES in counting else [NONFINITE] * (NONFINITE in counting)
    elif OUTCOMES in counting:
        names += [name for name in OUTCOME_NAMES if not (_ranked(network) and name in ("sdc10", "sdc20"))]
    if ERRORS in counting:
        names += [error_name(label) for label in range(network.classes)]
    names += [TOP5] * (TOP5 in counting) + [COST] * (cost_matrix_of(counting) is not None)
    return names + [HITS] * (HITS in counting) + list(WORD_NAMES) * (WORDS in counting)


def detectors_of(counting: Sequence[str]) -> list[str]:
    """The detectors among what is counted."""
    return [name for name in counting if name in DETECTORS]


def error_name(label: int) -> str:
    """What wrong images of a class are called."""
    return f"wrong {label}"


def error_counts(table: IntArray, labels: Labels, classes: int) -> dict[str, npt.NDArray[np.int64]]:
    """Wrong images of each true class, from predictions int32 [F, N]."""
    wrong = table != labels
    return {error_name(label): wrong[:, labels == label].sum(axis=1).astype(np.int64) for label in range(classes)}


def outcome_counts(
    network: Network,
    fault_free: Streams,
    faulty: Streams,
    labels: Labels,
    detectors: Sequence[str],
    fault: AnyFault | None = None,
) -> dict[str, int]:
    """Outcome classes of one fault on some images, from the streams with and without it.

    Args:
        fault: as it was asked for; detectors that look at memories need it.
    """
    before, after = (streams[network.scores][:, :, 0, 0].astype(np.int64) for streams in (fault_free, faulty))
    images = np.arange(len(before))
    was, now = before.argmax(axis=1), after.argmax(axis=1)
    detected = np.zeros(len(before), np.bool_)
    for name in detectors:
        detected |= DETECTORS[name].fires(network, faulty, fault)
    silent = ~detected
    differ = (before != after).any(axis=1)
    found = {
        "masked": silent & ~differ,
        "noncritical": silent & differ & (was == now),
        "sdc1": silent & (was != now),
        "detected": detected,
        "sdc5": silent & (_rank(after, was) >= 5),
        "critical": silent & (was == labels) & (now != labels),
    }
    if not _ranked(network):
        highest = before[images, was]
        distance = np.abs(after[images, now] - highest)
        for name, parts in (("sdc10", 10), ("sdc20", 5)):
            found[name] = silent & (parts * distance > np.abs(highest))
    return {name: int(which.sum()) for name, which in found.items()}


def _rank(scores: npt.NDArray[np.int64], of: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """How many classes are ranked before class ``of`` of each image; of equal scores the first class is before."""
    own = np.take_along_axis(scores, of[:, None], axis=1)
    numbers = np.arange(scores.shape[1])
    before = (scores > own) | ((scores == own) & (numbers < of[:, None]))
    ranks: npt.NDArray[np.int64] = before.sum(axis=1)
    return ranks


def _ranked(network: Network) -> bool:
    """Whether class scores are ranks."""
    return network.layers[-1].ordinal
