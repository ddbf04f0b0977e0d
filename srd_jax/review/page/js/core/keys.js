/** The keys: what they do, when, and their list. */

import { h, isTyping } from "./dom.js";

/** Returns the keys of the app, in groups for the list. */
function keysOf(app) {
  const { actions } = app;
  const tool = (name) => () => app.stage.use(name);
  const zoom = (factor) => () => app.stage.viewer.zoomBy(factor);
  const pan = (x, y) => () => app.stage.viewer.panBy(x * 80, y * 80);
  return {
    Decide: [
      { keys: ["a"], shown: "A", words: "accept", run: actions.accept, needs: "grana" },
      { keys: ["r"], shown: "R", words: "reject", run: actions.reject, needs: "grana" },
      { keys: ["u"], shown: "U", words: "undecided again", run: actions.reset, needs: "grana" },
      { keys: ["n"], shown: "N", words: "next granum", run: actions.next, needs: "grana" },
      { keys: ["p"], shown: "P", words: "previous granum", run: actions.previous, needs: "grana" },
      { keys: ["ctrl+z"], shown: "Ctrl Z", words: "undo", run: actions.undo, needs: "grana" },
      { keys: ["ctrl+y", "ctrl+shift+z"], shown: "Ctrl Y", words: "redo", run: actions.redo, needs: "grana" },
    ],
    Mend: [
      { keys: ["e"], shown: "E", words: "edit the outline", run: tool("edit"), only: "review", needs: "picture" },
      { keys: ["t"], shown: "T", words: "turn the direction", run: tool("turn"), only: "review", needs: "picture" },
      { keys: ["d"], shown: "D", words: "draw a granum", run: tool("draw"), only: "review", needs: "picture" },
      { keys: ["k"], shown: "K", words: "cut in two", run: tool("cut"), only: "review", needs: "picture" },
      { keys: ["j"], shown: "J", words: "join with another", run: tool("join"), only: "review", needs: "picture" },
      { keys: ["delete"], shown: "Del", words: "delete the granum", run: actions.remove, only: "review", needs: "grana" },
      { keys: [], shown: "Enter", words: "confirm" },
      { keys: [], shown: "Esc", words: "abort" },
      { keys: [], shown: "⌫", words: "take the last corner back" },
    ],
    "Without a mouse": [
      { keys: [], shown: "← ↑ ↓ →", words: "cursor of a tool; corner; direction" },
      { keys: [], shown: "Space", words: "put a corner at the cursor" },
      { keys: [], shown: ". ,", words: "next, previous corner of the outline" },
      { keys: [], shown: "Insert", words: "add a corner after it" },
      { keys: [], shown: "Del", words: "remove it" },
    ],
    "Look": [
      { keys: [], shown: "wheel, drag", words: "zoom, pan" },
      { keys: ["+", "="], shown: "+", words: "zoom in", run: zoom(1.4), only: "review", needs: "picture" },
      { keys: ["-"], shown: "−", words: "zoom out", run: zoom(1 / 1.4), only: "review", needs: "picture" },
      { keys: ["0"], shown: "0", words: "whole picture", run: () => app.stage.viewer.home(), only: "review", needs: "picture" },
      { keys: ["f"], shown: "F", words: "zoom to the granum", run: () => app.stage.reveal(true), only: "review", needs: "picture" },
      { keys: ["x"], shown: "X", words: "hide or show outlines", run: actions.hide, only: "review" },
      { keys: ["arrowleft"], run: pan(-1, 0), only: "review", quiet: true },
      { keys: ["arrowright"], run: pan(1, 0), only: "review", quiet: true },
      { keys: ["arrowup"], run: pan(0, -1), only: "review", quiet: true },
      { keys: ["arrowdown"], run: pan(0, 1), only: "review", quiet: true },
      { keys: ["1", "2", "3", "4"], shown: "1 … 4", words: "files, review, table, figures",
        run: (event) => app.go(["files", "review", "table", "figures"][event.key - 1]) },
      { keys: ["?"], shown: "?", words: "this list", run: () => app.showKeys() },
    ],
  };
}

/** Returns a key's name with its modifiers, "ctrl+shift+z". */
function nameOf(event) {
  const key = event.key.toLowerCase();
  const shift = event.shiftKey && (key.length > 1 || event.ctrlKey || event.metaKey);
  return `${event.ctrlKey || event.metaKey ? "ctrl+" : ""}${shift ? "shift+" : ""}${key}`;
}

/** Keys that tools hear first; Enter on a button presses the button. */
function forTool(app, event) {
  if (app.view() !== "review") return false;
  const { stage } = app;
  const onButton = event.target.closest?.("button, a, summary") !== null;
  if (event.key === "Escape") return stage.abort();
  if (event.key === "Enter") return !onButton && stage.confirm();
  if (event.key === " " && onButton) return false;
  if (event.ctrlKey || event.metaKey || event.altKey) return false;
  if (event.key === "Backspace") return stage.back();
  return stage.key(event);
}

/** Returns the dialog that lists the keys. */
function createDialog(groups) {
  const part = ([name, keys]) =>
    h("section", {}, h("h3", {}, name), h("dl", {}, keys.filter((one) => !one.quiet).map(({ shown, words }) => [
      h("dt", {}, h("kbd", {}, shown)), h("dd", {}, words)])));
  const dialog = h("dialog", { class: "keys", test: "keys", "aria-label": "Keys" },
    h("header", {}, h("h2", {}, "Keys"),
      h("form", { method: "dialog" }, h("button", { class: "ghost", "aria-label": "Close", test: "keys-close" }, "×"))),
    h("div", { class: "columns" }, Object.entries(groups).map(part)));
  document.body.append(dialog);
  return dialog;
}

/** Keys that a tool takes once it is at work. */
const OF_TOOLS = new Set(["Enter", "Backspace", " ", ".", ",", "Insert", "ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"]);
const MOST_HELD = 100;

/**
 * Starts listening to keys.
 *
 * Keys that need what isn't there yet, grana or the picture, are held, with all that follow, until it
 * is; Esc, another view and another micrograph forget them.
 */
export function listenToKeys(app) {
  const groups = keysOf(app);
  const dialog = createDialog(groups);
  app.showKeys = () => (dialog.open ? dialog.close() : dialog.showModal());
  const byName = new Map();
  Object.values(groups).flat().forEach((one) => one.keys.forEach((key) => byName.set(key, one)));
  let held = [];
  let letting = false;
  const place = () => (app.view() ? `${app.view()} ${app.store.name}` : "");
  const onButton = (event) => event.target.closest?.("button, a, summary") !== null;

  /** Does what a key stands for; tells whether it stands for anything. */
  function press(event) {
    if (forTool(app, event)) return true;
    const found = byName.get(nameOf(event));
    if (!found || event.altKey || (found.only && found.only !== app.view())) return false;
    // Arrows pan only from the picture: elsewhere they scroll and choose.
    if (found.quiet && !event.target.closest?.(".viewer")) return false;
    found.run(event);
    return true;
  }

  /** Tells whether a key has to wait. */
  function waits(event) {
    const needs = byName.get(nameOf(event))?.needs;
    if (held.length) return needs || (OF_TOOLS.has(event.key) && !onButton(event));
    return needs && !event.altKey && !app.isOpen(needs);
  }

  function letGo() {
    if (letting) return;
    letting = true;
    // Before the first view, keys are meant for whatever it will be.
    const isHere = (one) => !one.place || one.place === place();
    while ((held = held.filter(isHere)).length && app.isOpen(byName.get(nameOf(held[0].event))?.needs)) press(held.shift().event);
    letting = false;
  }
  app.store.listen(() => held.length && letGo());

  addEventListener("keydown", (event) => {
    if (event.defaultPrevented || isTyping(event.target)) return;
    if (document.querySelector("dialog[open]")) {
      if (event.key === "?") app.showKeys();
      return;
    }
    if (event.key === "Escape" && held.length) {
      held = [];
      event.preventDefault();
    } else if (waits(event)) {
      if (held.length < MOST_HELD) held.push({ event, place: place() });
      event.preventDefault();
    } else if (press(event)) {
      event.preventDefault();
    }
  });
}
