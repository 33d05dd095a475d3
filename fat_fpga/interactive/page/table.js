// The list of faults: sorted, page by page, and as a file that `fat-fpga campaign --fault-list` reads.

const PER_PAGE = 20;
const COLUMNS = [
  ["fault", "fault", true], ["layer", "layer", true], ["kind", "kind", true], ["effect", "effect", true],
  ["accuracy", "accuracy [%]", false], ["drop", "drop [points]", false], ["changed", "changed classes", false],
];

function select(fault, move) {
  update({ selected: fault });
  if (move) {
    const detail = document.getElementById("detail");
    detail.focus({ preventScroll: true });
    detail.scrollIntoView({ block: "start" });
  }
}

function headCell([order, title, left]) {
  const own = state.order === order;
  const button = make("button", { type: "button", on: { click: () => {
    update({ order, descending: own ? !state.descending : order === "changed" || order === "drop" });
  } } }, `${title}${own ? (state.descending ? " ↓" : " ↑") : ""}`);
  const sort = own ? (state.descending ? "descending" : "ascending") : "none";
  return make("th", { scope: "col", class: left ? "left" : null, "aria-sort": sort }, button);
}

function faultRow(i) {
  const accuracy = accuracyOf(run.correct[i]);
  const button = make("button", { type: "button" }, run.text[i]);
  const cells = [
    [button, true], [run.layerNames[run.layer[i]], true], [run.kindNames[run.kind[i]], true],
    [run.effectNames[run.effect[i]], true], [percent(accuracy), false], [percent(errorFree() - accuracy), false],
    [number(run.changed[i]), false],
  ];
  return make("tr", { class: "pick", "aria-selected": String(i === state.selected), on: { click: () => select(i, true) } },
    ...cells.map(([cell, left]) => make("td", { class: left ? "left" : null }, cell)));
}

function buildTable() {
  const section = document.getElementById("faults"), rows = section.querySelector(".rows");
  const tools = section.querySelector(".tools");
  const button = (text, action) => make("button", { type: "button", on: { click: action } }, text);
  const pages = () => Math.max(1, Math.ceil(chosen.length / PER_PAGE));
  const back = button("previous", () => update({ page: state.page - 1 }));
  const next = button("next", () => update({ page: state.page + 1 }));
  const at = make("span", {});
  tools.append(back, at, next, button("save as a fault list", saveList));
  follow(["layers", "kind", "effect", "text", "order", "descending", "page", "selected"], () => {
    const start = state.page * PER_PAGE;
    rows.replaceChildren(make("table", {},
      make("thead", {}, make("tr", {}, ...COLUMNS.map(headCell))),
      make("tbody", {}, ...Array.from(chosen.subarray(start, start + PER_PAGE), faultRow))));
    back.disabled = state.page === 0;
    next.disabled = state.page + 1 >= pages();
    at.textContent = `page ${number(state.page + 1)} of ${number(pages())}`;
    section.querySelector(".what").textContent =
      `${plural(chosen.length, "fault")}. Choose one to see what it does. Drop: accuracy without faults less accuracy under the fault.`;
  });
}

// The chosen faults, one a line, with what they are in comments.
function listText() {
  const head = run.head, lines = [
    `# ${number(chosen.length)} faults of ${head.network} (${head.network_fingerprint.slice(0, 12)})`,
    `# chosen from a run on ${head.dataset}, fault list ${head.fault_list.slice(0, 12)}`,
  ];
  return [...lines, ...Array.from(chosen, (i) => run.text[i]), ""].join("\n");
}

function saveList() {
  const address = URL.createObjectURL(new Blob([listText()], { type: "text/plain" }));
  const link = make("a", { href: address, download: "faults.txt" });
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 1000);
}
