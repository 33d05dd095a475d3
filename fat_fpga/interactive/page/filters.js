// Filters by kind, effect and text, and what is chosen.

function selectBox(name, label, values, every) {
  const box = make("select", { name, on: { change: () => update({ [name]: box.value }) } },
    make("option", { value: "" }, every), ...values.map((value) => make("option", { value }, value)));
  return { box, field: make("label", {}, `${label} `, box) };
}

function buildFilters() {
  const form = document.getElementById("filters");
  form.addEventListener("submit", (event) => event.preventDefault());
  const kind = selectBox("kind", "Kind", run.kindNames, "all kinds");
  const effect = selectBox("effect", "Effect", [...run.effectNames].sort(), "all effects");
  const text = make("input", {
    type: "search", id: "find", placeholder: "conv1/channel[17]", on: { input: () => update({ text: text.value }) },
  });
  const reset = make("button", { type: "button", on: { click: () => {
    kind.box.value = effect.box.value = text.value = "";
    update({ layers: new Set(), kind: "", effect: "", text: "" });
  } } }, "show all");
  const count = make("span", { id: "count", "aria-live": "polite" });
  form.append(kind.field, effect.field, make("label", { class: "grow" }, "Text ", text), reset, count);
  follow(["layers", "kind", "effect", "text"], () => {
    reset.disabled = !filtered();
    count.textContent = `${plural(chosen.length, "fault")} chosen`;
  });
}
