/** The view in which grana are looked at and mended. */

import { h } from "../core/dom.js";
import { createDetail } from "./detail.js";
import { createList } from "./list.js";
import { createStage } from "./stage.js";
import { createToolbar } from "./toolbar.js";

const LEGEND = [
  ["ok", "ok"],
  ["low_confidence", "? low confidence"],
  ["error", "! error"],
  ["accepted", "✓ accepted"],
  ["rejected", "× rejected"],
];

const legend = () =>
  h("ul", { class: "legend", "aria-label": "Lines of outlines" },
    LEGEND.map(([name, words]) => h("li", { class: `kind-${name}` }, h("i", { "aria-hidden": "true" }), words)));

/** Returns the view: its element, stage and functions of a view. */
export function createReview(app) {
  const { store, actions } = app;
  const stage = createStage(app);
  app.stage = stage;
  const toolbar = createToolbar(store, stage, actions);
  const list = createList(store, {
    pick: (number) => stage.offer(number) || stage.select(number),
    choose: (name) => store.select(name, null),
    next: actions.next,
    previous: actions.previous,
  });
  const detail = createDetail(app, actions);
  stage.node.append(toolbar.node, legend());
  const node = h("section", { class: "view review", test: "view-review" }, list.node, stage.node, detail.node);
  let opened = null;
  let seen = null;

  async function open() {
    if (!store.file()) return;
    const before = opened;
    opened = store.name;
    if (before !== opened) stage.leave();
    await stage.open();
    update();
    if (store.number !== null) stage.reveal(before !== opened);
  }

  function update() {
    list.update();
    toolbar.update();
    detail.update();
    stage.update();
  }

  return {
    name: "review",
    title: "Review",
    node,
    stage,
    show() {
      if (!store.name && store.state?.files.length) store.select(store.state.files[0].name, null);
      update();
      seen = null;
      changed("selection");
    },
    hide: () => stage.leave(),
    update: changed,
  };

  function changed(what) {
    if (what === "selection" || (what === "state" && opened !== store.name)) {
      update();
      if (opened !== store.name) open();
      else if (seen !== store.number) stage.reveal();
      seen = store.number;
    } else if (what === "state") {
      open();
    } else {
      update();
    }
  }
}
