// What faults do to images: masked, silent corruption, detected (Li et al., SC'17).

const OUTCOME_COLOURS = { masked: "#56B4E9", noncritical: "#E69F00", sdc1: "#D55E00", detected: "#009E73", nonfinite: "#000000" };

function buildOutcomes() {
  const { rows, titles } = content.outcomes;
  if (!rows.length) return;
  const section = show("outcomes", "Shares of all pairs of fault and image, over all faults of a layer. The four classes add up.");
  const parts = Object.keys(OUTCOME_COLOURS).filter((name) => name in rows[0].images);
  const share = (row, name) => (100 * row.images[name]) / (row.faults * run.head.images);
  const x = rows.map((row) => (row.layer ? (run.kindNames.length > 1 ? `${row.layer} ${row.kind}` : row.layer) : "all"));
  const traces = parts.map((name) => ({
    type: "bar", name: titles[name], x, y: rows.map((row) => share(row, name)), marker: { color: OUTCOME_COLOURS[name] },
    hovertemplate: `${titles[name]}: %{y:.3f} %<extra>%{x}</extra>`,
  }));
  whenSeen(section, () => draw(section.querySelector(".figure"), traces, { barmode: "stack", yaxis: { title: { text: "share [%]" }, range: [0, 100] } },
    `Outcome classes: ${rows.map((row, i) => `${x[i]}: ${parts.map((name) => `${titles[name]} ${percent(share(row, name))} %`).join(", ")}`).join("; ")}`));
}
