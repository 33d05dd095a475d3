// Which classes a fault takes for which.

function drawConfusion(box, predictions) {
  if (!predictions) {
    box.replaceChildren(make("p", { class: "what" }, "Needs the predictions of this fault."));
    return;
  }
  const classes = kept.classes, table = Array.from({ length: classes }, () => Array(classes).fill(0));
  predictions.forEach((now, image) => { table[labels[image]][now]++; });
  const names = Array.from({ length: classes }, (_, label) => className(label));
  let figure = box.querySelector(".figure");
  if (!figure) box.replaceChildren(figure = make("div", { class: "figure" }));
  whenSeen(figure, () => drawTable(figure, table, names));
}

function drawTable(figure, table, names) {
  const few = names.length <= 12 && !narrow();
  draw(figure, [{
    type: "heatmap", z: table, x: names, y: names, colorscale: CIVIDIS_SCALE, texttemplate: few ? "%{z}" : "", showscale: !few,
    hovertemplate: "is %{y}, taken for %{x}: %{z} images<extra></extra>", colorbar: { thickness: 10 },
  }], {
    height: 330, margin: { l: 60, r: 6, t: 6, b: 60 },
    xaxis: { title: { text: "taken for" }, type: "category", showgrid: false },
    yaxis: { title: { text: "true class" }, type: "category", autorange: "reversed", showgrid: false },
  }, `Confusion matrix: ${names.map((name, label) => `${name} right ${table[label][label]}`).join(", ")}`);
}
