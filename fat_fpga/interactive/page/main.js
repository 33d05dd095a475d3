// Everything is put together here, what can be read first; a section that a run has nothing to say on stays hidden.

const BUILDERS = [
  buildHeader, buildStrip, buildFilters, buildTable, buildRanges, buildPromise, buildChannels, buildPixels, buildPes,
  buildBits, buildOutcomes, buildCriteria, buildSweep, buildCompare, buildDetail, fillLine,
];

// An odd one of the narrow sections takes the whole line.
function fillLine() {
  const half = [...document.querySelectorAll("main > section:not(.wide):not([hidden])")];
  if (half.length % 2) half[half.length - 1].classList.add("wide");
  window.dispatchEvent(new Event("resize"));
}

// One after the other, so that the browser shows what is there already.
function buildNext() {
  const build = BUILDERS.shift();
  if (!build) {
    performance.mark("usable");
    watch();
    return;
  }
  build();
  setTimeout(buildNext);
}

buildNext();
