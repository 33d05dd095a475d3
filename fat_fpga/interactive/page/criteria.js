// What was counted beyond accuracy: top-5, the class that suffers most, the user's costs.

function buildCriteria() {
  if (!content.criteria.length) return;
  const section = show("criteria", "The worst fault of each kind and layer, and the mean over its faults. Costs are means over the images.");
  const places = new Map(run.text.map((text, i) => [text, i]));
  const rows = content.criteria.map((row) => {
    const tell = (value) => (row.measure === "cost" ? Number(value.toPrecision(4)).toString() : percent(value));
    const place = places.get(row.worst_fault);
    const fault = place === undefined ? row.worst_fault
      : make("button", { type: "button", on: { click: () => select(place, true) } }, row.worst_fault);
    return [row.title, [row.kind, row.where].filter(Boolean).join(" "), tell(row.fault_free), tell(row.worst), tell(row.mean), fault];
  });
  section.querySelector(".rows").append(tableOf(["measure", "faults", "without a fault", "worst", "mean", "worst fault"], rows));
}
