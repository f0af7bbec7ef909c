const LAYER = PAGE.layer_height;
const BOX = PAGE.box_height;

/** One drawing as it comes from the page's data, with what is looked up while it is drawn. */
class Drawing {
  constructor(data, strings) {
    this.data = data;
    this.strings = strings;
    this.count = data.x.length;
    this.sources = data.edges.filter((_, i) => i % 2 === 0);
    this.targets = data.edges.filter((_, i) => i % 2 === 1);
    this.width = data.width;
    this.height = data.height;
    this.rows = [];
    for (let node = 0; node < this.count; node++) (this.rows[data.at[node]] ??= []).push(node);
    for (let row = 0; row < this.rows.length; row++) (this.rows[row] ??= []).sort((a, b) => data.x[a] - data.x[b]);
    this.reach = Math.max(0, ...this.rows.map((row) => row.reduce((most, node) => Math.max(most, data.w[node]), 0)));
    this.operands = Array.from({ length: this.count }, () => []);
    this.users = Array.from({ length: this.count }, () => []);
    this.sources.forEach((source, edge) => {
      this.users[source].push(edge);
      this.operands[this.targets[edge]].push(edge);
    });
    this._measureEdges();
  }
  text(column, node) {
    return this.strings[this.data[column][node]];
  }
  name(node) {
    if (this.data.parameters === null) return "";
    return node < this.data.parameters ? `%arg${node}` : `%${node - this.data.parameters}`;
  }
  y(node) {
    return (this.data.at[node] + 0.5) * LAYER;
  }
  /** Points of an edge: from below the box of the operand, through the bends, to above the box of the user. */
  points(edge) {
    const [source, target] = [this.sources[edge], this.targets[edge]];
    const step = this.data.at[target] >= this.data.at[source] ? 1 : -1;
    const bends = this.data.bends[edge] ?? [];
    return [
      [this.data.x[source], this.y(source) + (step * BOX) / 2],
      ...bends.map((x, i) => [x, (this.data.at[source] + step * (i + 1) + 0.5) * LAYER]),
      [this.data.x[target], this.y(target) - (step * BOX) / 2],
    ];
  }
  _measureEdges() {
    const count = this.sources.length;
    this.boxes = new Float64Array(4 * count);
    for (let edge = 0; edge < count; edge++) {
      const [a, b] = [this.sources[edge], this.targets[edge]];
      const xs = [this.data.x[a], this.data.x[b], ...(this.data.bends[edge] ?? [])];
      const [ya, yb] = [this.y(a), this.y(b)];
      this.boxes.set([Math.min(...xs), Math.min(ya, yb), Math.max(...xs), Math.max(ya, yb)], 4 * edge);
    }
  }
  /** Nodes that a rectangle of the drawing touches. */
  *within(left, top, right, bottom) {
    const first = Math.max(0, Math.floor((top - BOX) / LAYER));
    const last = Math.min(this.rows.length - 1, Math.ceil((bottom + BOX) / LAYER));
    for (let at = first; at <= last; at++) {
      const row = this.rows[at];
      let [low, high] = [0, row.length];
      while (low < high) {
        const middle = (low + high) >> 1;
        if (this.data.x[row[middle]] < left - this.reach / 2) low = middle + 1;
        else high = middle;
      }
      for (; low < row.length && this.data.x[row[low]] <= right + this.reach / 2; low++) yield row[low];
    }
  }
  at(x, y) {
    for (const node of this.within(x, y, x, y)) {
      if (Math.abs(this.data.x[node] - x) <= this.data.w[node] / 2 && Math.abs(this.y(node) - y) <= BOX / 2) return node;
    }
    return null;
  }
  nearest(x, y) {
    let [best, least] = [null, Infinity];
    for (let node = 0; node < this.count; node++) {
      const distance = Math.hypot(this.data.x[node] - x, this.y(node) - y);
      if (distance < least) [best, least] = [node, distance];
    }
    return best;
  }
  /** Nodes with a text that holds the words; each distinct text is looked at once. */
  search(words) {
    if (/^%(arg)?\d+$/.test(words)) {
      const found = Number(words.replace(/\D+/, "")) + (words.startsWith("%arg") ? 0 : this.data.parameters ?? 0);
      return this.data.parameters !== null && found < this.count && this.name(found) === words ? [found] : [];
    }
    const wanted = words.toLowerCase();
    const known = new Map();
    const has = (index) => {
      if (!known.has(index)) known.set(index, this.strings[index].toLowerCase().includes(wanted));
      return known.get(index);
    };
    const columns = ["label", "kind", "types", "attributes", "line", "function"].map((name) => this.data[name]);
    const found = [];
    for (let node = 0; node < this.count; node++) if (columns.some((column) => has(column[node]))) found.push(node);
    return found;
  }
  bounds(nodes) {
    let box = [Infinity, Infinity, -Infinity, -Infinity];
    for (const node of nodes) {
      const half = this.data.w[node] / 2;
      box = [
        Math.min(box[0], this.data.x[node] - half), Math.min(box[1], this.y(node) - BOX / 2),
        Math.max(box[2], this.data.x[node] + half), Math.max(box[3], this.y(node) + BOX / 2),
      ];
    }
    return box;
  }
}
