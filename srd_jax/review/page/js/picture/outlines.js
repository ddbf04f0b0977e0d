/** Draws the outlines of grana and their numbers over a micrograph. */

import { keyed, s, set } from "../core/dom.js";
import { bare } from "../core/format.js";
import { bounds, centre, contains, distance, path, stepOf, area } from "../core/geometry.js";
import { kind, kindWords, sign } from "../core/granum.js";

/** Tells whether a node shows a granum in a state already; else it is going to. */
function isSame(node, granum, state) {
  if (node.granum === granum && node.state === state) return true;
  [node.granum, node.state] = [granum, state];
  return false;
}

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
  return s("g", { "aria-hidden": "true" }, s("rect", { rx: 3 }), s("text"));
}

/**
 * Returns the layer of outlines of a viewer.
 *
 * `show(grana, {selected, second, editing, drafts})` draws grana, and lines of those yet to come;
 * `hide(whether)` hides all.
 */
export function createOutlines(viewer) {
  const shapes = s("g", { class: "grana", role: "group", "aria-label": "Outlines of grana" });
  const labels = s("g", { class: "labels" });
  const awaited = s("g", { class: "awaited", "aria-hidden": "true" });
  viewer.world.append(shapes, awaited);
  viewer.screen.append(labels);

  function placeLabels() {
    const zoom = viewer.zoom();
    for (const node of labels.children) {
      const [left, top] = viewer.toScreen(node.place);
      node.setAttribute("transform", `translate(${left.toFixed(1)} ${top.toFixed(1)})`);
      // A number larger than its granum would hide what it names.
      const tiny = node.extent * zoom < 22 && !node.classList.contains("selected");
      node.classList.toggle("tiny", tiny);
    }
  }
  viewer.watch(placeLabels);

  return {
    hide: (whether) => {
      shapes.classList.toggle("hidden", whether);
      labels.classList.toggle("hidden", whether);
    },
    show(grana, { selected = null, second = null, editing = null, drafts = [] } = {}) {
      const drawn = grana.filter((one) => one.outline.length > 2);
      const state = (one) =>
        `granum kind-${kind(one)}${one.number === selected ? " selected" : ""}` +
        `${one.pending ? ` pending ${one.pending}` : ""}` +
        `${one.number === second ? " second" : ""}${one.number === editing ? " editing" : ""}`;
      // The selected one comes last, over the others.
      const ordered = [...drawn].sort((a, b) => (a.number === selected) - (b.number === selected));
      keyed(shapes, ordered, (one) => one.number, created, (node, one) => {
        if (isSame(node, one, state(one))) return;
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
      keyed(labels, ordered, (one) => one.number, createdLabel, (node, one) => {
        if (isSame(node, one, state(one))) return;
        set(node, { class: state(one).replace("granum", "label") });
        const text = `${one.number}${sign(one) && ` ${sign(one)}`}`;
        const width = `${(text.length * 0.62 + 0.8).toFixed(2)}em`;
        node.children[1].textContent = text;
        node.children[0].style.width = width;
        node.children[0].style.x = `calc(${width} / -2)`;
        const box = bounds(one.outline);
        // That of the selected one stands at its upper end, where it hides no lamella.
        const upper = one.outline.find(([, y]) => y === box.top);
        node.place = one.number === selected ? upper : centre(one.outline);
        node.extent = Math.max(box.right - box.left, box.bottom - box.top);
      });
      keyed(awaited, drafts.map((one, i) => ({ ...one, i })), (one) => one.i, () => s("path", { class: "line" }),
        (node, one) => node.setAttribute("d", path(one.points, one.closed)));
      if (viewer.isOpen()) placeLabels();
    },
  };
}
