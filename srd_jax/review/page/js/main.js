/** Puts the page together. */

import { createActions } from "./core/actions.js";
import { createEdits } from "./state/edits.js";
import { listenToServer } from "./state/events.js";
import { listenToKeys } from "./core/keys.js";
import { isLoaded, load, refresh } from "./state/loading.js";
import { createNotices } from "./core/notices.js";
import * as route from "./core/route.js";
import { createStore } from "./state/store.js";
import { createFigures } from "./views/figures.js";
import { createFiles } from "./views/files.js";
import { createHeader } from "./views/header.js";
import { createReview } from "./views/review.js";
import { createTable } from "./views/table.js";

const store = createStore();
const notices = createNotices(document.querySelector("#notices"));
const main = document.querySelector("#view");
const banner = document.querySelector("#banner");
let view = null;
let written = "";
let following = false;

const app = {
  store,
  notices,
  edit: createEdits(store, notices),
  refresh: () => refresh(store),
  view: () => view?.name ?? null,
  go,
  showKeys: () => {},
  /** Tells whether there is what a key needs: grana, or the picture too. */
  isOpen(needs) {
    if (!view) return false;
    if (!needs || !store.name) return true;
    return needs === "picture" && view.name === "review" ? app.stage.isOpen() : isLoaded(store);
  },
};
app.actions = createActions(app);
const views = [createFiles(app), createReview(app), createTable(app), createFigures(app)];
app.views = views;
listenToKeys(app);
const updateHeader = createHeader({ ...app, showKeys: () => app.showKeys() });

/** Shows a view. */
function go(name) {
  const next = views.find((one) => one.name === name);
  if (next === view) return;
  view?.hide();
  view = next;
  main.replaceChildren(next.node);
  document.body.dataset.view = name;
  next.show();
  changed("view");
}

function changed(what) {
  const { revision, state } = { revision: store.revision(), state: store.state };
  document.body.dataset.revision = revision;
  document.body.dataset.saving = store.saving;
  document.body.dataset.selected = store.number ?? "";
  updateHeader();
  if (view && state && !following) {
    const address = route.write({ view: view.name, name: store.name, number: store.number });
    // Only where it has changed here: another one may just have been entered, and is heard soon.
    if (address !== written && address !== location.hash) history.replaceState(null, "", address);
    written = address;
  }
  if (what !== "view") view?.update(what);
}
store.listen(changed);

function follow() {
  const asked = route.read();
  // No address between: a reload would come back to the view from before.
  following = true;
  if (asked.name && store.file(asked.name)) store.select(asked.name, asked.number);
  following = false;
  go(asked.view ?? (store.state.files.length ? "review" : "files"));
}
addEventListener("hashchange", follow);
addEventListener("beforeunload", (event) => store.saving && event.preventDefault());

async function onState() {
  const before = store.revision();
  await refresh(store);
  if (!view) {
    follow();
    if (store.name) await load(store, store.name);
    document.body.dataset.ready = "true";
  } else if (store.name && !store.file()) {
    store.select(store.state.files[0]?.name ?? null, null);
  } else if (store.name && store.revision() !== before) {
    await load(store, store.name);
  }
}

function onConnection(connected, error) {
  document.body.dataset.connected = String(connected);
  banner.hidden = connected;
  if (connected) return;
  banner.textContent =
    error?.status === 403
      ? "This page is no longer signed in: open the address that “srd app” printed when it was started."
      : "Connection lost; trying again. What you do is saved when it is back: keep this tab open.";
}

listenToServer({ onState, onConnection });
