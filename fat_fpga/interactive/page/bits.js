// Which bits of memories and registers matter: the share of faults that change any prediction, and the drops.

const DROPS = [[0, "no drop"], [0.1, "up to 0.1 points"], [1, "up to 1"], [10, "up to 10"], [Infinity, "more"]];

function buildBits() {
  if (!run.axes.bit || !run.axes.bit.some((bit) => bit !== NONE)) return;
  const section = show("bits", "Of the chosen faults of each bit, how many cost how many points of accuracy. Bit 0 is the least significant one.");
  whenSeen(section, () => followBits(section.querySelector(".figure")));
}

function followBits(figure) {
  follow(["layers", "kind", "effect", "text"], () => {
    const bits = new Map();
    for (const i of chosen) {
      const bit = run.axes.bit[i];
      if (bit === NONE) continue;
      const name = run.kindNames.length > 1 ? `${run.kindNames[run.kind[i]]} bit ${bit}` : `bit ${bit}`;
      if (!bits.has(name)) bits.set(name, { bit, kind: run.kind[i], bins: DROPS.map(() => 0), changing: 0, count: 0 });
      const group = bits.get(name), drop = errorFree() - accuracyOf(run.correct[i]);
      group.bins[DROPS.findIndex(([most]) => drop <= most + 1e-9)]++;
      group.count++;
      if (run.changed[i]) group.changing++;
    }
    const groups = [...bits].sort((a, b) => a[1].kind - b[1].kind || a[1].bit - b[1].bit);
    const traces = DROPS.map(([, title], bin) => {
      const shade = cividis(1 - bin / (DROPS.length - 1));
      return {
        type: "bar", name: title, x: groups.map(([name]) => name), marker: { color: shade.back, line: { color: INK, width: 0.5 } },
        y: groups.map(([, group]) => (100 * group.bins[bin]) / group.count),
        text: groups.map(([name, group]) => `${name}: ${plural(group.bins[bin], "fault")} of ${number(group.count)} cost ${title}<br>${percent((100 * group.changing) / group.count)} % change some prediction`),
        textposition: "none", hovertemplate: "%{text}<extra></extra>",
      };
    });
    draw(figure, traces, { barmode: "stack", yaxis: { title: { text: "share of faults [%]" }, range: [0, 100] } },
      `Drops by bit: ${groups.map(([name, group]) => `${name} ${percent((100 * group.changing) / group.count)} % change a prediction`).join("; ")}`);
  });
}
