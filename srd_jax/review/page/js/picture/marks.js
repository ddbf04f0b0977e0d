/** Draws what a tool works on: lines in px of the micrograph, handles of a fixed size on the screen. */

import { keyed, s, set } from "../core/dom.js";
import { path } from "../core/geometry.js";

const HANDLES = { corner: 5, middle: 3.5, end: 6.5, cursor: 9 };

/**
 * Returns the layer of marks of a viewer.
 *
 * `show({lines, handles})`: lines are {points, closed, class}; handles are {key, at, kind, label,
 * active, test} and get listeners by `onHandle(event name, listener(handle, event))`.
 */
export function createMarks(viewer) {
  const lines = s("g", { class: "marks" });
  const handles = s("g", { class: "handles" });
  viewer.world.append(lines);
  viewer.screen.append(handles);
  const listeners = {};
  let shown = [];

  function place() {
    for (const [node, at] of shown) {
      const [left, top] = viewer.toScreen(at);
      node.setAttribute("transform", `translate(${left.toFixed(1)} ${top.toFixed(1)})`);
    }
  }
  viewer.watch(place);

  function created(handle) {
    const node = s("g", {}, s("circle", { class: "touch", r: 11 }), s("circle", { class: "dot" }));
    node.handle = handle;
    for (const name of ["pointerdown", "pointermove", "pointerup", "pointercancel", "contextmenu", "focus"]) {
      node.addEventListener(name, (event) => {
        // The picture must not pan under a handle that is dragged.
        if (name !== "focus") event.stopPropagation();
        listeners[name]?.(node.handle, event);
      });
    }
    return node;
  }

  function update(node, handle) {
    node.handle = handle;
    set(node, {
      class: `handle ${handle.kind}${handle.active ? " active" : ""}`,
      "data-testid": handle.test ?? handle.key,
      tabindex: handle.active ? "0" : "-1",
      role: "button",
      "aria-label": handle.label,
    });
    node.children[1].setAttribute("r", HANDLES[handle.kind] ?? 5);
  }

  return {
    onHandle: (name, listener) => (listeners[name] = listener),
    clear() {
      this.show({});
    },
    show({ lines: drawn = [], handles: points = [] }) {
      keyed(lines, drawn, (one) => one.key ?? one.class, () => s("path"), (node, one) => {
        set(node, { class: one.class, d: path(one.points, one.closed ?? false) });
      });
      keyed(handles, points, (one) => one.key, created, update);
      shown = points.map((one) => [handles.keyedNodes.get(String(one.key)), one.at]);
      if (viewer.isOpen()) place();
    },
  };
}
