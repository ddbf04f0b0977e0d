/**
 * Holds what the server has told, what is selected and how it is shown; tells listeners of changes.
 *
 * Kinds of changes: state (files, job, revision), grana (of a file), selection, saving, options.
 */

/** Returns a store. */
export function createStore() {
  const listeners = new Set();
  const store = {
    /** The answer of /api/state; null before the first one. */
    state: null,
    /** Grana by the name of their file: {file, grana, revision}. */
    loaded: new Map(),
    /** What is looked at: {name, number}. */
    name: null,
    number: null,
    /** Count of edits on their way; whether undo and redo would do something, by file. */
    saving: 0,
    history: new Map(),
    options: { hidden: false, advance: false, order: "number", show: "all" },

    /** Calls a function with the kind of each change. */
    listen: (listener) => listeners.add(listener),
    tell: (kind) => listeners.forEach((listener) => listener(kind)),

    revision: () => store.state?.revision ?? 0,
    file: (name = store.name) => store.state?.files.find((one) => one.name === name) ?? null,
    grana: (name = store.name) => store.loaded.get(name)?.grana ?? [],
    granum: (number = store.number, name = store.name) =>
      store.grana(name).find((one) => one.number === number) ?? null,

    /** Selects a granum, or none, of a file. */
    select(name, number = null) {
      if (name === store.name && number === store.number) return;
      store.name = name;
      store.number = number;
      store.tell("selection");
    },

    /** Changes options of this page. */
    setOptions(given) {
      Object.assign(store.options, given);
      store.tell("options");
    },

    /** Puts the grana that an edit changed in place of the old ones. */
    merge(name, { revision, changed, removed, undo, redo }) {
      const kept = store.loaded.get(name);
      const gone = new Set([...removed, ...changed.map((one) => one.number)]);
      if (kept) {
        const grana = [...kept.grana.filter((one) => !gone.has(one.number)), ...changed];
        grana.sort((a, b) => a.number - b.number);
        store.loaded.set(name, { ...kept, grana, revision });
      }
      // The other files are as they were: only this one has changed since the last revision.
      for (const one of store.loaded.values()) one.revision = revision;
      store.state.revision = revision;
      store.history.set(name, { undo, redo });
      store.tell("grana");
    },
  };
  return store;
}
