const make = (tag, properties = {}, ...children) => {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
};
const loaded = new Map();
/** Data of one view; parsed when it is first shown. */
const load = (id) => {
  if (!loaded.has(id)) loaded.set(id, JSON.parse(document.getElementById(id).textContent));
  return loaded.get(id);
};

/** A graph in one of its forms, with what it is shown by. */
class Pane {
  constructor(started) {
    this.drawings = new Map();
    this.graph = this._choice("Graph", PAGE.graphs.map((graph, i) => [String(i), `${i + 1}: ${graph.name}, ${graph.operations} operations`]));
    this.form = this._choice("Show", []);
    this.fold = this._choice("Fold by", [["", "nothing"], ["line", "source line"], ["function", "function"]]);
    this.colour = this._choice("Colour by", Object.entries(COLOURINGS).map(([key, { label }]) => [key, label]));
    this.about = make("span", { className: "about" });
    this.canvas = make("canvas", { tabIndex: 0 });
    this.canvas.setAttribute("role", "application");
    this.pre = make("pre", { tabIndex: 0, hidden: true });
    const buttons = [["+", "Zoom in", () => this.view.zoom(1.4)], ["−", "Zoom out", () => this.view.zoom(1 / 1.4)], ["Fit", "Show everything", () => this.view.fit()]];
    this.zooming = buttons.map(([text, title, act]) => {
      const button = make("button", { type: "button", textContent: text, title, onclick: act });
      button.setAttribute("aria-label", title);
      return button;
    });
    const bar = make("div", { className: "bar" }, ...[this.graph, this.form, this.fold, this.colour].map((each) => each.parentElement), ...this.zooming);
    this.graph.parentElement.hidden = PAGE.graphs.length < 2;
    this.element = make("section", { className: "pane" }, bar, make("div", { className: "stage" }, this.canvas, this.pre, this.about));
    this.element.pane = this;
    this.view = new View(this.canvas, () => App.changed(this));
    this.graph.addEventListener("change", () => this.showForms());
    for (const select of [this.form, this.fold]) select.addEventListener("change", () => this.show());
    this.colour.addEventListener("change", () => {
      this.view.colouring = this.colour.value;
      this.view.recolour();
    });
    for (const kind of ["pointerdown", "focusin"]) this.element.addEventListener(kind, () => App.activate(this));
    if (started) [this.graph.value] = [started.graph.value];
  }
  _choice(label, options) {
    const select = make("select");
    select.setAttribute("aria-label", label);
    this._fill(select, options);
    make("label", {}, label, select);
    return select;
  }
  _fill(select, options) {
    select.replaceChildren(...options.map(([value, text]) => make("option", { value, textContent: text })));
  }
  get chosen() {
    return PAGE.graphs[Number(this.graph.value)];
  }
  /** Offer what there is of the graph: each stage as a drawing and as text, and the backends' own texts. */
  showForms(wanted) {
    const group = (label, forms) => {
      const options = forms.map(({ id, title }) => make("option", { value: id, textContent: title }));
      const made = make("optgroup", { label }, ...options);
      return options.length ? [made] : [];
    };
    const { views, texts } = this.chosen;
    const before = wanted ?? this.form.value;
    this.form.replaceChildren(
      ...group("Drawing", views),
      ...group("Text", views.filter((view) => view.text).map((view) => ({ id: `${view.id} text`, title: `${view.title}, text` }))),
      ...group("The backend's own text", texts),
    );
    const same = [...this.form.options].find((option) => option.value === before);
    if (same) same.selected = true;
    this.show();
  }
  show() {
    const [id, as] = this.form.value.split(" ");
    const data = load(id);
    const text = typeof data === "string" ? data : as === "text" ? data.text : null;
    const drawn = text === null;
    this.pre.hidden = drawn;
    this.canvas.hidden = !drawn;
    for (const each of [this.fold.parentElement, this.colour.parentElement, ...this.zooming]) each.hidden = !drawn;
    this.pre.textContent = text ?? "";
    this.about.textContent = drawn ? data.about : "";
    if (drawn) this.draw(id, data);
    else {
      this.view.drawing = null;
      App.changed(this);
    }
    App.search();
  }
  draw(id, data) {
    const key = `${id} ${this.fold.value}`;
    if (!this.drawings.has(key)) this.drawings.set(key, new Drawing(this.fold.value ? data.folds[this.fold.value] : data.drawing, PAGE.strings));
    const drawing = this.drawings.get(key);
    for (const option of this.colour.options) option.hidden = option.disabled = !COLOURINGS[option.value].has(drawing);
    if (this.colour.selectedOptions[0]?.disabled) this.colour.value = "kind";
    this.canvas.setAttribute("aria-label", `${this.chosen.name}, ${data.title}: ${drawing.count} boxes. Enter selects one, arrows walk along the graph.`);
    this.view.show(drawing, this.colour.value);
    this.view.open();
  }
  /** Unfold, with the operations of a folded box marked. */
  unfold(members) {
    this.fold.value = "";
    this.show();
    this.view.matches = new Set(members);
    this.view.focusOn(members);
    App.report(`${members.length} operations`);
  }
}
