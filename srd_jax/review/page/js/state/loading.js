/** Fetches the state and the grana of files into the store. */

import * as api from "../core/api.js";

/** Fetches the state; grana of files that have changed since are stale from then on. */
export async function refresh(store) {
  let found = await api.getState();
  // The answer to an edit may have overtaken this one.
  if (found.revision < store.revision()) found = await api.getState();
  store.state = found;
  for (const { name, undo, redo } of found.files) {
    if (undo !== undefined) store.history.set(name, { undo, redo });
  }
  store.tell("state");
}

/** Tells whether the grana of a file are there, as its last edit and analysis left them. */
export function isLoaded(store, name = store.name) {
  const [kept, file] = [store.loaded.get(name), store.file(name)];
  return Boolean(kept && file) && kept.revision >= file.revision && kept.record === file.record;
}

/**
 * Fetches the grana of a file unless they are there and of the present revision.
 * @param {boolean} force fetches in any case.
 */
export async function load(store, name, force = false) {
  if (!store.file(name) || (!force && isLoaded(store, name))) return;
  let found = await api.getFile(name);
  if (found.revision < (store.loaded.get(name)?.revision ?? 0)) found = await api.getFile(name);
  const { grana, revision, file } = found;
  grana.sort((a, b) => a.number - b.number);
  store.loaded.set(name, { grana, revision, record: file.record });
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
