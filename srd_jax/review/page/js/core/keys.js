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
      { keys: ["a"], shown: "A", words: "accept", run: actions.accept },
      { keys: ["r"], shown: "R", words: "reject", run: actions.reject },
      { keys: ["u"], shown: "U", words: "undecided again", run: actions.reset },
      { keys: ["n"], shown: "N", words: "next granum", run: actions.next },
      { keys: ["p"], shown: "P", words: "previous granum", run: actions.previous },
      { keys: ["ctrl+z"], shown: "Ctrl Z", words: "undo", run: actions.undo },
      { keys: ["ctrl+y", "ctrl+shift+z"], shown: "Ctrl Y", words: "redo", run: actions.redo },
    ],
    Mend: [
      { keys: ["e"], shown: "E", words: "edit the outline", run: tool("edit"), only: "review" },
      { keys: ["t"], shown: "T", words: "turn the direction", run: tool("turn"), only: "review" },
      { keys: ["d"], shown: "D", words: "draw a granum", run: tool("draw"), only: "review" },
      { keys: ["k"], shown: "K", words: "cut in two", run: tool("cut"), only: "review" },
      { keys: ["j"], shown: "J", words: "join with another", run: tool("join"), only: "review" },
      { keys: ["delete"], shown: "Del", words: "delete the granum", run: actions.remove, only: "review" },
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
      { keys: ["+", "="], shown: "+", words: "zoom in", run: zoom(1.4), only: "review" },
      { keys: ["-"], shown: "−", words: "zoom out", run: zoom(1 / 1.4), only: "review" },
      { keys: ["0"], shown: "0", words: "whole picture", run: () => app.stage.viewer.home(), only: "review" },
      { keys: ["f"], shown: "F", words: "zoom to the granum", run: () => app.stage.reveal(true), only: "review" },
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

/** Starts listening to keys. */
export function listenToKeys(app) {
  const groups = keysOf(app);
  const dialog = createDialog(groups);
  app.showKeys = () => (dialog.open ? dialog.close() : dialog.showModal());
  const byName = new Map();
  Object.values(groups).flat().forEach((one) => one.keys.forEach((key) => byName.set(key, one)));
  addEventListener("keydown", (event) => {
    if (event.defaultPrevented || isTyping(event.target)) return;
    if (document.querySelector("dialog[open]")) {
      if (event.key === "?") app.showKeys();
      return;
    }
    if (forTool(app, event)) {
      event.preventDefault();
      return;
    }
    const found = byName.get(nameOf(event));
    if (!found || event.altKey || (found.only && found.only !== app.view())) return;
    // Arrows pan only from the picture: elsewhere they scroll and choose.
    if (found.quiet && !event.target.closest?.(".viewer")) return;
    event.preventDefault();
    found.run(event);
  });
}
