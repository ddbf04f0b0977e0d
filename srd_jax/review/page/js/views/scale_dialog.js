/** The dialog in which a line is drawn over a burnt-in scale bar and its length is typed. */

import { h, set } from "../core/dom.js";
import { number } from "../core/format.js";
import { distance, rounded, within } from "../core/geometry.js";
import { createMarks } from "../picture/marks.js";
import { createViewer } from "../picture/viewer.js";

// Bars are burnt in level; a line that is nearly so is meant to be.
const LEVEL_DEGREES = 4;

function levelled([x, y], [u, v]) {
  const degrees = (Math.atan2(Math.abs(y - v), Math.abs(x - u)) * 180) / Math.PI;
  return degrees < LEVEL_DEGREES ? [x, v] : [x, y];
}

/** Returns the dialog; `ask(row)` resolves to {px, nm}, or null where it was left. */
export function createScaleDialog({ notices }) {
  const picture = h("div", { class: "viewer", test: "scale-viewer" });
  const length = h("b", { test: "scale-px" });
  const nm = h("input", { class: "short", inputmode: "decimal", test: "scale-nm", "aria-label": "length of the bar in nm" });
  const found = h("span", { class: "muted", test: "scale-result" });
  const form = h("form", { class: "inline", onsubmit: (event) => {
    event.preventDefault();
    take();
  } }, length, h("span", {}, "are"), nm, h("span", {}, "nm"), found, h("span", { class: "gap" }),
    h("button", { type: "button", test: "scale-again", onclick: () => restart() }, "New line"),
    h("button", { type: "button", test: "scale-cancel", onclick: () => dialog.close() }, "Cancel"),
    h("button", { class: "primary", test: "scale-ok" }, "Set the scale"));
  const title = h("h2");
  const dialog = h("dialog", { class: "scale-dialog", test: "scale-dialog", "aria-label": "Scale bar" },
    h("header", {}, title, h("p", { class: "muted" }, "Zoom to the scale bar, click its two ends, type its length. Ends can be dragged.")),
    picture, form);
  document.body.append(dialog);
  let [viewer, marks, ends, pointer, dragged, done] = [null, null, [], null, null, null];

  const typed = () => Number(nm.value.trim().replace(",", "."));
  function paint() {
    const line = ends.length === 1 && pointer ? [ends[0], pointer] : ends;
    marks.show({
      lines: [{ class: "draft-halo", points: line }, { class: "draft", points: line }],
      handles: ends.map((at, i) => ({ key: `end-${i}`, index: i, at, kind: "end", active: true, label: `end ${i + 1} of the bar` })),
    });
    const px = line.length === 2 ? distance(...line) : 0;
    length.textContent = px ? `${number(px, 1)} px` : "… px";
    found.textContent = px && typed() > 0 ? `= ${number(px / typed(), 4)} px/nm` : "";
  }
  nm.addEventListener("input", paint);

  function restart() {
    ends = [];
    pointer = null;
    paint();
  }

  function create() {
    viewer = createViewer(picture, {
      click(place) {
        if (ends.length === 2) return;
        const at = within(place, viewer.size);
        ends.push(rounded(ends.length ? levelled(at, ends[0]) : at));
        paint();
        if (ends.length === 2) nm.focus();
      },
      move(place) {
        pointer = ends.length === 1 ? levelled(within(place, viewer.size), ends[0]) : null;
        if (ends.length === 1) paint();
      },
    });
    marks = createMarks(viewer);
    marks.onHandle("pointerdown", ({ index, key }, event) => {
      dragged = index;
      viewer.screen.querySelector(`[data-testid="${key}"]`).setPointerCapture(event.pointerId);
    });
    marks.onHandle("pointermove", (_, event) => {
      if (dragged === null) return;
      const at = within(viewer.placeOf(event), viewer.size);
      ends[dragged] = rounded(ends.length === 2 ? levelled(at, ends[1 - dragged]) : at);
      paint();
    });
    marks.onHandle("pointerup", () => (dragged = null));
  }

  function take() {
    if (ends.length < 2) notices.warn("Click both ends of the scale bar first.");
    else if (!(typed() > 0)) notices.warn("The length of the bar is a number of nm above 0.");
    else {
      done({ px: distance(...ends), nm: typed() });
      dialog.close();
    }
  }
  dialog.addEventListener("close", () => done?.(null));

  return {
    async ask(row) {
      title.textContent = `Scale bar of ${row.name}`;
      dialog.showModal();
      if (!viewer) create();
      const answer = new Promise((resolve) => (done = resolve));
      try {
        // The bar may stand on the strip that the analysis cuts off.
        await viewer.open(row.whole ?? row.tiles, row);
        set(nm, { value: String(row.given?.bar_nm ?? row.bar_nm ?? "") });
        restart();
        viewer.home();
        document.body.dataset.scaleReady = row.name;
      } catch (error) {
        viewer.opened = null;
        notices.error(error.message);
        dialog.close();
      }
      return answer;
    },
  };
}
