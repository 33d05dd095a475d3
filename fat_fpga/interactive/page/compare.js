// Two runs beside each other: their criticality, layer by layer, and the faults that differ most.

function layerRows() {
  const rows = new Map();
  [run, against].forEach((of, side) => {
    for (const group of groupsOf(Array.from({ length: of.count }, (_, i) => i), of)) {
      if (!rows.has(group.layer)) rows.set(group.layer, [null, null]);
      const pair = rows.get(group.layer), before = pair[side];
      pair[side] = before
        ? { low: Math.min(before.low, group.low), sum: before.sum + group.sum, count: before.count + group.count }
        : { low: group.low, sum: group.sum, count: group.count };
    }
  });
  return rows;
}

function buildCompare() {
  if (!against || !singleFaults()) return;
  const names = [run, against].map((of, i) => of.head.file || `run ${i + 1}`);
  const same = run.head.dataset_fingerprint === against.head.dataset_fingerprint;
  const section = show("compare", `${names[0]}: ${run.head.network}. ${names[1]}: ${against.head.network}, ${against.head.origin}. ${same ? "Both are on the same images." : "The images are DIFFERENT."}`);
  whenSeen(section, () => drawCompared(section.querySelector(".figure"), names));
  const cell = (side) => (side ? [percent(side.low), percent(side.sum / side.count)] : ["-", "-"]);
  const rows = [...layerRows()].map(([layer, [one, other]]) => [layer, ...cell(one), ...cell(other), one && other ? percent(other.low - one.low) : "-"]);
  section.querySelector(".rows").append(
    tableOf(["layer", `${names[0]}: min`, "mean", `${names[1]}: min`, "mean", "difference of min"], rows), ...changes(names));
}

function drawCompared(figure, names) {
  const traces = [run, against].map((of, i) => {
    const curve = steps(rankedPlaces(of), of);
    return { x: curve.x, y: curve.y, mode: "lines", name: `${names[i]} (without faults ${percent(errorFree(of))} %)`,
      line: { shape: "hv", color: colourOf(i), dash: DASHES[i] }, text: curve.faults.map((fault) => of.text[fault]),
      hovertemplate: "rank %{x}<br>%{y:.2f} %<br>%{text}<extra></extra>" };
  });
  draw(figure, traces, {
    xaxis: { type: "log", title: { text: "places, most critical first (rank)" }, dtick: 1 }, yaxis: { title: { text: "accuracy [%]" } },
  }, `Criticality of ${names[0]} and ${names[1]}`);
}

// Faults that both runs have, by how far their accuracies lie apart.
function changes(names) {
  const other = new Map(against.text.map((text, i) => [text, i])), found = [];
  run.text.forEach((text, i) => {
    if (other.has(text)) found.push([i, other.get(text), accuracyOf(against.correct[other.get(text)], against) - accuracyOf(run.correct[i])]);
  });
  if (!found.length) return [make("p", { class: "what" }, "They have no fault in common.")];
  found.sort((a, b) => Math.abs(b[2]) - Math.abs(a[2]) || a[0] - b[0]);
  const differing = found.filter((entry) => entry[2] !== 0).length;
  const rows = found.slice(0, 10).map(([i, j, gap]) => [
    make("button", { type: "button", on: { click: () => select(i, true) } }, run.text[i]),
    percent(accuracyOf(run.correct[i])), percent(accuracyOf(against.correct[j], against)), (gap > 0 ? "+" : "") + percent(gap)]);
  return [make("h3", {}, `${plural(found.length, "fault")} in common, ${number(differing)} with other accuracies; the largest differences`),
    tableOf(["fault", names[0], names[1], "difference"], rows)];
}
