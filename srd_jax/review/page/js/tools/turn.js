/** The tool that turns the direction of the lamellae by a handle. */

import { number as written, bare } from "../core/format.js";
import { centre, directionOf, stepOf } from "../core/geometry.js";
import { axisOf } from "../picture/outlines.js";

const STEPS = { ArrowLeft: 1, ArrowUp: 1, ArrowRight: -1, ArrowDown: -1 };

/** Returns the tool. */
export function turnTool(stage) {
  const { viewer, marks } = stage;
  let degrees = null;
  let number = null;
  let file = null;
  let dragging = false;
  let changed = false;

  /** Returns the line's ends, long enough to be held. */
  function ends() {
    const granum = stage.granum();
    return granum && degrees !== null ? axisOf({ ...granum, direction_deg: degrees }) : null;
  }

  function paint() {
    const line = ends();
    if (!line) {
      marks.clear();
      return;
    }
    const [x, y] = centre(stage.granum().outline);
    const [u, v] = stepOf(degrees + 90);
    const half = 0.35 * Math.hypot(line[1][0] - x, line[1][1] - y);
    const across = [[x - u * half, y - v * half], [x + u * half, y + v * half]];
    marks.show({
      lines: [
        { class: "draft-halo", points: line },
        { class: "draft", points: line },
        { class: "draft faint", points: across },
      ],
      handles: line.map((at, i) => ({
        key: `direction-${i}`,
        at,
        kind: "end",
        active: i === 1,
        label: `direction of the lamellae, ${written(degrees, 1)} degrees`,
      })),
    });
    stage.say(`${written(degrees, 1)}°`);
  }

  function take() {
    [number, file] = [stage.number(), stage.file()];
    degrees = bare(stage.granum().direction_deg) ?? 0;
    changed = false;
  }

  function save() {
    changed = false;
    const direction = Math.round(degrees * 10) / 10;
    stage.edit({ do: "direction", granum: number, direction_deg: direction }, file);
  }

  return {
    name: "turn",
    needs: "granum",
    hint: "Drag an end until the line runs along the lamellae. Keys: arrows turn it (Shift: finer), Enter sets it, Esc leaves it.",
    start() {
      take();
      paint();
    },
    stop() {
      degrees = null;
      marks.clear();
    },
    repaint() {
      const granum = stage.granum();
      if (!granum) {
        stage.leave();
        return;
      }
      const another = granum.number !== number || stage.file() !== file;
      if (another) dragging = false;
      // An angle that was set and refused goes back to what the store has.
      if (another || !(dragging || changed)) take();
      paint();
    },
    press(handle, event) {
      dragging = true;
      viewer.screen
        .querySelector(`[data-testid="${handle.key}"]`)
        .setPointerCapture(event.pointerId);
    },
    drag(_, event) {
      if (!dragging) return;
      const [x, y] = centre(stage.granum().outline);
      const [a, b] = viewer.placeOf(event);
      degrees = directionOf(a - x, b - y);
      changed = true;
      paint();
    },
    release() {
      if (!dragging) return;
      dragging = false;
      save();
    },
    confirm() {
      if (changed) save();
      stage.leave();
    },
    back: () => false,
    key(event) {
      const step = STEPS[event.key];
      if (!step) return false;
      degrees = (degrees + step * (event.shiftKey ? 0.2 : 1) + 180) % 180;
      changed = true;
      paint();
      return true;
    },
  };
}
