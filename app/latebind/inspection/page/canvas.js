const ZOOM = { least: 0.002, most: 4, readable: 0.85 };
/** Below these scales boxes have no text, and no outline. */
const [TEXT_FROM, OUTLINE_FROM] = [0.33, 0.12];

/** A drawing on a canvas: moved, zoomed, selected. Only what is in sight is drawn. */
class View {
  constructor(canvas, changed) {
    this.canvas = canvas;
    this.changed = changed;
    this.drawing = null;
    this.selected = null;
    this.matches = new Set();
    this.scale = 1;
    [this.left, this.top] = [0, 0];
    this.waiting = false;
    new ResizeObserver(() => this.resize()).observe(canvas);
    dark.addEventListener("change", () => this.recolour());
    this._listen();
  }
  show(drawing, colouring) {
    this.drawing = drawing;
    this.colouring = colouring;
    this.selected = null;
    this.matches = new Set();
    this.recolour();
    this.fit();
  }
  recolour() {
    if (this.drawing === null) return;
    this.colours = COLOURINGS[this.colouring].of(this.drawing);
    this.ink = Object.fromEntries(["card", "edge", "ink", "accent", "match"].map((name) => [name, style(`--${name}`)]));
    this.changed();
    this.redraw();
  }
  resize() {
    const ratio = devicePixelRatio || 1;
    this.canvas.width = Math.round(this.canvas.clientWidth * ratio);
    this.canvas.height = Math.round(this.canvas.clientHeight * ratio);
    const [w, h] = this.size ?? [0, 0];
    this.size = [this.canvas.clientWidth, this.canvas.clientHeight];
    if (this.fitted || this.unseen) this.opened ? this.open() : this.fit();
    else {
      // What was in the middle stays there.
      this.left += (w - this.size[0]) / 2 / this.scale;
      this.top += (h - this.size[1]) / 2 / this.scale;
    }
    this.redraw();
  }
  /** Show all of it; or its beginning, where all of it would be too small to see. */
  fit() {
    const [w, h] = [this.canvas.clientWidth, this.canvas.clientHeight];
    this.unseen = w === 0 || h === 0;
    [this.fitted, this.opened] = [true, false];
    if (this.drawing === null || this.unseen) return;
    const all = Math.min(w / (this.drawing.width + 20), h / (this.drawing.height + 20), 1.2);
    this.whole = all;
    this.scale = Math.max(all, ZOOM.least);
    this.left = (this.drawing.width - w / this.scale) / 2;
    this.top = (this.drawing.height - h / this.scale) / 2;
    this.redraw();
  }
  /** Where a drawing is opened: all of it if its boxes can be told apart, else its first layers. */
  open() {
    this.fit();
    this.opened = true;
    if (this.drawing === null || this.unseen || this.scale >= TEXT_FROM || this.drawing.count === 0) return;
    const first = this.drawing.rows.find((row) => row.length > 0);
    this.scale = 0.6;
    this.left = this.drawing.data.x[first[first.length >> 1]] - this.canvas.clientWidth / this.scale / 2;
    this.top = -LAYER / 2;
    this.redraw();
  }
  /** Zoom about a point of the canvas. */
  zoom(factor, x = this.canvas.clientWidth / 2, y = this.canvas.clientHeight / 2) {
    const scale = Math.min(ZOOM.most, Math.max(Math.min(ZOOM.least, this.whole ?? 1), this.scale * factor));
    this.left += x / this.scale - x / scale;
    this.top += y / this.scale - y / scale;
    this.scale = scale;
    this.fitted = false;
    this.redraw();
  }
  pan(x, y) {
    this.left += x / this.scale;
    this.top += y / this.scale;
    this.fitted = false;
    this.redraw();
  }
  focusOn(nodes) {
    const [left, top, right, bottom] = this.drawing.bounds(nodes);
    this.fitted = false;
    const [w, h] = [this.canvas.clientWidth, this.canvas.clientHeight];
    const fits = Math.min(w / (right - left + 120), h / (bottom - top + 120));
    if (nodes.length > 1) this.scale = Math.min(ZOOM.readable, Math.max(fits, ZOOM.least));
    else if (this.scale < 0.5) this.scale = ZOOM.readable;
    this.left = (left + right - w / this.scale) / 2;
    this.top = (top + bottom - h / this.scale) / 2;
    this.redraw();
  }
  select(node, { show = true } = {}) {
    this.selected = node;
    if (node !== null && show) this.focusOn([node]);
    this.changed();
    this.redraw();
  }
  place(event) {
    const box = this.canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }
  hit(x, y) {
    return this.drawing?.at(x / this.scale + this.left, y / this.scale + this.top) ?? null;
  }
  /** Where a node is on the canvas. */
  spot(node) {
    return [(this.drawing.data.x[node] - this.left) * this.scale, (this.drawing.y(node) - this.top) * this.scale];
  }
  _listen() {
    const canvas = this.canvas;
    let drag = null;
    canvas.addEventListener("pointerdown", (event) => {
      drag = { at: this.place(event), moved: false };
      canvas.setPointerCapture(event.pointerId);
    });
    canvas.addEventListener("pointermove", (event) => {
      const [x, y] = this.place(event);
      if (drag === null) {
        canvas.classList.toggle("on", this.hit(x, y) !== null);
        return;
      }
      if (!drag.moved && Math.hypot(x - drag.at[0], y - drag.at[1]) < 4) return;
      this.pan(drag.at[0] - x, drag.at[1] - y);
      drag = { at: [x, y], moved: true };
    });
    canvas.addEventListener("pointerup", (event) => {
      if (drag !== null && !drag.moved) this.select(this.hit(...this.place(event)), { show: false });
      drag = null;
    });
    canvas.addEventListener("pointercancel", () => (drag = null));
    canvas.addEventListener("dblclick", (event) => this.zoom(1.8, ...this.place(event)));
    canvas.addEventListener("wheel", (event) => {
      event.preventDefault();
      this.zoom(Math.exp(-event.deltaY * (event.deltaMode === 1 ? 0.05 : 0.0015)), ...this.place(event));
    }, { passive: false });
    canvas.addEventListener("keydown", (event) => {
      if (this.drawing !== null && !event.ctrlKey && !event.metaKey && !event.altKey && this._key(event)) event.preventDefault();
    });
  }
  _key(event) {
    const arrows = { ArrowUp: [0, -70], ArrowDown: [0, 70], ArrowLeft: [-70, 0], ArrowRight: [70, 0] };
    if (event.key in arrows) {
      if (this.selected === null || event.shiftKey) this.pan(...arrows[event.key]);
      else this._walk(event.key);
    } else if (event.key === "+" || event.key === "=") this.zoom(1.3);
    else if (event.key === "-") this.zoom(1 / 1.3);
    else if (event.key === "0") this.fit();
    else if (event.key === "Escape") this.select(null);
    else if (event.key === "Enter") this._selectMiddle();
    else return false;
    return true;
  }
  _selectMiddle() {
    const [x, y] = [this.canvas.clientWidth / 2, this.canvas.clientHeight / 2];
    this.select(this.drawing.nearest(x / this.scale + this.left, y / this.scale + this.top));
  }
  _walk(key) {
    const { drawing, selected } = this;
    const row = drawing.rows[drawing.data.at[selected]];
    const at = row.indexOf(selected);
    const next = {
      ArrowUp: () => drawing.sources[drawing.operands[selected][0]],
      ArrowDown: () => drawing.targets[drawing.users[selected][0]],
      ArrowLeft: () => row[at - 1],
      ArrowRight: () => row[at + 1],
    }[key]();
    if (next !== undefined) this.select(next);
  }

  // Drawing

  redraw() {
    if (this.waiting) return;
    this.waiting = true;
    requestAnimationFrame(() => {
      this.waiting = false;
      this.draw();
    });
  }
  draw() {
    const { canvas, drawing } = this;
    const context = canvas.getContext("2d");
    const ratio = devicePixelRatio || 1;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, canvas.width, canvas.height);
    if (drawing === null) return;
    const scale = this.scale * ratio;
    context.setTransform(scale, 0, 0, scale, -this.left * scale, -this.top * scale);
    const sight = [this.left, this.top, this.left + canvas.clientWidth / this.scale, this.top + canvas.clientHeight / this.scale];
    const edges = this._edges(context, sight);
    let drawn = 0;
    context.textAlign = "center";
    for (const node of drawing.within(...sight)) {
      this._box(context, node);
      drawn++;
    }
    Object.assign(canvas.dataset, { nodes: drawing.count, drawn, edges, scale: this.scale.toFixed(4), selected: this.selected ?? "" });
  }
  _edges(context, [left, top, right, bottom]) {
    const { drawing, selected } = this;
    const boxes = drawing.boxes;
    const curved = this.scale >= OUTLINE_FROM;
    let count = 0;
    context.beginPath();
    for (let edge = 0, at = 0; edge < drawing.sources.length; edge++, at += 4) {
      if (boxes[at] > right || boxes[at + 2] < left || boxes[at + 1] > bottom || boxes[at + 3] < top) continue;
      this._curve(context, edge, curved);
      count++;
    }
    context.strokeStyle = this.ink.edge;
    context.lineWidth = Math.max(1.2, 0.7 / this.scale);
    context.stroke();
    if (selected !== null) {
      context.beginPath();
      for (const edge of [...drawing.operands[selected], ...drawing.users[selected]]) this._curve(context, edge, curved);
      context.strokeStyle = this.ink.accent;
      context.lineWidth = Math.max(2.4, 1.4 / this.scale);
      context.stroke();
    }
    return count;
  }
  _curve(context, edge, curved) {
    const points = this.drawing.points(edge);
    context.moveTo(...points[0]);
    for (let i = 1; i < points.length; i++) {
      const [[x0, y0], [x1, y1]] = [points[i - 1], points[i]];
      if (curved) context.bezierCurveTo(x0, (y0 + y1) / 2, x1, (y0 + y1) / 2, x1, y1);
      else context.lineTo(x1, y1);
    }
    if (this.scale < TEXT_FROM) return;
    const [[, before], [x, y]] = points.slice(-2);
    const step = y >= before ? 6 : -6;
    context.moveTo(x - 3.5, y - step);
    context.lineTo(x, y);
    context.lineTo(x + 3.5, y - step);
  }
  _box(context, node) {
    const { drawing } = this;
    const data = drawing.data;
    const [x, y, w] = [data.x[node], drawing.y(node), data.w[node]];
    const fill = this.colours.colour(node) ?? this.ink.card;
    context.fillStyle = fill;
    const marked = node === this.selected ? this.ink.accent : this.matches.has(node) ? this.ink.match : null;
    if (this.scale < OUTLINE_FROM) {
      // At least a pixel and a half, so that nothing vanishes.
      const [wide, high] = [Math.max(w, 1.5 / this.scale), Math.max(BOX, 1.5 / this.scale)];
      if (marked) context.fillStyle = marked;
      context.fillRect(x - wide / 2, y - high / 2, wide, high);
      return;
    }
    context.beginPath();
    context.roundRect(x - w / 2, y - BOX / 2, w, BOX, 6);
    context.fill();
    context.strokeStyle = marked ?? (data.results[node] ? this.ink.ink : this.ink.edge);
    context.lineWidth = marked ? Math.max(3, 2 / this.scale) : data.results[node] ? 2 : 1;
    context.stroke();
    if (this.scale < TEXT_FROM) return;
    context.fillStyle = light(fill) ? "#0f172a" : "#f8fafc";
    context.font = "11px ui-monospace, monospace";
    context.fillText(cut(drawing.text("label", node)), x, y - 3);
    context.globalAlpha = 0.75;
    context.font = "9.5px ui-monospace, monospace";
    context.fillText(cut(drawing.text("types", node)), x, y + 11);
    context.globalAlpha = 1;
  }
}

const cut = (text) => (text.length <= PAGE.label_length ? text : `${text.slice(0, PAGE.label_length - 1)}…`);
