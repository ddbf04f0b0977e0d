/** Collects corners by clicks or by a cursor on the keyboard; tools that draw share it. */

import { distance, rounded, within } from "../core/geometry.js";

const SAME_PX = 6;
const STEP_PX = { false: 12, true: 2 };
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/**
 * Returns the part of a tool that collects corners.
 * @param {object} stage of the review: viewer, marks.
 * @param {{closed: boolean, least: number, most: ?number, finish: function(Array): void}} given
 */
export function cornersTool(stage, { closed, least, most = null, finish, short }) {
  const { viewer, marks } = stage;
  let corners = [];
  let pointer = null;
  let cursor = null;

  function paint() {
    const reach = pointer ?? cursor;
    const line = reach ? [...corners, reach] : corners;
    const handles = corners.map((at, i) => ({
      key: `corner-${i}`,
      at,
      kind: "corner",
      label: `corner ${i + 1}`,
    }));
    if (cursor) handles.push({ key: "cursor", at: cursor, kind: "cursor", label: "cursor" });
    marks.show({
      lines: [
        { class: "draft-halo", points: line, closed: closed && corners.length > 1 },
        { class: "draft", points: line, closed: closed && corners.length > 1 },
      ],
      handles,
    });
    document.body.dataset.corners = corners.length;
  }

  function near(place, other) {
    return distance(viewer.toScreen(place), viewer.toScreen(other)) < SAME_PX;
  }

  function add(place) {
    const corner = rounded(within(place, viewer.size));
    if (closed && corners.length >= least && near(corner, corners[0])) return tool.confirm();
    if (corners.length && near(corner, corners.at(-1))) return undefined;
    corners.push(corner);
    paint();
    if (most && corners.length >= most) tool.confirm();
    return undefined;
  }

  const tool = {
    start: paint,
    stop: () => {
      corners = [];
      marks.clear();
      delete document.body.dataset.corners;
    },
    click: add,
    doubleClick: () => tool.confirm(),
    move(place) {
      pointer = within(place, viewer.size);
      cursor = null;
      paint();
    },
    confirm() {
      if (corners.length < least) {
        stage.notices.warn(short);
        return;
      }
      finish(corners);
    },
    /** Takes the last corner back; tells whether there was one. */
    back() {
      corners.pop();
      paint();
      return true;
    },
    key(event) {
      if (event.key === " ") {
        if (cursor ?? pointer) add(cursor ?? pointer);
        return true;
      }
      const step = ARROWS[event.key];
      if (!step) return false;
      const { columns, rows } = viewer.size;
      const from = cursor ?? pointer ?? corners.at(-1) ?? [columns / 2, rows / 2];
      const length = STEP_PX[event.shiftKey] / viewer.zoom();
      cursor = within([from[0] + step[0] * length, from[1] + step[1] * length], viewer.size);
      pointer = null;
      paint();
      return true;
    },
  };
  return tool;
}
