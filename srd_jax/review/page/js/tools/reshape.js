/** The tool that moves, adds and removes corners of an outline; each change is saved at once. */

import { distance, middle, rounded, within } from "../core/geometry.js";

const NEAR_PX = 9;
const WIDE_PX = 26;
const SAVE_AFTER_MS = 450;
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/** Returns the tool. */
export function reshapeTool(stage) {
  const { viewer, marks } = stage;
  let number = null;
  let file = null;
  let draft = [];
  let before = null;
  let active = 0;
  let dragged = null;
  let timer = null;
  let working = false;

  /** Returns the handles that fit on the screen: where corners are dense, every few of them. */
  function handles() {
    const found = [];
    let last = null;
    const screen = draft.map((at) => viewer.toScreen(at));
    screen.forEach((at, i) => {
      const is = { key: `vertex-${i}`, index: i, at: draft[i], active: i === active };
      if (is.active || last === null || distance(at, last) >= NEAR_PX) {
        found.push({ ...is, kind: "corner", label: `corner ${i + 1} of ${draft.length}` });
        last = at;
      }
      const next = (i + 1) % draft.length;
      if (distance(at, screen[next]) >= WIDE_PX) {
        const between = { key: `middle-${i}`, index: i, at: middle(draft[i], draft[next]) };
        found.push({ ...between, kind: "middle", label: `add a corner after ${i + 1}` });
      }
    });
    return found;
  }

  function paint() {
    if (number === null) return;
    marks.show({
      lines: [
        { class: "draft-halo", points: draft, closed: true },
        { class: "draft", points: draft, closed: true },
      ],
      handles: handles(),
    });
  }

  function focus() {
    marksOf(`vertex-${active}`)?.focus({ preventScroll: true });
  }
  const marksOf = (key) => viewer.screen.querySelector(`[data-testid="${key}"]`);

  function take(granum) {
    number = granum?.number ?? null;
    file = stage.file();
    draft = granum ? granum.outline.map((corner) => [...corner]) : [];
    active = Math.min(active, Math.max(0, draft.length - 1));
  }

  async function save() {
    clearTimeout(timer);
    timer = null;
    const [granum, outline] = [number, draft.map(rounded)];
    // It was drawn on this file, though another one may be shown by now. The outlines shown from here
    // on are those of the store, which moves them at once and back again where they are refused.
    await stage.edit({ do: "outline", granum, outline }, file);
    tool.repaint();
  }

  function saveSoon() {
    clearTimeout(timer);
    timer = setTimeout(save, SAVE_AFTER_MS);
  }

  function insert(i, at) {
    draft.splice(i + 1, 0, at);
    active = i + 1;
  }

  function remove(i) {
    if (draft.length <= 3) {
      stage.notices.warn("An outline has at least 3 corners.");
      return;
    }
    draft.splice(i, 1);
    active = i % draft.length;
    paint();
    saveSoon();
  }

  marks.onHandle("focus", ({ kind, index }) => {
    if (number === null || kind !== "corner" || index === active) return;
    active = index;
    paint();
  });

  const tool = {
    name: "edit",
    needs: "granum",
    hint: "Drag corners; the small points between add one; right-click or Delete removes one. By keys: comma and full stop step from corner to corner, arrows move it, Insert adds one.",
    start() {
      working = true;
      active = 0;
      take(stage.granum());
      paint();
      focus();
    },
    stop() {
      if (timer) save();
      working = false;
      number = null;
      marks.clear();
    },
    repaint() {
      const granum = stage.granum();
      if (!working) return;
      if (granum?.number !== number || stage.file() !== file) {
        if (timer) save();
        active = 0;
        dragged = null;
        take(granum);
      } else if (!dragged && !timer) {
        // What is moved meanwhile stays as the user has it.
        take(granum);
      }
      if (number === null) marks.clear();
      else paint();
    },
    view: paint,
    editing: () => number,
    press({ kind, index, at }, event) {
      if (event.altKey || event.button === 2) return;
      before = draft.map((corner) => [...corner]);
      if (kind === "middle") insert(index, at);
      else active = index;
      dragged = { index: active, moved: kind === "middle" };
      paint();
      const node = marksOf(`vertex-${active}`);
      node.setPointerCapture(event.pointerId);
      node.focus({ preventScroll: true });
    },
    drag(_, event) {
      if (!dragged) return;
      draft[dragged.index] = within(viewer.placeOf(event), viewer.size);
      dragged.moved = true;
      paint();
    },
    release({ kind, index }, event) {
      if (!dragged) {
        if (event.altKey && kind === "corner") remove(index);
        return;
      }
      const { moved } = dragged;
      dragged = null;
      if (moved) save();
    },
    menu({ kind, index }, event) {
      event.preventDefault();
      if (kind === "corner") remove(index);
    },
    confirm: () => stage.leave(),
    /** Puts a corner back while it is dragged; tells whether one was. */
    abort() {
      if (!dragged) return false;
      draft = before;
      dragged = null;
      paint();
      return true;
    },
    back: () => (number !== null && remove(active), true),
    key(event) {
      if (number === null) return false;
      const step = ARROWS[event.key];
      if (step) {
        const length = event.shiftKey ? 10 : 1;
        const [x, y] = draft[active];
        draft[active] = within([x + step[0] * length, y + step[1] * length], viewer.size);
        saveSoon();
      } else if (event.key === "." || event.key === ",") {
        active = (active + (event.key === "." ? 1 : draft.length - 1)) % draft.length;
      } else if (event.key === "Insert" || event.key === "+") {
        insert(active, middle(draft[active], draft[(active + 1) % draft.length]));
        saveSoon();
      } else if (event.key === "Delete") {
        remove(active);
      } else {
        return false;
      }
      paint();
      focus();
      return true;
    },
  };
  return tool;
}
