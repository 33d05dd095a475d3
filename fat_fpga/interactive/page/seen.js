// What is far down the page is drawn when the reader comes near it, and all of it before the page is printed. The library
// that draws is read for the first figure, when all that needs none is on the screen.

const waiting = new Map(), seen = new WeakSet();
let watcher = null;

function library() {
  if (window.Plotly) return;
  const script = make("script");
  script.textContent = document.getElementById("library").textContent;
  document.head.append(script);
}

// Call a function once the element is near the screen; of several calls before that the last one counts.
function whenSeen(element, action) {
  if (seen.has(element)) {
    action();
    return;
  }
  waiting.set(element, action);
  if (watcher) watcher.observe(element);
}

function come(element) {
  const action = waiting.get(element);
  if (!action) return;
  watcher.unobserve(element);
  waiting.delete(element);
  seen.add(element);
  library();
  action();
}

// One after the other, so that the page answers in between; then it is ready.
const near = [];

function comeNext() {
  const element = near.shift();
  if (!element) {
    document.documentElement.dataset.ready = "yes";
    return;
  }
  if (window.Plotly) come(element);
  else {
    library();
    near.unshift(element);
  }
  setTimeout(comeNext);
}

// From now on; before, all sections are built.
function watch() {
  watcher = new IntersectionObserver((entries) => {
    const idle = !near.length;
    near.push(...entries.filter((entry) => entry.isIntersecting).map((entry) => entry.target));
    if (idle) setTimeout(comeNext);
  }, { rootMargin: "200px" });
  if (!waiting.size) comeNext();
  for (const element of waiting.keys()) watcher.observe(element);
  window.addEventListener("beforeprint", () => [...waiting.keys()].forEach(come));
}
