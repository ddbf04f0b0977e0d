/** Draws a scale bar of a round length, which follows the zoom. */

import { h } from "../core/dom.js";

const WIDEST_PX = 170;

/** Returns the largest of 1, 2, 5, 10, … that isn't over a limit. */
export function roundBelow(limit) {
  const power = 10 ** Math.floor(Math.log10(limit));
  return [5, 2, 1].find((step) => step * power <= limit) * power;
}

/** Returns the bar's element and a function that sets its px per nm; null: px of the micrograph. */
export function createScaleBar(viewer) {
  const line = h("span", { class: "scale-line" });
  const words = h("span", { class: "scale-words" });
  const node = h("div", { class: "scale-bar", test: "scale-bar" }, words, line);
  let pxPerNm = null;

  function draw() {
    if (!viewer.isOpen()) return;
    const each = viewer.zoom() * (pxPerNm ?? 1);
    const length = roundBelow(WIDEST_PX / each);
    line.style.width = `${length * each}px`;
    const micro = pxPerNm && length >= 1000;
    words.textContent = pxPerNm ? (micro ? `${length / 1000} µm` : `${length} nm`) : `${length} px`;
  }
  viewer.watch(draw);
  return {
    node,
    setScale(found) {
      pxPerNm = found;
      draw();
    },
  };
}
