/** Shows short messages at the lower edge; errors stay until they are closed. */

import { h } from "./dom.js";

const STAY_MS = 6000;
const MOST = 5;

/** Returns functions that show a message each. */
export function createNotices(root) {
  function show(kind, text) {
    const same = [...root.children].find((one) => one.dataset.text === text);
    same?.remove();
    const close = h("button", {
      class: "close",
      "aria-label": "Close this message",
      test: "notice-close",
      onclick: () => node.remove(),
    }, "×");
    const node = h("div", { class: `notice ${kind}`, test: `notice-${kind}` }, h("span", {}, text), close);
    node.dataset.text = text;
    root.append(node);
    while (root.children.length > MOST) root.firstChild.remove();
    if (kind !== "error") setTimeout(() => node.remove(), STAY_MS);
  }
  return {
    info: (text) => show("info", text),
    warn: (text) => show("warn", text),
    error: (text) => show("error", text),
  };
}
