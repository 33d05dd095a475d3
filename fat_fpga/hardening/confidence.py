"""What a worst case on some images says about other images: its confidence interval.

A worst case is the lowest of many accuracies, each a share of the images. So the interval has to hold for all of them
at once: Wilson's at the level of Bonferroni. Then the lowest of the true accuracies is no lower than the lowest of the
lower ends, and no higher than the lowest of the upper ends; both belong to the lowest count. It holds for any choice
among the faults, also for one that was made on the same counts, as a plan's. Images count as independent draws.

Run files keep counts for each fault, and not which images they were, so nothing can be paired image by image.
"""

from __future__ import annotations

from fat_fpga.campaign.intervals import Estimate, simultaneous, wilson
from fat_fpga.hardening.plan import Plan

FEW = 1_000
"""A worst case on fewer images is marked."""


def worst_case(correct: int, images: int, faults: int) -> Estimate:
    """The lowest accuracy in percent of images like these, from the lowest count of ``faults`` ones, with 95 %.

    Args:
        correct: images correct under the worst of them.
        faults: how many accuracies it is the lowest of, at least one; more make the interval wider.
    """
    return Estimate(100 * correct / images, *wilson(correct, images, simultaneous(faults)))


def plan_confidence(plan: Plan) -> str:
    """One line on what the promised worst case says of other images; intervals are those of shares of images."""
    if not plan.about.about_images:
        return "the promise is about these images; for this target no interval for other images is given"
    found = worst_case(plan.worst_correct, plan.images, len(plan.expected) + 1)
    few = f"FEW IMAGES ({plan.images:,}): " if plan.images < FEW else ""
    return (
        f"{few}on other images like these: {100 - found.high:.2f} to {100 - found.low:.2f} % with 95 % confidence; the "
        "promise is about these images"
    )
