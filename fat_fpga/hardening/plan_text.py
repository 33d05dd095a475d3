"""A plan as text."""

from __future__ import annotations

from fat_fpga.faults import MODELS
from fat_fpga.hardening.confidence import plan_confidence
from fat_fpga.hardening.plan import Plan
from fat_fpga.text import align


def plan_summary(plan: Plan) -> str:
    """What the plan promises, what it triplicates, what it costs, and what was rounded up."""
    about, target = MODELS[plan.kind].traits.axes[0], plan.about
    lines = [
        f"{plan.model} on {plan.dataset}, {plan.images:,} images; asked for: {plan.asked}",
        f"promised: {target.title} {target.text(plan.worst_correct)} under any single stuck {about} {_scope(plan)} "
        f"(error-free {target.text(plan.golden_correct)})",
        plan_confidence(plan),
        *_open(plan),
        "",
    ]
    rows = [["unit", "channels", "triplicated", "rows", "PEs", "SIMD", "folds"]]
    for unit in plan.units:
        channels = ["scores", "-"] if unit is plan.units[-1] else [str(unit.channels), str(len(unit.replicated))]
        rows.append([unit.unit, *channels, *map(str, (len(unit.rows), unit.pe, unit.simd, unit.folds))])
    total = ["all", str(sum(u.channels for u in plan.units[:-1])), str(plan.replicated)]
    rows.append([*total, str(sum(len(u.rows) for u in plan.units)), "", "", ""])
    lines += [align(rows), ""]
    rows = [["", "unprotected", "planned", "", "full TMR"]]
    for cost in plan.costs:
        full = "-" if cost.full_tmr is None else f"{cost.full_tmr:,.0f}"
        rows.append([cost.name, f"{cost.unprotected:,.0f}", f"{cost.planned:,.0f}", f"{cost.ratio:.4f}x", full])
    lines.append(align(rows))
    if plan.part:
        lines.append(f"\nfits {plan.part}")
    if plan.notes:
        lines += ["", *plan.notes]
    return "\n".join(lines)


def _scope(plan: Plan) -> str:
    return "of the units" if plan.others else "outside of voters"


def _open(plan: Plan) -> list[str]:
    """The worst fault in layers that no copies protect, in a line; nothing where there are none."""
    if not plan.others:
        return []
    worst, about = min(plan.others, key=lambda fault: fault.measured), plan.about
    return [
        f"NOT PROTECTED: additions, concatenations and thresholds of their own; worst there {worst.fault}, "
        f"{about.text(worst.measured)} {'mean cost' if about.costs else 'error'}"
    ]
