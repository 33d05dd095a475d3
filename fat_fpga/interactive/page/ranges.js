// From worst to best accuracy in each layer, one bar for each effect. The chosen layers are drawn strong.

function groupsOf(indexes, of = run) {
  const groups = new Map();
  for (const i of indexes) {
    const key = of.layer[i] * 65536 + of.effect[i];
    let group = groups.get(key);
    if (!group) {
      group = { layer: of.layerNames[of.layer[i]], effect: of.effectNames[of.effect[i]], count: 0, sum: 0, low: Infinity, high: -Infinity, worst: i };
      groups.set(key, group);
    }
    const accuracy = accuracyOf(of.correct[i], of);
    group.count++;
    group.sum += accuracy;
    group.low = Math.min(group.low, accuracy);
    group.high = Math.max(group.high, accuracy);
    if (worse(i, group.worst, of) < 0) group.worst = i;
  }
  return [...groups.values()];
}

function buildRanges() {
  if (!singleFaults()) return;
  const section = show("ranges", "A bar from the worst to the best accuracy over the chosen faults of a layer; the mark is the mean. Choose a bar to see its worst fault.");
  whenSeen(section, () => followRanges(section.querySelector(".figure")));
}

function followRanges(figure) {
  follow(["layers", "kind", "effect", "text"], () => {
    let groups = groupsOf(chosen);
    const effects = [...new Set(groups.map((group) => group.effect))].sort();
    const many = effects.length > OKABE_ITO.length;
    if (many) groups = mergeEffects(groups);
    const names = many ? ["any effect"] : effects;
    const order = run.layerNames.filter((name) => groups.some((group) => group.layer === name));
    const traces = names.flatMap((effect, number) => {
      const own = groups.filter((group) => group.effect === effect);
      const shift = (number - (names.length - 1) / 2) * (0.7 / names.length);
      const x = own.map((group) => order.indexOf(group.layer) + shift);
      const text = own.map((group) => `${group.layer}, ${effect}<br>${percent(group.low)} to ${percent(group.high)} %, mean ${percent(group.sum / group.count)} %<br>${plural(group.count, "fault")}; worst: ${run.text[group.worst]}`);
      return [{
        type: "bar", x, base: own.map((group) => group.low), y: own.map((group) => Math.max(group.high - group.low, 0.05)),
        width: 0.62 / names.length, name: effect, marker: { color: colourOf(number) }, text, textposition: "none",
        hovertemplate: "%{text}<extra></extra>", legendgroup: effect, customdata: own.map((group) => group.worst),
      }, {
        mode: "markers", x, y: own.map((group) => group.sum / group.count), showlegend: false, legendgroup: effect,
        marker: { color: "#fff", line: { color: INK, width: 1 }, size: 6, symbol: MARKERS[number % MARKERS.length] }, text,
        hovertemplate: "%{text}<extra></extra>", customdata: own.map((group) => group.worst),
      }];
    });
    draw(figure, traces, {
      barmode: "overlay", xaxis: { tickvals: order.map((_, i) => i), ticktext: order, tickangle: order.length > 8 ? -45 : "auto" },
      yaxis: { title: { text: "accuracy [%]" } }, ...dashedLine(errorFree(), "without faults"),
      showlegend: names.length > 1, height: 420,
    }, `Accuracy under fault by layer: ${groups.map((group) => `${group.layer} ${group.effect} ${percent(group.low)} to ${percent(group.high)} %`).slice(0, 30).join("; ")}`);
    onFault(figure, (point) => point.customdata ?? -1);
  });
}

function mergeEffects(groups) {
  const merged = new Map();
  for (const group of groups) {
    const before = merged.get(group.layer);
    if (!before) {
      merged.set(group.layer, { ...group, effect: "any effect" });
      continue;
    }
    before.count += group.count;
    before.sum += group.sum;
    before.low = Math.min(before.low, group.low);
    before.high = Math.max(before.high, group.high);
    if (worse(group.worst, before.worst) < 0) before.worst = group.worst;
  }
  return [...merged.values()];
}
