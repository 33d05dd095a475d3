// Which faults are chosen, in which order, and which one is looked at. All parts of the page listen.

const state = {
  layers: new Set(), kind: "", effect: "", text: "", order: "accuracy", descending: false, page: 0,
  selected: worstOf(),
};
let chosen = new Uint32Array(0);
const listeners = [];

// How tables may be sorted; of equals the most critical is first: a number or a text for each fault.
const ORDERS = {
  fault: (i) => i,
  layer: (i) => run.layer[i],
  kind: (i) => run.kind[i],
  effect: (i) => run.effectNames[run.effect[i]],
  accuracy: (i) => run.correct[i],
  drop: (i) => -run.correct[i],
  changed: (i) => run.changed[i],
};

function choose() {
  const layers = new Set([...state.layers].map((name) => run.layerNames.indexOf(name)));
  const kind = run.kindNames.indexOf(state.kind), effect = run.effectNames.indexOf(state.effect);
  const text = state.text.trim().toLowerCase();
  let found = [];
  for (const i of ranked()) {
    if (layers.size && !layers.has(run.layer[i])) continue;
    if (kind >= 0 && run.kind[i] !== kind) continue;
    if (effect >= 0 && run.effect[i] !== effect) continue;
    if (text && !run.text[i].toLowerCase().includes(text)) continue;
    found.push(i);
  }
  if (state.order !== "accuracy" || state.descending) {
    const key = ORDERS[state.order], sign = state.descending ? -1 : 1, keys = found.map(key), order = found.map((_, i) => i);
    order.sort((a, b) => (keys[a] === keys[b] ? a - b : keys[a] < keys[b] ? -sign : sign));
    found = order.map((i) => found[i]);
  }
  chosen = Uint32Array.from(found);
}

const FILTERS = ["layers", "kind", "effect", "text", "order", "descending"];

function update(changes) {
  Object.assign(state, changes);
  if (FILTERS.some((name) => name in changes)) {
    state.page = 0;
    choose();
  }
  for (const listener of listeners) listener(changes);
}

// Call a function now, and whenever one of these parts of the state changes.
function follow(names, action) {
  listeners.push((changes) => { if (names.some((name) => name in changes)) action(); });
  action();
}

function filtered() {
  return state.layers.size > 0 || state.kind !== "" || state.effect !== "" || state.text.trim() !== "";
}

function toggleLayer(name) {
  const layers = new Set(state.layers);
  if (!layers.delete(name)) layers.add(name);
  update({ layers });
}

choose();
