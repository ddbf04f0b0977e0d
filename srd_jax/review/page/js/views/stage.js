/** The micrograph with its outlines and the tool at work. */

import { h } from "../core/dom.js";
import { drafts } from "../state/foresee.js";
import { isLoaded, load } from "../state/loading.js";
import { bounds } from "../core/geometry.js";
import { createMarks } from "../picture/marks.js";
import { createOutlines, granumAt } from "../picture/outlines.js";
import { createScaleBar } from "../picture/scale_bar.js";
import { createViewer } from "../picture/viewer.js";
import { cutTool } from "../tools/cut.js";
import { drawTool } from "../tools/draw.js";
import { joinTool } from "../tools/join.js";
import { reshapeTool } from "../tools/reshape.js";
import { turnTool } from "../tools/turn.js";

/**
 * Returns the stage: what tools work with, and what toolbar and keys call.
 * @param {object} app with store, edit and notices.
 */
export function createStage({ store, edit, notices }) {
  const hint = h("p", { class: "hint", role: "status", test: "hint", hidden: true });
  const picture = h("div", {
    class: "viewer",
    test: "viewer",
    tabindex: "0",
    role: "application",
    "aria-label": "Micrograph with outlines; press ? for the keys",
  });
  const opening = h("p", { class: "opening", role: "status", test: "opening", hidden: true }, "Opening the picture …");
  const node = h("div", { class: "stage" }, picture, hint, opening);
  /** Hashes of tiles that can't be shown: outlines are, over a blank ground. */
  const failed = new Set();
  let tool = null;

  const viewer = createViewer(picture, {
    click: (place, event) => {
      if (tool?.click) tool.click(place, event);
      else {
        const found = granumAt(store.options.hidden ? [] : store.grana(), place);
        if (tool?.pick) tool.pick(found?.number ?? null, true);
        else stage.select(found?.number ?? null);
      }
    },
    doubleClick: (place) => tool?.doubleClick?.(place),
    move: (place) => tool?.move?.(place),
  });
  const outlines = createOutlines(viewer);
  const marks = createMarks(viewer);
  const scaleBar = createScaleBar(viewer);
  node.append(scaleBar.node);
  viewer.watch(() => tool?.view?.());
  const toTool = { pointerdown: "press", pointermove: "drag", pointerup: "release", contextmenu: "menu" };
  for (const [name, method] of Object.entries(toTool)) {
    marks.onHandle(name, (handle, event) => tool?.[method]?.(handle, event));
  }

  function say(text = "") {
    hint.hidden = !tool;
    hint.replaceChildren(...(tool ? [tool.hint, ...(text ? [h("b", {}, text)] : [])] : []));
  }

  function paint() {
    outlines.show(store.grana(), {
      selected: store.number,
      second: tool?.second?.() ?? null,
      editing: tool?.editing?.() ?? null,
      drafts: drafts(store.waiting()),
    });
    outlines.hide(store.options.hidden);
  }

  async function openPicture(file) {
    const size = { columns: file.columns || 1, rows: file.rows || 1 };
    const hash = failed.has(file.tiles) ? null : file.tiles;
    try {
      await viewer.open(hash, size);
    } catch (error) {
      if (store.name !== file.name) return;
      notices.error(`${file.name}: ${error.message}`);
      viewer.opened = null;
      if (!error.status) return;
      failed.add(hash);
      await viewer.open(null, size);
    }
  }

  const stage = {
    node,
    viewer,
    marks,
    notices,
    say,
    repaint: paint,
    tool: () => tool?.name ?? null,
    number: () => store.number,
    granum: () => store.granum(),
    file: () => store.name,
    /** Tells whether the picture can be worked on. */
    isOpen: () => viewer.isOpen() && isLoaded(store),
    edit: (op, name = store.name) => edit(name, op),
    select: (number) => store.select(store.name, number),
    second: () => tool?.stepFrom?.() ?? null,
    /** Starts a tool, or leaves it where it is at work already. */
    use(name) {
      if (!stage.isOpen() || store.state?.read_only) return;
      const same = tool?.name === name;
      stage.leave();
      if (same) return;
      const made = tools[name];
      if (made.needs && store.granum() === null) {
        notices.warn("Select a granum first.");
        return;
      }
      tool = made;
      picture.dataset.tool = name;
      document.body.dataset.tool = name;
      say();
      tool.start();
      paint();
      store.tell("tool");
    },
    leave() {
      const old = tool;
      tool = null;
      delete picture.dataset.tool;
      delete document.body.dataset.tool;
      say();
      old?.stop();
      paint();
      if (old) store.tell("tool");
    },
    /** Passes a granum chosen elsewhere to the tool; tells whether it took it. */
    offer(number) {
      if (!tool?.pick) return false;
      tool.pick(number, false);
      return true;
    },
    key: (event) => tool?.key(event) ?? false,
    confirm: () => (tool ? (tool.confirm(), true) : false),
    back: () => tool?.back() ?? false,
    abort() {
      if (!tool) return false;
      if (!tool.abort?.()) stage.leave();
      return true;
    },
    /** Brings the selected granum into view. */
    reveal(closer = false) {
      const granum = store.granum();
      if (granum?.outline.length > 2) viewer.reveal(bounds(granum.outline), closer);
    },
    /** Opens the picture of the file in the store. */
    async open() {
      const file = store.file();
      if (!file) return;
      scaleBar.setScale(file.px_per_nm);
      const loading = load(store, file.name).catch((error) => notices.error(`${file.name}: ${error.message}`));
      const shown = openPicture(file);
      opening.hidden = viewer.isOpen();
      await Promise.all([loading, shown]);
      if (store.name !== file.name) return;
      opening.hidden = viewer.isOpen();
      paint();
      store.tell("opened");
    },
    update() {
      paint();
      tool?.repaint?.();
    },
  };
  const tools = {};
  for (const make of [drawTool, cutTool, joinTool, reshapeTool, turnTool]) {
    const made = make(stage);
    tools[made.name] = made;
  }
  return stage;
}
