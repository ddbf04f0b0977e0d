/** Plane geometry of polygons, [[x, y], …] in px, x right and y down. */

/** Returns the signed area by the shoelace formula. */
export function area(polygon) {
  let sum = 0;
  polygon.forEach(([x, y], i) => {
    const [u, v] = polygon[(i + 1) % polygon.length];
    sum += x * v - u * y;
  });
  return sum / 2;
}

/** Returns the centre of mass; the mean of the corners where the area is nothing. */
export function centre(polygon) {
  const [x0, y0] = polygon[0];
  let [sum, x, y] = [0, 0, 0];
  polygon.forEach(([a, b], i) => {
    const [c, d] = polygon[(i + 1) % polygon.length];
    const cross = (a - x0) * (d - y0) - (c - x0) * (b - y0);
    sum += cross;
    x += (a + c - 2 * x0) * cross;
    y += (b + d - 2 * y0) * cross;
  });
  if (Math.abs(sum) > 1e-9) return [x0 + x / (3 * sum), y0 + y / (3 * sum)];
  const mean = (k) => polygon.reduce((total, corner) => total + corner[k], 0) / polygon.length;
  return [mean(0), mean(1)];
}

/** Tells whether a point lies inside, by the even-odd rule. */
export function contains(polygon, [x, y]) {
  let inside = false;
  polygon.forEach(([a, b], i) => {
    const [c, d] = polygon[(i + 1) % polygon.length];
    if (b > y !== d > y && x < a + ((y - b) * (c - a)) / (d - b)) inside = !inside;
  });
  return inside;
}

/** Returns {left, top, right, bottom}. */
export function bounds(polygon) {
  const xs = polygon.map(([x]) => x);
  const ys = polygon.map(([, y]) => y);
  return {
    left: Math.min(...xs),
    top: Math.min(...ys),
    right: Math.max(...xs),
    bottom: Math.max(...ys),
  };
}

/** Returns the distance of two points. */
export const distance = ([a, b], [c, d]) => Math.hypot(a - c, b - d);

/** Returns the point halfway. */
export const middle = ([a, b], [c, d]) => [(a + c) / 2, (b + d) / 2];

/** Returns a point moved back onto the picture. */
export const within = ([x, y], { columns, rows }) => [
  Math.min(Math.max(x, 0), columns),
  Math.min(Math.max(y, 0), rows),
];

/** Returns a point with two decimals, finer than any outline. */
export const rounded = ([x, y]) => [Math.round(x * 100) / 100, Math.round(y * 100) / 100];

/** Returns degrees counter-clockwise from the horizontal as seen, 0 to 180, of a step right, down. */
export const directionOf = (right, down) =>
  (((Math.atan2(-down, right) * 180) / Math.PI) % 180 + 180) % 180;

/** Returns the unit step right and down of a direction in degrees. */
export function stepOf(degrees) {
  const turn = (degrees * Math.PI) / 180;
  return [Math.cos(turn), -Math.sin(turn)];
}

/** Returns the path of a polygon or an open line as SVG's `d`. */
export const path = (points, closed = true) =>
  points.length ? `M${points.map(([x, y]) => `${x} ${y}`).join("L")}${closed ? "Z" : ""}` : "";
