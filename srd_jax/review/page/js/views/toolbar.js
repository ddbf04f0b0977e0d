/** The buttons beside the picture. */

import { h, set } from "../core/dom.js";
import { icon } from "../core/icons.js";

const BUTTONS = [
  ["edit", "Edit the outline", "E"],
  ["turn", "Turn the direction", "T"],
  ["draw", "Draw a granum", "D"],
  ["cut", "Cut in two", "K"],
  ["join", "Join with another", "J"],
];

function button(name, words, key, onclick) {
  return h(
    "button",
    { class: "tool", test: `tool-${name}`, title: `${words} (${key})`, "aria-label": words, onclick },
    icon(name),
    h("kbd", { "aria-hidden": "true" }, key),
  );
}

/** Returns the toolbar of a stage: its element and a function that brings it up to date. */
export function createToolbar(store, stage, actions) {
  const select = button("select", "Select", "Esc", () => stage.leave());
  const tools = BUTTONS.map(([name, words, key]) => button(name, words, key, () => stage.use(name)));
  const trash = button("trash", "Delete the granum", "Del", actions.remove);
  const eye = button("eye", "Hide the outlines", "X", actions.hide);
  const fit = button("fit", "Show the whole picture", "0", () => stage.viewer.home());
  const plus = button("plus", "Zoom in", "+", () => stage.viewer.zoomBy(1.5));
  const minus = button("minus", "Zoom out", "−", () => stage.viewer.zoomBy(1 / 1.5));
  const gap = () => h("span", { class: "gap" });
  const node = h(
    "div",
    { class: "toolbar", role: "toolbar", "aria-label": "Tools", "aria-orientation": "vertical" },
    select, ...tools, trash, gap(), eye, fit, plus, minus,
  );
  return {
    node,
    update() {
      const locked = store.state?.read_only || !stage.isOpen();
      set(select, { "aria-pressed": String(stage.tool() === null) });
      BUTTONS.forEach(([name], i) => {
        const needs = name !== "draw" && !store.granum();
        set(tools[i], { "aria-pressed": String(stage.tool() === name), disabled: locked || needs });
      });
      set(trash, { disabled: locked || !store.granum() });
      set(eye, { "aria-pressed": String(store.options.hidden) });
    },
  };
}
