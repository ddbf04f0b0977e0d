/** Fetches the state and the grana of files into the store. */

import * as api from "./api.js";

/** Fetches the state; grana fetched at another revision are stale from then on. */
export async function refresh(store) {
  store.state = await api.getState();
  for (const { name, undo, redo } of store.state.files) {
    if (undo !== undefined) store.history.set(name, { undo, redo });
  }
  store.tell("state");
}

/**
 * Fetches the grana of a file unless they are there and of the present revision.
 * @param {boolean} force fetches in any case.
 */
export async function load(store, name, force = false) {
  if (!store.file(name)) return;
  const kept = store.loaded.get(name);
  if (kept && !force && kept.revision === store.revision()) return;
  const { grana, revision } = await api.getFile(name);
  grana.sort((a, b) => a.number - b.number);
  store.loaded.set(name, { grana, revision: revision ?? store.revision() });
  if (name === store.name && store.number !== null && !store.granum()) store.number = null;
  store.tell("grana");
}

/** Fetches the grana of all files, a few at a time. */
export async function loadAll(store) {
  const names = (store.state?.files ?? []).map((file) => file.name);
  const next = async () => {
    while (names.length) await load(store, names.shift());
  };
  await Promise.all([next(), next(), next()]);
}
