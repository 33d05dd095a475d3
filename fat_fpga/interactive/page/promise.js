// How few places carry the risk, and what it costs to remove it: a line to drag.

// Each place under its worst effect, the most critical first.
function rankedPlaces(of) {
  const known = new Set(), found = [];
  for (const i of ranked(of)) {
    const place = placeOf(i, of);
    if (known.has(place)) continue;
    known.add(place);
    found.push(i);
  }
  return found;
}

// A step needs no point where its accuracy is that of the one before: of 100,000 points some hundred are left.
function steps(places_, of) {
  const x = [], y = [], faults = [];
  places_.forEach((fault, i) => {
    const accuracy = accuracyOf(of.correct[fault], of), last = i === places_.length - 1;
    if (i && !last && of.correct[fault] === of.correct[places_[i - 1]]) return;
    x.push(i + 1);
    y.push(accuracy);
    faults.push(fault);
  });
  return { x, y, faults };
}

let promised = 0;

function planFor(target) {
  return content.promises.points.find((point) => point[0] >= target) || null;
}

function singleFaults() {
  return !run.kindNames.some((kind) => kind.startsWith("pattern of"));
}

function buildPromise() {
  if (!singleFaults() || run.kindNames.length === 0) return;
  const section = show("promise", "Every place under its worst effect, the most critical first. Drag the line: all places below it have to be protected to keep the promise.");
  whenSeen(section, () => drawPromise(section));
}

function drawPromise(section) {
  const places_ = rankedPlaces(run), curve = steps(places_, run), figure = section.querySelector(".figure");
  const low = Math.min(accuracyOf(run.correct[places_[0]]), errorFree()), high = errorFree();
  const pad = Math.max(1, (high - low) * 0.06);
  const range = [Math.max(0, low - pad), Math.min(100.5, high + pad)];
  const layer = (fault) => run.layerNames[run.layer[fault]];
  const traces = [
    { x: curve.x, y: curve.y, mode: "lines+markers", line: { shape: "hv", color: "#0072B2" }, marker: { size: 5 }, name: run.head.network,
      text: curve.faults.map((fault) => `${run.text[fault]}`), hovertemplate: "rank %{x}<br>%{y:.2f} %<br>%{text}<extra></extra>" },
  ];
  draw(figure, traces, {
    xaxis: { type: "log", title: { text: "places, most critical first (rank)" }, range: [-0.03, Math.log10(places_.length * 1.15)], dtick: 1 },
    yaxis: { title: { text: "accuracy [%]" }, range }, showlegend: false, height: 320, ...dashedLine(errorFree(), "without faults", true),
  }, `Criticality of ${places_.length} places: the worst has ${percent(low)} %, without faults ${percent(high)} %`);
  onFault(figure, (point) => curve.faults[point.pointIndex]);
  promised = (range[0] + high) / 2;
  wireLine(section, figure, range, places_);
}

function wireLine(section, figure, range, places_) {
  const line = document.getElementById("line"), field = document.getElementById("error");
  const axis = () => {
    const plot = figure.querySelector(".nsewdrag").getBoundingClientRect(), box = section.getBoundingClientRect();
    return { left: plot.left - box.left, top: plot.top - box.top, width: plot.width, height: plot.height };
  };
  const place = () => {
    const at = axis(), share = (promised - range[0]) / (range[1] - range[0]);
    line.style.left = `${at.left}px`;
    line.style.width = `${at.width}px`;
    line.style.top = `${at.top + at.height * (1 - share)}px`;
  };
  const set = (accuracy, typed) => {
    promised = Math.min(errorFree(), Math.max(range[0], accuracy));
    for (const [name, value] of [["now", percent(promised)], ["min", percent(range[0])], ["max", percent(errorFree())], ["text", `worst error ${percent(100 - promised)} %`]]) {
      line.setAttribute(`aria-value${name}`, value);
    }
    if (!typed) field.value = percent(100 - promised);
    place();
    tellCost(places_);
  };
  line.addEventListener("pointerdown", (event) => line.setPointerCapture(event.pointerId));
  line.addEventListener("pointermove", (event) => {
    if (!line.hasPointerCapture(event.pointerId)) return;
    const plot = figure.querySelector(".nsewdrag").getBoundingClientRect();
    set(range[1] - ((event.clientY - plot.top) / plot.height) * (range[1] - range[0]));
  });
  line.addEventListener("keydown", (event) => {
    const step = { ArrowUp: 0.1, ArrowDown: -0.1, PageUp: 5, PageDown: -5 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    set(promised + step);
  });
  field.addEventListener("input", () => { if (field.value !== "") set(100 - Number(field.value), true); });
  figure.on("plotly_afterplot", place);
  window.addEventListener("resize", () => requestAnimationFrame(place));
  set(promised);
}

// The cost of a plan as a multiple; below 1 it needs a reason.
function costOf(ratio) {
  const less = ratio < 1 ? ": it also leaves out PEs that the rate does not need" : "";
  return `${ratio.toFixed(4)} × without protection${less}`;
}

// How many places lie below the line, what the planner takes for it, and the command.
function tellCost(places_) {
  const error = 100 - promised, target = Math.ceil((run.head.images * promised) / 100 - 1e-9);
  const below = places_.filter((fault) => run.correct[fault] < target).length;
  const kind = Object.values(run.kindsOf)[0], word = Object.keys(run.kindsOf).length === 1 && kind ? kind.places : "places";
  const box = document.getElementById("cost"), rows = [[`${word} below the line`, `${number(below)} of ${number(places_.length)}`]];
  const found = planFor(target), promises = content.promises;
  if (found) {
    rows.push(["triplicated by the plan", plural(found[1], promises.kind === "pe" ? "PE" : "channel")]);
    rows.push([`cost (${promises.title})`, costOf(found[2])]);
    rows.push(["worst error that it keeps", `${percent(100 - accuracyOf(found[0]))} %`]);
  }
  box.replaceChildren(tableOf([`promise: worst error ${percent(error)} %`, ""], rows));
  if (found) {
    const folding = promises.option ? ` --folding ${promises.option}` : "";
    box.append(commandBox(`fat-fpga plan ${run.head.file || "RUN"}${folding} --worst-error ${percent(error)} -o plan.json`));
  } else {
    box.append(make("p", { class: "what" }, promises.why ? `No plan from this run: ${promises.why}` : "The fault-free network is not that good."));
  }
}
