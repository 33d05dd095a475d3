// Accuracy against rate, of a sweep.

function curveName(curve) {
  return (curve.layer === "*" ? curve.kind : `${curve.layer} ${curve.kind}`) + (curve.protection ? `, ${curve.protection}` : "");
}

function curveTraces(curves, prefix, first) {
  return curves.flatMap((curve, i) => {
    const points = curve.points.filter((point) => point.rate > 0), colour = colourOf(first + i), x = points.map((point) => point.rate);
    const name = prefix + curveName(curve);
    return [{
      x: [...x, ...[...x].reverse()], y: [...points.map((p) => p.max), ...[...points].reverse().map((p) => p.min)],
      fill: "toself", fillcolor: `${colour}22`, line: { width: 0 }, hoverinfo: "skip", showlegend: false, legendgroup: name, mode: "lines",
    }, {
      x, y: points.map((point) => point.mean), name, legendgroup: name, mode: "lines+markers",
      line: { color: colour, dash: DASHES[(first + i) % DASHES.length] }, marker: { symbol: MARKERS[(first + i) % MARKERS.length], size: 7 },
      error_y: { type: "data", array: points.map((p) => p.half_interval || 0), color: colour, thickness: 1.5 },
      text: points.map((p) => `${name}<br>rate ${p.rate.toExponential(2)}: ${percent(p.mean)} %${p.half_interval === null ? "" : ` ± ${percent(p.half_interval)}`}<br>${plural(p.samples, "sample")}, ${percent(p.min)} to ${percent(p.max)} %<br>${p.hits.mean.toFixed(1)} hits on average`),
      hovertemplate: "%{text}<extra></extra>",
    }];
  });
}

function rateText(entry) {
  if (entry.rate === null) return "below all rates";
  return `${entry.at_least ? "≥ " : ""}${entry.rate.toExponential(2)}`;
}

function buildSweep() {
  if (!run.curves.length) return;
  const section = show("sweep", "Mean accuracy at each rate, with the 95 % interval of the mean; the band is from the worst to the best sample.");
  let traces = curveTraces(run.curves, against ? `${run.head.file || "this run"}: ` : "", 0);
  if (against) traces = traces.concat(curveTraces(against.curves, `${against.head.file || "the other run"}: `, run.curves.length));
  whenSeen(section, () => draw(section.querySelector(".figure"), traces, {
    height: 360, xaxis: { type: "log", title: { text: "probability that a cell is hit" }, exponentformat: "power" },
    yaxis: { title: { text: "accuracy [%]" } }, ...dashedLine(errorFree(), "without faults"),
  }, `Accuracy against rate of ${plural(run.curves.length, "curve")}`));
  const losses = run.curves[0].tolerated.map((entry) => entry.loss);
  section.querySelector(".rows").append(make("h3", {}, "Tolerated rates: the highest rate that costs at most so much accuracy, on average"),
    tableOf(["errors in", ...losses.map((loss) => (loss ? plural(loss, "point") : "no loss"))],
      run.curves.map((curve) => [curveName(curve), ...curve.tolerated.map(rateText)])));
}
