/** Draws the outlines of grana and their numbers over a micrograph. */

import { keyed, s, set } from "../core/dom.js";
import { bare } from "../core/format.js";
import { bounds, centre, contains, distance, path, stepOf, area } from "../core/geometry.js";
import { kind, kindWords, sign } from "../core/granum.js";

const LABEL_PX = 11;

/** Returns the smallest granum at a point; null where there is none. */
export function granumAt(grana, place) {
  const hit = grana.filter((one) => one.outline.length > 2 && contains(one.outline, place));
  hit.sort((a, b) => Math.abs(area(a.outline)) - Math.abs(area(b.outline)));
  return hit[0] ?? null;
}

/** Returns the ends of a line through a granum along its lamellae; null without a direction. */
export function axisOf(granum) {
  const degrees = bare(granum.direction_deg);
  if (degrees === null || granum.outline.length < 3) return null;
  const [x, y] = centre(granum.outline);
  const { left, top, right, bottom } = bounds(granum.outline);
  const reach = 0.5 * Math.max(distance([left, top], [right, bottom]) * 0.7, 10);
  const [u, v] = stepOf(degrees);
  return [
    [x - u * reach, y - v * reach],
    [x + u * reach, y + v * reach],
  ];
}

function created(granum) {
  return s(
    "g",
    { "data-testid": `outline-${granum.number}`, "data-number": granum.number },
    s("path", { class: "halo" }),
    s("path", { class: "line" }),
    s("path", { class: "axis" }),
  );
}

function createdLabel() {
  return s("g", { "aria-hidden": "true" }, s("rect", { rx: 3, height: 17, y: -8.5 }), s("text", { y: 4 }));
}

/**
 * Returns the layer of outlines of a viewer.
 *
 * `show(grana, {selected, second, editing})` draws grana; `hide(whether)` hides all.
 */
export function createOutlines(viewer) {
  const shapes = s("g", { class: "grana", role: "group", "aria-label": "Outlines of grana" });
  const labels = s("g", { class: "labels" });
  viewer.world.append(shapes);
  viewer.screen.append(labels);
  let shown = [];

  function placeLabels() {
    const zoom = viewer.zoom();
    for (const [node, x, y, extent] of shown) {
      const [left, top] = viewer.toScreen([x, y]);
      node.setAttribute("transform", `translate(${left.toFixed(1)} ${top.toFixed(1)})`);
      // A number larger than its granum would hide what it names.
      const tiny = extent * zoom < 22 && !node.classList.contains("selected");
      node.classList.toggle("tiny", tiny);
    }
  }
  viewer.watch(placeLabels);

  return {
    hide: (whether) => {
      shapes.classList.toggle("hidden", whether);
      labels.classList.toggle("hidden", whether);
    },
    show(grana, { selected = null, second = null, editing = null } = {}) {
      const drawn = grana.filter((one) => one.outline.length > 2);
      const state = (one) =>
        `granum kind-${kind(one)}${one.number === selected ? " selected" : ""}` +
        `${one.number === second ? " second" : ""}${one.number === editing ? " editing" : ""}`;
      // The selected one comes last, over the others.
      const ordered = [...drawn].sort((a, b) => (a.number === selected) - (b.number === selected));
      keyed(shapes, ordered, (one) => one.number, created, (node, one) => {
        const d = path(one.outline);
        const axis = one.number === selected ? axisOf(one) : null;
        set(node, {
          class: state(one),
          role: "img",
          "aria-label": `granum ${one.number}, ${kindWords(one)}`,
          "data-kind": kind(one),
        });
        node.children[0].setAttribute("d", d);
        node.children[1].setAttribute("d", d);
        node.children[2].setAttribute("d", axis ? path(axis, false) : "");
      });
      shown = [];
      keyed(labels, ordered, (one) => one.number, createdLabel, (node, one) => {
        set(node, { class: state(one).replace("granum", "label") });
        const text = `${one.number}${sign(one) && ` ${sign(one)}`}`;
        const width = text.length * LABEL_PX * 0.62 + 9;
        node.children[1].textContent = text;
        set(node.children[0], { width, x: -width / 2 });
        const box = bounds(one.outline);
        const [x, y] = centre(one.outline);
        const at = one.number === selected ? [x, box.top] : [x, y];
        shown.push([node, ...at, Math.max(box.right - box.left, box.bottom - box.top)]);
      });
      if (viewer.osd.world.getItemCount()) placeLabels();
    },
  };
}
