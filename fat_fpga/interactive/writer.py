"""Putting the page together: one file, with the library that draws, our scripts and the data inside."""

from __future__ import annotations

import html
import json
import os
from importlib import resources
from typing import Any

from fat_fpga.arguments import checked
from fat_fpga.campaign import Run
from fat_fpga.errors import CampaignError
from fat_fpga.extras import advice, installed
from fat_fpga.files import replacing
from fat_fpga.interactive.details import Subject, details
from fat_fpga.interactive.payload import run_payload, worst_numbers
from fat_fpga.interactive.promises import promises
from fat_fpga.network import Network

SCRIPTS = (
    "data", "state", "seen", "charts", "header", "strip", "filters", "table", "promise", "ranges", "channels", "pixels",
    "bits", "outcomes", "criteria", "sweep", "detail", "confusion", "compare", "main",
)  # fmt: skip
"""Files of the page's own scripts, in the order in which they are put together."""


def check_html() -> None:
    """CampaignError, with advice, unless the library that draws is here."""
    if not installed("plotly"):
        raise CampaignError(f"an interactive report needs the package plotly: {advice('html')}")


@checked
def write_html(
    run: Run,
    path: str | os.PathLike[str],
    *,
    against: Run | None = None,
    subject: Subject | None = None,
    folding: str | None = None,
    details_of: int = 20,
) -> None:
    """Write the interactive report; the file appears whole or not at all.

    The same run gives the same file. It loads nothing from anywhere when it is opened.

    Args:
        against: another run to compare with.
        subject: network and data of the campaign; then the page shows thumbnails, and for the most critical faults
            the images that they change and their way through the layers.
        folding: PEs of each unit, as ``--folding`` of ``fat-fpga plan`` has it.
        details_of: so many of the most critical faults are looked at with the network.

    Raises:
        CampaignError: plotly is not installed, no fault is finished, or the subject is not that of the run.
        FaultError, PlanError: the folding does not fit the network, or nothing can be planned from the run.
        OSError: the file cannot be written.
    """
    check_html()
    if not run.done:
        raise CampaignError(f"{run.title}: no fault is finished, so there is nothing to show yet")
    if subject is not None:
        subject.check(run)
    network = subject.network if subject is not None and isinstance(subject.network, Network) else None
    content, shown = run_payload(run)
    content |= details(run, shown, worst_numbers(run, details_of) if subject else [], subject)
    content["promises"] = promises(run, folding, network)
    content["against"] = None if against is None else run_payload(against)[0]
    text = page(content, f"{run.identity.network} on {run.identity.dataset}")
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8", errors="replace")


def page(content: dict[str, Any], title: str) -> str:
    """The whole page."""
    from plotly.offline import get_plotlyjs

    folder = resources.files("fat_fpga.interactive") / "page"

    def asset(name: str) -> str:
        return (folder / name).read_text(encoding="utf-8")

    scripts = "\n".join(f"// {name}.js\n{asset(f'{name}.js')}" for name in SCRIPTS)
    data = json.dumps(content, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")
    parts = {
        "title": html.escape(title),
        "style": asset("style.css"),
        "library": get_plotlyjs().replace("</script", "<\\/script"),
        "scripts": f'"use strict";\n(() => {{\n{scripts}\n}})();',
        "data": data,
    }
    text = asset("page.html")
    pieces = text.split("%%")
    return "".join(piece if number % 2 == 0 else parts[piece] for number, piece in enumerate(pieces))
