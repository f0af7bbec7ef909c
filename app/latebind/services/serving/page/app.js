"use strict";
// Figures come from /page/data once a second; graphs from /page/graphs/NAME when they are asked for.

const KEPT = 180; // seconds of history in a chart; whole minutes
const LONGEST_STEP = 5; // seconds between two figures that a line goes through; a longer one is a gap
const MOST_NODES = 1000; // of a drawing
const SVG = "http://www.w3.org/2000/svg";
const cards = new Map();
let lastSeen = 0;

function make(name, properties = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key === "class") element.className = value;
    else if (key in element) element[key] = value;
    else element.setAttribute(key, value);
  }
  element.append(...children);
  return element;
}

function drawn(name, attributes, ...children) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

async function ask(path) {
  const token = sessionStorage.getItem("latebind-token");
  const headers = token ? { Authorization: `Bearer ${token}` } : {};
  let answer;
  try {
    answer = await fetch(path, { headers, cache: "no-store", signal: AbortSignal.timeout(5000) });
  } catch {
    throw new Error("The server does not answer; the figures below are old.");
  }
  if (answer.status === 401) {
    document.getElementById("token-form").hidden = false;
    throw new Error("The server asks for a token.");
  }
  const value = await answer.json();
  if (!answer.ok) throw new Error(value.error || `The server answered ${answer.status}.`);
  return value;
}

// Figures

/** The time below which a share of the requests stayed, from the counts of a histogram's buckets, in seconds. */
function quantile(bounds, counts, share) {
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (!total) return null;
  let seen = 0;
  for (let i = 0; i < counts.length; i++) {
    if (seen + counts[i] >= share * total) {
      const low = i ? bounds[i - 1] : 0;
      if (i >= bounds.length) return low;
      return low + ((bounds[i] - low) * (share * total - seen)) / counts[i];
    }
    seen += counts[i];
  }
  return bounds[bounds.length - 1];
}

const seconds = (value) =>
  value === null ? "–" : value < 1 ? `${(value * 1000).toPrecision(3)} ms` : `${value.toPrecision(3)} s`;
const megabytes = (value) => (value === null ? "–" : `${(value / 2 ** 20).toFixed(0)} MiB`);
const whole = (value) => (value === null ? "–" : String(value));
const plain = (value) => (value === null ? "–" : value >= 100 ? value.toFixed(0) : value.toPrecision(3));

/** A line over the last minutes; values stand at the times at which they came, so that the axis is true. */
class Chart {
  constructor(title, show) {
    this.points = []; // of time in seconds and value
    this.show = show;
    this.latest = make("b");
    this.most = make("span", { class: "most" });
    this.path = drawn("path", {});
    const minutes = Array.from({ length: KEPT / 60 }, (_, i) => i);
    const lines = minutes.map((i) => drawn("line", { x1: 60 * i, x2: 60 * i, y1: 0, y2: 100 }));
    this.svg = drawn("svg", { class: "chart", viewBox: `0 0 ${KEPT} 100`, preserveAspectRatio: "none", role: "img" }, ...lines, this.path);
    const labels = minutes.map((i) => make("span", { textContent: `${KEPT / 60 - i} min ago` }));
    this.axis = make("div", { class: "axis" }, ...labels, make("span", { class: "now", textContent: "now" }));
    this.axis.setAttribute("aria-hidden", "true"); // the drawing's label says it
    this.title = title;
    this.element = make("figure", {}, make("figcaption", {}, make("span", { textContent: title }), this.latest),
      make("div", { class: "plot" }, this.svg, this.most), this.axis);
  }
  add(value) {
    const now = performance.now() / 1000;
    this.points.push([now, value]);
    while (now - this.points[0][0] > KEPT) this.points.shift();
    const known = this.points.filter(([, one]) => one !== null).map(([, one]) => one);
    const most = Math.max(1e-9, ...known);
    let text = "", before = -Infinity;
    for (const [time, one] of this.points) {
      if (one === null) { before = -Infinity; continue; }
      const pen = time - before > LONGEST_STEP ? "M" : "L";
      text += `${pen}${(KEPT - (now - time)).toFixed(1)} ${(96 - (92 * one) / most).toFixed(1)}`;
      before = time;
    }
    this.path.setAttribute("d", text);
    this.latest.textContent = this.show(value);
    this.most.textContent = known.length ? this.show(Math.max(...known)) : "";
    const span = Math.round(now - this.points[0][0]);
    this.svg.setAttribute("aria-label", `${this.title}: now ${this.show(value)}, at most ${this.show(known.length ? Math.max(...known) : null)} in ${span} s`);
  }
}

class Card {
  constructor(name) {
    this.name = name;
    this.row = make("tr");
    this.charts = {
      rate: new Chart("Requests per second", plain),
      p50: new Chart("Median latency", seconds),
      p99: new Chart("99th percentile", seconds),
      waiting: new Chart("Waiting", whole),
    };
    this.facts = make("dl");
    this.reason = make("p", { class: "bad", hidden: true });
    this.graphs = make("details", {}, make("summary", { textContent: "Compiled graphs" }));
    this.graphs.addEventListener("toggle", () => this.graphs.open && this.load());
    this.element = make("article", { class: "program", "aria-label": `Program ${name}` },
      make("h2", { textContent: name }), this.reason,
      make("div", { class: "charts" }, ...Object.values(this.charts).map((chart) => chart.element)), this.facts, this.graphs);
    document.getElementById("programs").append(this.row);
    document.getElementById("details").append(this.element);
  }

  update(status, figures, elapsed) {
    const before = this.figures;
    this.figures = figures;
    const { latency } = figures;
    const counts = before ? latency.counts.map((count, i) => Math.max(0, count - before.latency.counts[i])) : latency.counts;
    const rate = before && elapsed ? Math.max(0, figures.requests - before.requests) / elapsed : 0;
    const p50 = quantile(latency.bounds, counts, 0.5);
    const p99 = quantile(latency.bounds, counts, 0.99);
    this.charts.rate.add(rate);
    this.charts.p50.add(p50);
    this.charts.p99.add(p99);
    this.charts.waiting.add(figures.waiting);
    const alive = figures.workers.filter((worker) => worker.state === "ready" || worker.state === "busy").length;
    const failed = figures.failures + figures.timeouts + figures.rejected;
    const cell = (text, kind = "number") => make("td", { textContent: text, class: kind });
    this.row.replaceChildren(
      make("th", { scope: "row", textContent: this.name }),
      cell(status.state, status.state === "READY" ? "good" : "bad"), cell(status.backend, ""),
      cell(plain(rate)), cell(seconds(p50)), cell(seconds(p99)), cell(figures.waiting),
      cell(`${alive} of ${figures.workers.length}`), cell(figures.compilations), cell(failed, failed ? "number bad" : "number"));
    this.reason.hidden = !status.reason;
    this.reason.textContent = status.reason;
    this.describe(status, figures);
  }

  /** A second without figures: a gap in the charts. */
  miss() {
    for (const chart of Object.values(this.charts)) chart.add(null);
  }

  describe(status, figures) {
    const rows = Object.entries(figures.batch_rows).map(([size, count]) => `${size}: ${count}`).join(", ");
    const fallbacks = Object.entries(figures.fallbacks).map(([name, count]) => `${name}: ${count}`).join(", ");
    const workers = figures.workers.map((one) => `${one.state} (${megabytes(one.resident_bytes)}, ${one.restarts} restarts)`);
    const facts = {
      Inputs: status.inputs.join("; "), Outputs: status.outputs.join("; "), Version: status.version,
      Requests: `${figures.requests} (failed ${figures.failures}, timed out ${figures.timeouts}, refused ${figures.rejected})`,
      Batches: rows ? `${figures.batches}, by rows ${rows}` : `${figures.batches}`,
      Workers: workers.join("; "), "Device memory": megabytes(figures.device_bytes), Fallbacks: fallbacks || "none",
    };
    this.facts.replaceChildren(...Object.entries(facts).flatMap(([name, text]) =>
      [make("dt", { textContent: name }), make("dd", { textContent: text })]));
  }

  async load() {
    const summary = this.graphs.firstElementChild;
    try {
      const graphs = await ask(`/page/graphs/${encodeURIComponent(this.name)}`);
      const search = make("input", { type: "search", placeholder: "Search operations, types, lines", "aria-label": `Search the graphs of ${this.name}` });
      const views = graphs.map((graph) => new GraphView(graph));
      const found = make("p", { class: "quiet", role: "status", hidden: true });
      search.addEventListener("input", () => {
        const hits = views.filter((view) => view.search(search.value)).length;
        found.hidden = !search.value.trim();
        found.textContent = hits ? `Found in ${hits} of ${views.length} graphs.` : `Found in none of ${views.length} graphs.`;
      });
      this.graphs.replaceChildren(summary, ...(views.length ? [search, found] : [make("p", { class: "quiet", textContent: "None yet." })]),
        ...views.map((view) => view.element));
    } catch (error) {
      this.graphs.replaceChildren(summary, make("p", { class: "bad", textContent: error.message }));
    }
  }
}

// Graphs

class GraphView {
  constructor(graph) {
    this.texts = [["IR", graph.ir], ["Backend text", graph.backend_text]].map(([title, text]) => {
      const pre = make("pre", { textContent: text, tabIndex: 0, "aria-label": `${title} of ${graph.name}` });
      return { text, pre, element: make("details", {}, make("summary", { textContent: title }), pre) };
    });
    this.count = make("span", { class: "quiet" });
    this.drawing = make("div", { class: "drawing", tabIndex: 0, "aria-label": `Drawing of ${graph.name}` });
    const drawing = make("details", {}, make("summary", { textContent: "Drawing" }), this.drawing);
    drawing.addEventListener("toggle", () => drawing.open && !this.nodes && this.draw(graph.dot));
    this.element = make("details", {}, make("summary", {}, graph.name + " ", this.count),
      this.texts[0].element, drawing, this.texts[1].element);
    this.words = "";
    this.name = graph.name.toLowerCase();
    this.labels = graph.dot.toLowerCase();
  }

  /** Show the lines with these words; hide the graph if it has none. Returns whether it is shown. */
  search(words) {
    this.words = words.trim().toLowerCase();
    const found = this.texts.map(({ text }) => text.split("\n").filter((line) => line.toLowerCase().includes(this.words)));
    const count = found[0].length + found[1].length;
    this.element.hidden = !count && !this.labels.includes(this.words) && !this.name.includes(this.words);
    this.count.textContent = this.words && count ? `${count} ${count === 1 ? "line" : "lines"}` : "";
    if (!count && this.name.includes(this.words)) this.words = ""; // it is the name that was meant: nothing is left out
    this.texts.forEach(({ text, pre }, i) => {
      if (!this.words) pre.textContent = text;
      else if (!found[i].length) pre.textContent = "Nothing found.";
      else pre.replaceChildren(...found[i].flatMap((line) => this.marked(line)));
    });
    this.highlight();
    return !this.element.hidden;
  }

  marked(line) {
    const parts = [];
    let rest = line;
    for (let at; (at = rest.toLowerCase().indexOf(this.words)) >= 0; rest = rest.slice(at + this.words.length)) {
      parts.push(rest.slice(0, at), make("mark", { textContent: rest.slice(at, at + this.words.length) }));
    }
    return [...parts, rest + "\n"];
  }

  draw(dot) {
    const { nodes, edges } = parseDot(dot);
    this.nodes = [];
    if (nodes.size > MOST_NODES) {
      this.drawing.replaceChildren(make("p", { class: "quiet", textContent: `${nodes.size} nodes are too many to draw; the text has them all.` }));
      return;
    }
    const { width, height } = place(nodes, edges);
    const lines = edges.map(([from, to]) => {
      const a = nodes.get(from), b = nodes.get(to);
      return drawn("line", { x1: a.x + a.width / 2, y1: a.y + a.height, x2: b.x + b.width / 2, y2: b.y });
    });
    for (const node of nodes.values()) {
      const text = drawn("text", {}, ...node.label.map((line, i) => {
        const span = drawn("tspan", { x: node.x + 6, y: node.y + 14 + 13 * i });
        span.textContent = line;
        return span;
      }));
      const box = drawn("rect", { x: node.x, y: node.y, width: node.width, height: node.height, rx: 4 });
      this.nodes.push({ label: node.label.join(" ").toLowerCase(),
        element: drawn("g", { class: node.leaf ? "leaf" : "" }, box, text) });
    }
    this.drawing.replaceChildren(drawn("svg", { width, height, viewBox: `0 0 ${width} ${height}`, role: "img" },
      ...lines, ...this.nodes.map((node) => node.element)));
    this.highlight();
  }

  highlight() {
    for (const { label, element } of this.nodes || []) {
      element.classList.toggle("found", !!this.words && label.includes(this.words));
      element.classList.toggle("faded", !!this.words && !label.includes(this.words));
    }
  }
}

/** Nodes with their labels, and edges, of a digraph as latebind prints it. */
function parseDot(dot) {
  const nodes = new Map(), edges = [];
  for (const line of dot.split("\n")) {
    const edge = /^\s*(\w+) -> (\w+)/.exec(line);
    if (edge) { edges.push([edge[1], edge[2]]); continue; }
    const node = /^\s*(\w+) \[(.*)\];$/.exec(line);
    if (!node || node[1] === "node") continue;
    const label = /label="((?:[^"\\]|\\.)*)"/.exec(node[2]);
    const lines = (label ? label[1] : node[1]).split("\\n").map((part) => part.replace(/\\(.)/g, "$1"));
    nodes.set(node[1], { label: lines.map((part) => (part.length > 48 ? part.slice(0, 47) + "…" : part)), leaf: /shape=/.test(node[2]) });
  }
  return { nodes, edges: edges.filter(([from, to]) => nodes.has(from) && nodes.has(to)) };
}

/** Put each node a layer below its operands, and in a layer near the mean of what it is connected to. */
function place(nodes, edges) {
  const into = new Map([...nodes.keys()].map((name) => [name, []]));
  for (const [from, to] of edges) into.get(to).push(from);
  const layers = [];
  for (const [name, node] of nodes) { // in order: operands come before
    node.layer = into.get(name).reduce((most, from) => Math.max(most, nodes.get(from).layer + 1), 0);
    node.width = 14 + 6.7 * Math.max(...node.label.map((line) => line.length));
    node.height = 8 + 13 * node.label.length;
    (layers[node.layer] ||= []).push(node);
    node.operands = into.get(name).map((from) => nodes.get(from));
  }
  let y = 10, width = 0;
  for (const layer of layers) {
    for (const node of layer) node.wish = node.operands.reduce((sum, one) => sum + one.x, 0) / (node.operands.length || 1);
    layer.sort((a, b) => a.wish - b.wish);
    let x = 10;
    for (const node of layer) {
      node.x = Math.max(x, node.wish || 0);
      node.y = y;
      x = node.x + node.width + 14;
    }
    width = Math.max(width, x);
    y += Math.max(...layer.map((node) => node.height)) + 30;
  }
  return { width: width + 10, height: y };
}

// The page

async function poll() {
  const trouble = document.getElementById("trouble");
  try {
    const { programs, report } = await ask("/page/data");
    const now = performance.now();
    const elapsed = lastSeen ? (now - lastSeen) / 1000 : 0;
    lastSeen = now;
    for (const status of programs) {
      if (!cards.has(status.name)) cards.set(status.name, new Card(status.name));
      cards.get(status.name).update(status, report[status.name], elapsed);
    }
    const ready = programs.filter((status) => status.state === "READY").length;
    document.getElementById("summary").textContent = `${ready} of ${programs.length} programs ready`;
    document.getElementById("token-form").hidden = true;
    trouble.hidden = true;
  } catch (error) {
    if (trouble.textContent !== error.message || trouble.hidden) trouble.textContent = error.message;
    trouble.hidden = false;
    for (const card of cards.values()) card.miss();
    lastSeen = 0;
  }
  setTimeout(poll, 1000);
}

document.getElementById("token-form").addEventListener("submit", (event) => {
  event.preventDefault();
  sessionStorage.setItem("latebind-token", document.getElementById("token").value);
});
poll();
