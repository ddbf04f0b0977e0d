/**
 * Holds what the server has told, what is selected and how it is shown; tells listeners of changes.
 *
 * Kinds of changes: state (files, job, revision), grana (of a file), selection, saving, options,
 * opened (the picture), tool.
 */

import { foreseen } from "./foresee.js";

const NONE = [];

/** Returns a store. */
export function createStore() {
  const listeners = new Set();
  /** Grana as pending edits leave them, by name: {base, pending, grana}. */
  const ahead = new Map();
  const store = {
    /** The answer of /api/state; null before the first one. */
    state: null,
    /** Grana by the name of their file, as the server has them: {grana, revision, record}. */
    loaded: new Map(),
    /** What is looked at: {name, number}. */
    name: null,
    number: null,
    /** Edits without an answer, in order: {name, op}; their count until all is told. */
    pending: NONE,
    saving: 0,
    /** Whether undo and redo would do something, by file. */
    history: new Map(),
    options: { hidden: false, advance: false, order: "number", show: "all" },

    /** Calls a function with the kind of each change. */
    listen: (listener) => listeners.add(listener),
    tell: (kind) => listeners.forEach((listener) => listener(kind)),

    revision: () => store.state?.revision ?? 0,
    file: (name = store.name) => store.state?.files.find((one) => one.name === name) ?? null,
    /** Returns the edits of a file without an answer. */
    waiting: (name = store.name) => store.pending.filter((one) => one.name === name).map(({ op }) => op),
    /** Returns the grana of a file as they will be after the edits on their way. */
    grana(name = store.name) {
      const base = store.loaded.get(name)?.grana ?? NONE;
      const { pending } = store;
      if (!pending.some((one) => one.name === name)) return base;
      const known = ahead.get(name);
      if (known?.base === base && known.pending === pending) return known.grana;
      const grana = store.waiting(name).reduce(foreseen, base);
      ahead.set(name, { base, pending, grana });
      return grana;
    },
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
      store.state.revision = Math.max(store.state.revision, revision);
      store.history.set(name, { undo, redo });
      store.tell("grana");
    },
  };
  return store;
}
