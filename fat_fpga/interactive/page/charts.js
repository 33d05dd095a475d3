// How every figure looks. Colours are Okabe and Ito's, and cividis: colour-blind readers can tell them apart.

const OKABE_ITO = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#B8A800"];
const MARKERS = ["circle", "square", "diamond", "triangle-up", "x", "cross", "star", "triangle-down"];
const DASHES = ["solid", "dash", "dot", "dashdot", "longdash", "longdashdot"];
const INK = "#1f2933", RULE = "#e4e8ec", RED = "#D55E00";

function colourOf(index) {
  return OKABE_ITO[index % OKABE_ITO.length];
}

function narrow() {
  return window.innerWidth < 600;
}

// Draw, or draw anew, into the figure of a section.
function draw(figure, traces, layout, label) {
  const base = {
    font: { family: "system-ui, DejaVu Sans, sans-serif", size: 12, color: INK },
    margin: { l: 56, r: 12, t: 8, b: 44 },
    paper_bgcolor: "#fff", plot_bgcolor: "#fff", height: 300, hovermode: "closest", dragmode: false,
    legend: { orientation: "h", x: 0, y: 1.02, yanchor: "bottom" },
  };
  const merged = { ...base, ...layout };
  for (const axis of ["xaxis", "yaxis"]) {
    merged[axis] = { gridcolor: RULE, zeroline: false, automargin: true, fixedrange: true, ...(layout[axis] || {}) };
  }
  figure.style.height = `${merged.height}px`; // a figure that is fitted to a new width takes its height from here
  delete merged.height;
  figure.setAttribute("role", "img");
  figure.setAttribute("aria-label", label);
  Plotly.react(figure, traces, merged, { responsive: true, displayModeBar: false });
}

// What happens where a point that stands for a fault is clicked.
function onFault(figure, faultOf) {
  figure.removeAllListeners("plotly_click");
  figure.on("plotly_click", (event) => {
    const fault = faultOf(event.points[0]);
    if (fault >= 0) select(fault, true);
  });
}

function dashedLine(y, text, left = false) {
  return {
    shapes: [{ type: "line", xref: "paper", x0: 0, x1: 1, y0: y, y1: y, line: { color: INK, width: 1, dash: "dash" } }],
    annotations: [{ xref: "paper", x: left ? 0 : 1, y, text, showarrow: false, xanchor: left ? "left" : "right", yanchor: "bottom", font: { size: 11 }, bgcolor: "rgba(255,255,255,0.75)", borderpad: 0 }],
  };
}

// Steps of cividis, from dark (0) to light (1), and a text colour that is read on them.
const CIVIDIS = [[0, 32, 76], [0, 67, 104], [86, 92, 108], [124, 123, 120], [165, 156, 116], [209, 193, 96], [255, 234, 70]];

function cividis(share) {
  const at = Math.min(1, Math.max(0, share)) * (CIVIDIS.length - 1), low = Math.min(Math.floor(at), CIVIDIS.length - 2);
  const colour = CIVIDIS[low].map((part, i) => Math.round(part + (at - low) * (CIVIDIS[low + 1][i] - part)));
  const light = 0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2];
  return { back: `rgb(${colour.join(",")})`, ink: light > 140 ? "#000" : "#fff" };
}

const CIVIDIS_SCALE = CIVIDIS.map((colour, i) => [i / (CIVIDIS.length - 1), `rgb(${colour.join(",")})`]);

// A table; cells are texts, numbers or elements; the columns in `left` are texts.
function tableOf(head, rows, left = [0]) {
  const side = (i) => ({ class: left.includes(i) ? "left" : null });
  return make("table", {},
    make("thead", {}, make("tr", {}, ...head.map((cell, i) => make("th", { ...side(i), scope: "col" }, cell)))),
    make("tbody", {}, ...rows.map((row) => make("tr", {}, ...row.map((cell, i) => make("td", side(i), cell))))));
}
