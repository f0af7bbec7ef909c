const dark = matchMedia("(prefers-color-scheme: dark)");
const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

const bytes = (value) => {
  for (const unit of ["B", "KiB", "MiB", "GiB"]) {
    if (value < 1024 || unit === "GiB") return `${unit === "B" ? value : value.toPrecision(3)} ${unit}`;
    value /= 1024;
  }
};
const duration = (value) =>
  value >= 1 ? `${value.toPrecision(3)} s` : value >= 1e-3 ? `${(value * 1e3).toPrecision(3)} ms` : `${(value * 1e6).toPrecision(3)} µs`;

const parts = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
const mixed = (from, to, share) => {
  const [a, b] = [parts(from), parts(to)];
  return `rgb(${a.map((value, i) => Math.round(value + (b[i] - value) * share)).join(" ")})`;
};
const light = (colour) => {
  const [r, g, b] = colour.startsWith("#") ? parts(colour) : colour.match(/\d+/g).map(Number);
  return 0.299 * r + 0.587 * g + 0.114 * b > 140;
};

/** What boxes are coloured by; each gives a colour per node, or null, and a legend. */
const COLOURINGS = {
  kind: {
    label: "kind of operation",
    has: () => true,
    of(drawing) {
      const shade = (family) => PAGE.palette[family][dark.matches ? 1 : 0];
      const used = [...new Set(drawing.data.family)].map((index) => drawing.strings[index]);
      const order = Object.keys(PAGE.palette).filter((family) => used.includes(family));
      return { colour: (node) => shade(drawing.text("family", node)), legend: order.map((family) => [shade(family), family]) };
    },
  },
  memory: {
    label: "memory (bytes of results)",
    has: () => true,
    of: (drawing) => ramp(drawing, drawing.data.bytes, bytes),
  },
  time: {
    label: "time of the recorded operation",
    has: (drawing) => drawing.data.seconds !== null,
    of: (drawing) => ramp(drawing, drawing.data.seconds, duration),
  },
  fusion: {
    label: "fusion",
    has: (drawing) => drawing.data.fusion !== null,
    of(drawing) {
      const groups = [...new Set(drawing.data.fusion)].filter((group) => drawing.strings[group] !== "");
      const hue = new Map(groups.map((group, i) => [group, (i * 137.5) % 360]));
      const shade = (group) => toHex(hue.get(group), dark.matches ? 0.45 : 0.65, dark.matches ? 0.34 : 0.8);
      return {
        colour: (node) => (hue.has(drawing.data.fusion[node]) ? shade(drawing.data.fusion[node]) : null),
        legend: groups.slice(0, 30).map((group) => [shade(group), drawing.strings[group]]),
      };
    },
  },
};

/** Colours from cool to hot, by the logarithm of a value. */
function ramp(drawing, values, show) {
  let [low, high] = [Infinity, 0];
  for (const value of values) if (value > 0) [low, high] = [Math.min(low, value), Math.max(high, value)];
  const [cool, hot] = [style("--cool"), style("--hot")];
  const share = (value) => (high > low ? Math.log(value / low) / Math.log(high / low) : 0.5);
  return {
    colour: (node) => (values[node] > 0 ? mixed(cool, hot, share(values[node])) : null),
    legend: high === 0 ? [] : [low < high ? ["ramp", `${show(low)} to ${show(high)}`] : [mixed(cool, hot, 0.5), show(low)]],
  };
}

function toHex(hue, saturation, lightness) {
  const part = (n) => {
    const k = (n + hue / 30) % 12;
    const value = lightness - saturation * Math.min(lightness, 1 - lightness) * Math.max(-1, Math.min(k - 3, 9 - k, 1));
    return Math.round(255 * value).toString(16).padStart(2, "0");
  };
  return `#${part(0)}${part(8)}${part(4)}`;
}
