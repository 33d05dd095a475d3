// One fault: what it is, the images whose class it changes, and its way through the layers.

const kept = content.predictions && { ...content.predictions, faults: unpacked(content.predictions.faults), data: bytesOf(content.predictions.base64) };
const rowOf = new Map();
if (kept) kept.faults.forEach((fault, row) => rowOf.set(fault, row));
const pictures = content.images && { ...content.images, which: unpacked(content.images.which), pixels: unpacked(content.images.pixels) };
const pictureOf = new Map();
if (pictures) pictures.which.forEach((image, at) => pictureOf.set(image, at));
const MOST_IMAGES = 18;

// The class of each image under a fault; null where the page does not have them.
function predictionsOf(fault) {
  if (!rowOf.has(fault)) return null;
  const start = rowOf.get(fault) * kept.bytes * 8, found = new Uint32Array(run.head.images);
  for (let image = 0; image < found.length; image++) {
    for (let bit = 0; bit < kept.bits; bit++) {
      const at = start + image * kept.bits + bit;
      found[image] |= ((kept.data[at >> 3] >> (at & 7)) & 1) << bit;
    }
  }
  return found;
}

function picture(image) {
  if (!pictureOf.has(image)) return null;
  const { channels, height, width, pixels } = pictures, canvas = make("canvas", { width, height, "aria-hidden": "true" });
  const context = canvas.getContext("2d"), data = context.createImageData(width, height);
  const start = pictureOf.get(image) * channels * height * width;
  for (let i = 0; i < height * width; i++) {
    for (let c = 0; c < 3; c++) data.data[4 * i + c] = pixels[start + i * channels + (channels === 3 ? c : 0)];
    data.data[4 * i + 3] = 255;
  }
  context.putImageData(data, 0, 0);
  return canvas;
}

function factsOf(fault) {
  const kind = run.kindNames[run.kind[fault]], traits = run.kindsOf[kind], accuracy = accuracyOf(run.correct[fault]);
  const rows = [["kind", kind], ["layer", run.layerNames[run.layer[fault]]], ["effect", run.effectNames[run.effect[fault]]]];
  if (traits) for (const [single, cause] of Object.entries(traits.cause)) rows.push([`cause (${single})`, cause]);
  const channel = run.axes.channel && run.axes.channel[fault], pes = content.promises.folding[run.layerNames[run.layer[fault]]];
  if (pes && kind === "channel") rows.push(["PE", `${channel % pes} of ${pes}, in folding ${content.promises.option}`]);
  rows.push(["accuracy", `${percent(accuracy)} %, ${percent(errorFree() - accuracy)} points less than without faults`]);
  rows.push(["images", `${number(run.correct[fault])} of ${number(run.head.images)} right; ${number(run.changed[fault])} of another class than without faults`]);
  if (singleFaults()) rows.push(...removalOf(fault));
  for (const name in run.counts) rows.push([content.outcomes.titles[name], `${number(run.counts[name][fault])} images`]);
  return make("dl", {}, ...rows.flatMap(([name, value]) => [make("dt", {}, name), make("dd", {}, value)]));
}

// What the cheapest plan costs that allows nothing as bad as this fault.
function removalOf(fault) {
  const promises = content.promises, found = planFor(run.correct[fault] + 1);
  if (!found) return [];
  const what = plural(found[1], promises.kind === "pe" ? "PE" : "channel");
  return [["to remove it", `a plan that keeps a worst error of ${percent(100 - accuracyOf(found[0]))} % triplicates ${what}; its cost (${promises.title}) is ${costOf(found[2])}`]];
}

function imagesOf(predictions) {
  if (!predictions) {
    return [make("p", { class: "what" }, "Not known of this fault. The campaign keeps predictions with --keep-predictions; or give --model and --data to fat-fpga report.")];
  }
  const changed = [];
  predictions.forEach((now, image) => { if (now !== golden[image]) changed.push(image); });
  const lost = (image) => golden[image] === labels[image];
  changed.sort((a, b) => lost(b) - lost(a) || pictureOf.has(b) - pictureOf.has(a) || a - b);
  const shown = changed.slice(0, MOST_IMAGES).map((image) => make("figure", { class: lost(image) ? "lost" : null },
    picture(image), make("figcaption", {}, `image ${image}`, make("br"), `is ${className(labels[image])}`, make("br"),
      `${className(golden[image])} → ${className(predictions[image])}`)));
  const wrong = changed.filter(lost).length;
  const words = `${plural(changed.length, "image")}, of which ${number(wrong)} were right without the fault (orange).`;
  return [make("p", { class: "what", style: "width:100%" }, changed.length > MOST_IMAGES ? `${words} The first ${MOST_IMAGES}:` : words), ...shown];
}

function pathOf(fault) {
  const path = content.paths[fault];
  if (!path) return make("p", { class: "what" }, "Not known of this fault. Give --model and --data to fat-fpga report: the most critical faults are looked at layer by layer.");
  const rows = path.places.map(([name, differ, size]) => {
    const share = (100 * differ) / size;
    return [name, number(differ), `${share < 0.01 && differ ? share.toExponential(1) : percent(share)} %`,
      make("div", { class: "bar", style: `width:${share}%`, "aria-hidden": "true" })];
  });
  const table = tableOf(["stream", "differ", "share", ""], rows);
  table.prepend(make("caption", { class: "what" }, `Activations that differ, on ${plural(path.images, "image")}, those that the fault changes first. The last stream is the scores.`));
  return table;
}

function buildDetail() {
  const section = document.getElementById("detail");
  section.hidden = false;
  follow(["selected"], () => {
    const fault = state.selected, predictions = predictionsOf(fault);
    section.querySelector("h2").textContent = `${fault === worstOf() ? "The worst fault: " : ""}${run.text[fault]}`;
    section.querySelector(".text").replaceChildren(factsOf(fault));
    section.querySelector(".columns").hidden = !singleFaults() && !kept;
    if (section.querySelector(".columns").hidden) return;
    section.querySelector(".images").replaceChildren(...imagesOf(predictions));
    section.querySelector(".path").replaceChildren(pathOf(fault));
    drawConfusion(section.querySelector(".confusion"), predictions);
  });
}
