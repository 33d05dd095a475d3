// Channel x stuck value, channels laid out as the PEs of a folding compute them.

function firstKind(test) {
  return run.kindNames.find((kind) => run.kindsOf[kind] && test(run.kindsOf[kind], kind));
}

function buildChannels() {
  const kind = firstKind((_, name) => name === "channel");
  if (kind === undefined || !run.axes.channel) return;
  const number_ = run.kindNames.indexOf(kind);
  const names = run.layerNames.filter((name, layer) => {
    for (let i = 0; i < run.count; i++) if (run.layer[i] === layer && run.kind[i] === number_) return true;
    return false;
  });
  const section = show("channels", "Each cell is a channel under one stuck value, or under its worst one. A row is a PE: with P of them, PE p computes the channels p, p + P, p + 2P, ...");
  const tools = section.querySelector(".tools"), figure = section.querySelector(".figure");
  const option = (value) => make("option", { value }, value);
  const worst = run.layerNames[run.layer[worstOf()]];
  const layer = make("select", {}, ...names.map(option));
  if (names.includes(worst)) layer.value = worst;
  const effect = make("select", {}, option("worst value"), option("value by value"));
  const pes = make("select", {});
  tools.append(make("label", {}, "Layer ", layer), make("label", {}, "Values ", effect), make("label", {}, "PEs ", pes));
  const refill = () => {
    const channels = places[layer.value].channels, given = content.promises.folding[layer.value];
    const divisors = Array.from({ length: channels }, (_, i) => i + 1).filter((p) => channels % p === 0);
    pes.replaceChildren(...divisors.map((p) => option(String(p))));
    pes.value = String(given || divisors.filter((p) => p <= Math.max(1, Math.sqrt(channels))).pop());
  };
  const redraw = () => drawChannels(figure, number_, layer.value, effect.value, Number(pes.value));
  layer.addEventListener("change", () => { refill(); redraw(); });
  effect.addEventListener("change", redraw);
  pes.addEventListener("change", redraw);
  refill();
  whenSeen(section, redraw);
}

function drawChannels(figure, kind, name, values, pes) {
  const layer = run.layerNames.indexOf(name), channels = places[name].channels, folds = channels / pes;
  const own = [];
  for (let i = 0; i < run.count; i++) if (run.layer[i] === layer && run.kind[i] === kind) own.push(i);
  const effects = values === "worst value" ? [null] : [...new Set(own.map((i) => run.effect[i]))];
  const gap = effects.length > 1 ? 1 : 0, width = folds * effects.length + gap * (effects.length - 1);
  const z = Array.from({ length: pes }, () => Array(width).fill(null)), faults = z.map((row) => row.slice());
  const text = z.map((row) => row.map(() => ""));
  for (const i of own) {
    const at = values === "worst value" ? 0 : effects.indexOf(run.effect[i]), channel = run.axes.channel[i];
    const row = channel % pes, column = Math.floor(channel / pes) + at * (folds + gap);
    if (faults[row][column] !== null && worse(i, faults[row][column]) > 0) continue;
    faults[row][column] = i;
    z[row][column] = accuracyOf(run.correct[i]);
    text[row][column] = `PE ${row}, channel ${channel}<br>${percent(z[row][column])} %<br>${run.text[i]}`;
  }
  const titles = effects.map((effect, at) => ({
    x: at * (folds + gap) + (folds - 1) / 2, y: 1, yref: "paper", yanchor: "bottom", showarrow: false, font: { size: 11 },
    text: effect === null ? "worst stuck value" : run.effectNames[effect],
  }));
  draw(figure, [{
    type: "heatmap", z, text, hovertemplate: "%{text}<extra></extra>", colorscale: CIVIDIS_SCALE, zmax: errorFree(),
    zmin: Math.min(...own.map((i) => accuracyOf(run.correct[i])), errorFree() - 0.1), xgap: width > 150 ? 0 : 1, ygap: pes > 60 ? 0 : 1,
    colorbar: { title: { text: "%" }, thickness: 12, len: 1 }, hoverongaps: false,
  }], {
    annotations: titles, margin: { l: 46, r: 8, t: 22, b: 40 },
    xaxis: { title: { text: "channels of a PE, in turn" }, showgrid: false, showticklabels: effects.length === 1, ...(folds <= 16 ? { dtick: 1 } : {}) },
    yaxis: { title: { text: "PE" }, autorange: "reversed", showgrid: false },
  }, `Channels of ${name} by PE: lowest ${percent(Math.min(...own.map((i) => accuracyOf(run.correct[i]))))} %`);
  onFault(figure, (point) => faults[point.pointIndex[0]][point.pointIndex[1]] ?? -1);
}
