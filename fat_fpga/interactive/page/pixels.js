// Where in the picture a fault hurts, and which processing elements hurt.

function buildPixels() {
  const kind = firstKind((traits) => traits.map.length > 0);
  if (kind === undefined || !run.axes.row) return;
  const own = run.kindNames.indexOf(kind);
  const names = run.layerNames.filter((name) => places[name] && places[name].height * places[name].width > 1);
  if (!names.length) return;
  const section = show("pixels", `Each ${kind} under its worst value, by row and column.`);
  const tools = section.querySelector(".tools"), figure = section.querySelector(".figure");
  const layer = make("select", {}, ...names.map((value) => make("option", { value }, value)));
  const worst = run.layerNames[run.layer[worstOf()]];
  if (names.includes(worst)) layer.value = worst;
  tools.append(make("label", {}, "Layer ", layer));
  const redraw = () => {
    const number_ = run.layerNames.indexOf(layer.value), { height, width } = places[layer.value];
    const faults = Array.from({ length: height }, () => Array(width).fill(null));
    for (let i = 0; i < run.count; i++) {
      if (run.layer[i] !== number_ || run.kind[i] !== own) continue;
      const row = run.axes.row[i], column = run.axes.column[i];
      if (faults[row][column] === null || worse(i, faults[row][column]) < 0) faults[row][column] = i;
    }
    const z = faults.map((row) => row.map((i) => (i === null ? null : accuracyOf(run.correct[i]))));
    const text = faults.map((row) => row.map((i) => (i === null ? "" : `${percent(accuracyOf(run.correct[i]))} %<br>${run.text[i]}`)));
    draw(figure, [{
      type: "heatmap", z, text, hovertemplate: "%{text}<extra></extra>", colorscale: CIVIDIS_SCALE, zmax: errorFree(),
      zmin: Math.min(errorFree() - 0.1, ...z.flat().filter((value) => value !== null)),
      colorbar: { title: { text: "%" }, thickness: 12 }, hoverongaps: false,
    }], {
      xaxis: { title: { text: "column" }, showgrid: false, constrain: "domain" },
      yaxis: { title: { text: "row" }, autorange: "reversed", scaleanchor: "x", showgrid: false, constrain: "domain" },
    }, `Pixels of ${layer.value} by their lowest accuracy`);
    onFault(figure, (point) => faults[point.pointIndex[0]][point.pointIndex[1]] ?? -1);
  };
  layer.addEventListener("change", redraw);
  whenSeen(section, redraw);
}

function buildPes() {
  const kind = firstKind((traits) => traits.family === "BLOCK");
  if (kind === undefined || !run.axes.pe) return;
  const own = run.kindNames.indexOf(kind), worst = new Map();
  for (let i = 0; i < run.count; i++) {
    if (run.kind[i] !== own) continue;
    const place = `${run.layerNames[run.layer[i]]} PE ${run.axes.pe[i]}`;
    if (!worst.has(place) || worse(i, worst.get(place)) < 0) worst.set(place, i);
  }
  const section = show("pes", "The most critical processing elements, each under its worst stuck value.");
  const figure = section.querySelector(".figure");
  const places_ = [...worst].sort((a, b) => worse(a[1], b[1])).slice(0, 40);
  const faults = places_.map(([, fault]) => fault);
  whenSeen(section, () => drawPes(figure, places_, faults));
}

function drawPes(figure, places_, faults) {
  draw(figure, [{
    type: "bar", x: places_.map(([place]) => place), y: faults.map((i) => errorFree() - accuracyOf(run.correct[i])), marker: { color: "#0072B2" },
    text: faults.map((i) => `${percent(accuracyOf(run.correct[i]))} %<br>${run.text[i]}`), textposition: "none", hovertemplate: "%{text}<extra></extra>",
  }], { yaxis: { title: { text: "drop [points]" } }, xaxis: { tickangle: -60 }, height: 320 },
  `Drop under the worst PEs: ${places_.slice(0, 5).map(([place, i]) => `${place} ${percent(errorFree() - accuracyOf(run.correct[i]))} points`).join("; ")}`);
  onFault(figure, (point) => faults[point.pointIndex]);
}
