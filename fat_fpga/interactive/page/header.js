// What the run is: names, hashes, the figures that one asks for first, and the command that makes it again.

function figure(value, what) {
  return make("div", {}, make("b", {}, value), make("span", {}, what));
}

function buildHeader() {
  const head = run.head, worst = worstOf(), box = document.getElementById("head");
  box.append(make("h1", {}, `${head.network} under fault`));
  box.append(make("p", { class: "what" }, `${head.dataset}, ${number(head.images)} images; ${head.origin}.`));
  if (!head.complete) {
    box.append(make("p", { class: "warn" },
      `Unfinished: ${number(head.done)} of ${number(head.asked)} faults are done. All figures are over these alone.`));
  }
  const values = content.outputs;
  const right = values ? "images with an unchanged output" : "accuracy";
  box.append(make("div", { class: "key" },
    figure(`${percent(errorFree())} %`, `${right} without faults`),
    figure(`${percent(accuracyOf(run.correct[worst]))} %`, "under the worst fault"),
    figure(`${percent(head.mean)} %`, `mean over ${plural(run.total, "fault")}`),
    figure(number(head.done), head.sample ? "faults, a sample" : "faults"),
    figure(number(head.done * head.images), "faulty inferences")));
  box.append(make("p", {}, "Worst fault: ",
    make("button", { type: "button", id: "worst", on: { click: () => select(worst, true) } }, run.text[worst])));
  box.append(make("details", {}, make("summary", {}, "Hashes, and the command that makes this run again"),
    make("dl", {},
      ...[
        ["model", `${head.network}, ${head.network_fingerprint}`],
        ["data", `${head.dataset}, ${head.dataset_fingerprint}`],
        ["fault list", `${plural(head.asked, "fault")}, ${head.fault_list}`],
        ["run file", head.file],
        ["started, finished", `${head.created}, ${head.finished || "not finished"}`],
        ["made by", `fat_fpga ${head.made_by}, engine ${head.engines.join(", ")}, ${number(Math.round(head.seconds))} s`],
      ].flatMap(([name, value]) => [make("dt", {}, name), make("dd", {}, value)])),
    commandBox(head.command),
    make("p", { class: "what" },
      "All hashes are SHA-256. What a run file does not hold is in capitals. The same faults on the same model and data give the same counts, with any engine.")));
  document.getElementById("foot").textContent =
    `Written by fat_fpga ${head.version}. This page loads nothing from a network. Accuracies are in percent of ${number(head.images)} images; all counts are exact.`
    + (run.count < run.total ? ` It lists the ${number(run.count)} most critical of ${number(run.total)} faults.` : "");
}
