// What the page knows: the run, its arrays, and a few words on numbers.

const content = JSON.parse(document.getElementById("content").textContent);
const NONE = -(2 ** 31);
const TYPES = {
  uint8: Uint8Array, uint16: Uint16Array, uint32: Uint32Array, int8: Int8Array, int16: Int16Array, int32: Int32Array,
};

function bytesOf(base64) {
  const text = atob(base64), bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

function unpacked(array) {
  return new TYPES[array.type](bytesOf(array.base64).buffer);
}

// A run with its arrays opened: one entry for each listed fault.
function opened(run) {
  const given = run.faults, axes = {}, counts = {};
  for (const name in given.axes) axes[name] = unpacked(given.axes[name]);
  for (const name in given.counts) counts[name] = unpacked(given.counts[name]);
  const text = given.text ? given.text.split("\n") : [];
  return {
    head: run.head, layers: run.layers, curves: run.curves, kindsOf: run.kinds, text, axes, counts,
    count: text.length, total: given.total,
    layer: unpacked(given.layer), kind: unpacked(given.kind), effect: unpacked(given.effect),
    layerNames: given.layers, kindNames: given.kinds, effectNames: given.effects,
    correct: unpacked(given.correct), changed: unpacked(given.changed),
  };
}

const run = opened(content);
const against = content.against ? opened(content.against) : null;
const labels = unpacked(content.labels), golden = unpacked(content.golden);
const places = {};
for (const layer of run.layers) places[layer.name] = layer;

function accuracyOf(correct, of = run) {
  return (100 * correct) / of.head.images;
}

function errorFree(of = run) {
  return accuracyOf(of.head.error_free, of);
}

function percent(value) {
  return value.toFixed(2);
}

const thousands = new Intl.NumberFormat("en-US", { maximumFractionDigits: 3 });

function number(value) {
  return thousands.format(value);
}

function plural(count, word) {
  return `${number(count)} ${word}${count === 1 ? "" : "s"}`;
}

// The place of a fault without its effect: all effects of a channel are at one place.
function placeOf(index, of = run) {
  const text = of.text[index], equals = text.indexOf(" = "), flips = text.indexOf(" ^ ");
  if (equals < 0) return flips < 0 ? text : text.slice(0, flips);
  return text.slice(0, flips < 0 ? equals : Math.min(equals, flips));
}

// Whether the fault a is more critical than b: fewer images right, then more classes changed.
function worse(a, b, of = run) {
  return of.correct[a] - of.correct[b] || of.changed[b] - of.changed[a] || a - b;
}

// All faults, the most critical first: sorted as numbers that order them as `worse` does. They stay below 2^53 with 200,000
// faults and 200,000 images.
function ranked(of = run) {
  if (of.ranked) return of.ranked;
  const images = of.head.images + 1, keys = new Float64Array(of.count);
  for (let i = 0; i < of.count; i++) keys[i] = (of.correct[i] * images + images - 1 - of.changed[i]) * of.count + i;
  keys.sort();
  of.ranked = Uint32Array.from(keys, (key) => key % of.count);
  return of.ranked;
}

function worstOf(of = run) {
  return of.count ? ranked(of)[0] : -1;
}

function className(label) {
  return content.names[label] || String(label);
}

// An element with text, attributes and children; text is never read as HTML.
function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "on") for (const event in value) element.addEventListener(event, value[event]);
    else if (value !== null && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

function show(id, text) {
  const section = document.getElementById(id);
  section.hidden = false;
  if (text) section.querySelector(".what").textContent = text;
  return section;
}

function commandBox(command) {
  const button = make("button", { type: "button", on: { click: () => copy(command, button) } }, "copy");
  return make("div", { class: "command" }, make("code", {}, command), button);
}

async function copy(text, button) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = make("textarea", {}, text);
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
  button.textContent = "copied";
  setTimeout(() => { button.textContent = "copy"; }, 1500);
}
