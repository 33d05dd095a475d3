// The layers in network order; each is a button that chooses its faults.

function worstByLayer() {
  const worst = {};
  for (let i = 0; i < run.count; i++) {
    const name = run.layerNames[run.layer[i]];
    if (!(name in worst) || worse(i, worst[name]) < 0) worst[name] = i;
  }
  return worst;
}

function buildStrip() {
  const worst = worstByLayer(), strip = document.getElementById("strip");
  const known = run.layers.map((layer) => layer.name).filter((name) => name in worst);
  const names = [...known, ...run.layerNames.filter((name) => name in worst && !known.includes(name))];
  if (names.length < 2 || names.length > 200) return;
  show("layers");
  const low = accuracyOf(run.correct[worstOf()]), high = errorFree();
  names.forEach((name, i) => {
    const accuracy = accuracyOf(run.correct[worst[name]]), layer = places[name];
    const colour = cividis(high > low ? (accuracy - low) / (high - low) : 1);
    const size = layer ? `${layer.channels}×${layer.height}×${layer.width}` : "";
    const button = make("button", {
      type: "button", "aria-pressed": "false", style: `background:${colour.back};color:${colour.ink}`,
      title: `${name}${layer ? `, ${layer.type}, ${size}` : ""}: lowest ${percent(accuracy)} %, ${run.text[worst[name]]}`,
      on: { click: () => toggleLayer(name) },
    }, name, make("small", {}, `${percent(accuracy)} %`));
    button.dataset.layer = name;
    if (i) strip.append(make("span", { class: "arrow", "aria-hidden": "true" }, "→"));
    strip.append(button);
  });
  follow(["layers"], () => {
    for (const button of strip.querySelectorAll("button")) {
      button.setAttribute("aria-pressed", String(state.layers.has(button.dataset.layer)));
    }
  });
}
