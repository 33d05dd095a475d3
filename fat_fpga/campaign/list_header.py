"""The head of a fault list that was drawn here: it keeps how the list came about.

Two comment lines, one for people and one for programs::

    # 500 of 1,542,848 weight faults in 9 places (flipped), drawn without replacement, seed 0
    # fat_fpga origin: {"format": 1, "network": "cnv_w1a1", "fingerprint": "4f1c...", "source": "space", ...}

The second is one JSON object: ``format``, ``network`` (name), ``fingerprint`` of the network, every attribute of
`Origin`, and ``digest``: SHA-256 over the object without it (keys sorted) and the faults' text forms (sorted), each on
a line. So a list that was cut, joined or changed is noticed: it is no longer what its head says.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, fields
from typing import Any

from fat_fpga.campaign.origin import LIST, SPACE, Origin, Strata
from fat_fpga.campaign.selection import Selection
from fat_fpga.errors import CampaignError, FaultError
from fat_fpga.faults import AnyFault, AnySubject

MARK = "# fat_fpga origin:"
FORMAT = 1
_TYPES: dict[str, tuple[type, ...]] = {
    "source": (str,), "kinds": (str,), "places": (str,), "effects": (str,), "folding": (str,),
    "space": (int,), "sample": (int, type(None)), "seed": (int, type(None)), "strata": (dict, type(None)),
    "plan": (str, type(None)),
}  # fmt: skip


def head_lines(selection: Selection, network: AnySubject) -> list[str]:
    """The two lines; none for faults that somebody gave, of which nothing is known."""
    if selection.origin.source == LIST:
        return []
    content = {
        "format": FORMAT,
        "network": network.name,
        "fingerprint": network.fingerprint,
        **asdict(selection.origin),
    }
    content["digest"] = _digest(content, selection.faults)
    return [f"# {selection.origin.describe(len(selection.faults))}", f"{MARK} {json.dumps(content)}"]


def origin_of(line: str, faults: Sequence[AnyFault], network: AnySubject) -> Origin | str:
    """The origin that the second line tells of these faults in this network, or why it does not hold for them.

    Raises:
        FaultError: the line cannot be read.
    """
    try:
        content = json.loads(line.removeprefix(MARK))
    except (ValueError, RecursionError) as error:
        raise FaultError(f"the origin of the list is no JSON: {_ADVICE}") from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise FaultError(f"the origin of the list is not in format {FORMAT}: {_ADVICE}")
    if content.get("digest") != _digest(content, faults):
        return "the list was changed after it was drawn"
    if content.get("fingerprint") != network.fingerprint:
        return f"the list was drawn for another network, {content.get('network')}"
    return _origin(content)


_ADVICE = "draw the list again with fat-fpga faults --list, or delete the line"


def _origin(content: dict[str, Any]) -> Origin:
    found: dict[str, Any] = {field.name: content.get(field.name) for field in fields(Origin)}
    for name, kinds in _TYPES.items():
        if type(found[name]) not in kinds:
            raise FaultError(f"the origin of the list has no fitting '{name}': {_ADVICE}")
    try:
        strata = None if found["strata"] is None else Strata.read(found["strata"])
    except CampaignError as error:
        raise FaultError(f"the origin of the list: {error}: {_ADVICE}") from error
    if found["source"] != SPACE:
        raise FaultError(f"the origin of the list has no fitting 'source': {_ADVICE}")
    return Origin(**{**found, "strata": strata})


def _digest(content: dict[str, Any], faults: Sequence[AnyFault]) -> str:
    told = {key: value for key, value in content.items() if key != "digest"}
    lines = [json.dumps(told, sort_keys=True), *sorted(map(str, faults))]
    return hashlib.sha256("\n".join(lines).encode("utf-8", "surrogatepass")).hexdigest()
