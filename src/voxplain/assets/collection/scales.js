/* Two scales from 1 to 9, each value with a picture: a mouth that bends, a line that is stirred. */
const SVG = "http://www.w3.org/2000/svg";

/** A mouth, from bent down to bent up. */
export function face(value) {
  const bend = (value - 5) * 2.2;
  return picture([
    ["circle", { cx: 20, cy: 20, r: 15 }],
    ["circle", { cx: 14.5, cy: 16, r: 1, class: "eye" }],
    ["circle", { cx: 25.5, cy: 16, r: 1, class: "eye" }],
    ["path", { d: `M12.5 ${26 - bend / 3} Q20 ${26 + bend} 27.5 ${26 - bend / 3}` }],
  ]);
}

/** A line, from nearly flat and slow to high and quick. */
export function wave(value) {
  const height = 0.6 + (value - 1) * 1.75;
  const turns = 1 + (value - 1) * 0.5;
  const points = Array.from({ length: 121 }, (_, n) => {
    const phase = (n / 120) * turns * 2 * Math.PI;
    return `${(4 + (n / 120) * 32).toFixed(1)},${(20 - height * Math.sin(phase)).toFixed(1)}`;
  });
  return picture([["polyline", { points: points.join(" ") }]]);
}

function picture(shapes) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 40 40");
  svg.setAttribute("aria-hidden", "true");
  for (const [name, attributes] of shapes) {
    const shape = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) shape.setAttribute(key, value);
    svg.append(shape);
  }
  return svg;
}
