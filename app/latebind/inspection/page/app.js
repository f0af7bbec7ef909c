/** The page: panes, search, details. */
const App = {
  panes: [],
  active: null,
  matches: [],
  at: -1,

  start() {
    this.box = document.querySelector("#search input");
    this.output = document.querySelector("#search output");
    this.details = document.getElementById("details");
    this.legend = document.getElementById("legend");
    const form = document.getElementById("search");
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.step(1);
    });
    form.querySelector("[data-step]").addEventListener("click", () => this.step(-1));
    this.box.addEventListener("input", () => this.search());
    this.box.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.active.canvas.focus();
    });
    document.getElementById("split").addEventListener("click", () => this.split());
    document.addEventListener("keydown", (event) => this.key(event));
    this.add();
    if (PAGE.compare) this.split();
  },
  add(wanted) {
    const pane = new Pane(this.active);
    this.panes.push(pane);
    document.getElementById("panes").append(pane.element);
    this.active ??= pane;
    pane.showForms(wanted);
    return pane;
  },
  /** Show two panes, or one again; the second begins with the other backend, or with what the backend gets. */
  split() {
    const button = document.getElementById("split");
    if (this.panes.length > 1) {
      this.panes.pop().element.remove();
      this.active = this.panes[0];
      this.changed(this.active);
    } else {
      const { views } = this.active.chosen;
      const final = views.filter((view) => view.stage === "final");
      if (PAGE.compare && final.length > 1) this.active.showForms(final[0].id);
      this.add((final[1] ?? final[0] ?? views[0]).id);
    }
    button.setAttribute("aria-pressed", String(this.panes.length > 1));
    this.search();
  },
  key(event) {
    const typing = event.target.closest("input, select, textarea");
    if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "/") this.box.focus();
    else if (event.key === "n") this.step(1);
    else if (event.key === "N") this.step(-1);
    else return;
    event.preventDefault();
  },
  activate(pane) {
    if (this.active === pane) return;
    this.active = pane;
    this.changed(pane);
    this.search();
  },
  report(text) {
    this.output.textContent = text;
  },

  // Search

  search() {
    const words = this.box.value.trim();
    for (const pane of this.panes) {
      const drawing = pane.view.drawing;
      const found = words && drawing ? drawing.search(words) : [];
      pane.view.matches = new Set(found);
      pane.view.redraw();
      if (pane === this.active) this.matches = found;
    }
    this.at = -1;
    this.report(words === "" ? "" : this.active.view.drawing ? `${this.matches.length} found` : "drawings only");
  },
  step(by) {
    const count = this.matches.length;
    if (count === 0) return;
    this.at = this.at < 0 ? (by > 0 ? 0 : count - 1) : (this.at + by + count) % count;
    this.active.view.select(this.matches[this.at]);
    this.report(`${this.at + 1} of ${count}`);
  },

  // What is selected

  changed(pane) {
    if (pane !== this.active) return;
    const { drawing, selected, colours } = pane.view;
    this.details.replaceChildren(...(drawing === null ? [] : selected === null ? this.summary(pane) : this.about(pane, drawing, selected)));
    this.legend.replaceChildren(...(drawing === null || !colours ? [] : this.colours(pane, colours)));
  },
  summary(pane) {
    const { chosen } = pane;
    return [make("h2", { textContent: chosen.name }), make("p", { className: "quiet", textContent: chosen.about })];
  },
  about(pane, drawing, node) {
    const text = (column) => drawing.text(column, node);
    const { data } = drawing;
    const folded = data.members !== null;
    const rows = [
      ["operation", text("kind")],
      [folded ? "holds" : "type", text("types")],
      [folded ? "of which" : "attributes", text("attributes")],
      ["bytes", data.bytes[node] > 0 ? bytes(data.bytes[node]) : ""],
      ["time", data.seconds?.[node] ? duration(data.seconds[node]) : ""],
      ["fusion", data.fusion ? drawing.strings[data.fusion[node]] : ""],
      ["result", data.results[node]?.join(", ") ?? ""],
      ["recorded", !folded && data.origin[node] >= 0 ? `operation ${data.origin[node]}` : ""],
      ["function", text("function")],
      ["line", text("line")],
    ];
    const list = make("dl");
    for (const [term, value] of rows) if (value !== "") list.append(make("dt", { textContent: term }), make("dd", { textContent: value }));
    const title = [drawing.name(node), text("label")].filter((each, i, all) => each && all.indexOf(each) === i).join("  ");
    const parts = [make("h2", { textContent: title }), list];
    if (text("code")) parts.push(make("code", { textContent: text("code") }));
    if (folded && data.members[node].length) {
      const show = make("button", { type: "button", textContent: "Show its operations", onclick: () => pane.unfold(data.members[node]) });
      parts.push(make("p", {}, show));
    }
    parts.push(...this.links(pane, "operands", drawing.operands[node].map((edge) => drawing.sources[edge])));
    parts.push(...this.links(pane, "used by", drawing.users[node].map((edge) => drawing.targets[edge])));
    return parts;
  },
  links(pane, title, nodes) {
    if (nodes.length === 0) return [];
    const { drawing } = pane.view;
    const shown = nodes.slice(0, 24).map((node) => {
      const text = [drawing.name(node), drawing.text("label", node)].filter((each, i, all) => each && all.indexOf(each) === i).join(" ");
      return make("button", { type: "button", textContent: text, onclick: () => pane.view.select(node) });
    });
    if (nodes.length > shown.length) shown.push(make("span", { className: "quiet", textContent: `and ${nodes.length - shown.length} more` }));
    return [make("h3", { textContent: title }), make("div", { className: "links" }, ...shown)];
  },
  colours(pane, { legend }) {
    const items = legend.map(([colour, text]) => {
      const swatch = make("i", colour === "ramp" ? { className: "ramp" } : {});
      if (colour !== "ramp") swatch.style.background = colour;
      return make("li", {}, swatch, text);
    });
    return [make("h3", { textContent: COLOURINGS[pane.view.colouring].label }), make("ul", {}, ...items)];
  },
};

App.start();
