/** Sends edits one after the other, each with the revision it was made on and a key of its own. */

import * as api from "../core/api.js";
import { about } from "./foresee.js";
import { count } from "../core/format.js";
import { load, refresh } from "./loading.js";

const AGAIN_MS = [400, 1000, 2500];
/** The server isn't reached, or too busy to have heard. */
const LOST = new Set([0, 502, 503, 504]);

/** Returns 128 random bits; randomUUID is only there on secure origins. */
function randomKey() {
  const bits = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bits, (one) => one.toString(16).padStart(2, "0")).join("");
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Sends an edit, again with the same key until the connection is back: it is applied once. */
async function send(name, content) {
  for (let tries = 0; ; tries += 1) {
    try {
      return await api.edit(name, content);
    } catch (error) {
      if (!LOST.has(error.status)) throw error;
      await pause(AGAIN_MS[Math.min(tries, AGAIN_MS.length - 1)]);
    }
  }
}

/** Tells whether an edit was made in view of what another one, which failed, would have done. */
function follows(later, one, status) {
  if (later.name !== one.name) return false;
  if (status !== 422 || !about(later.op).length) return true;
  return about(later.op).some((number) => about(one.op).includes(number));
}

/**
 * Returns the function that applies an operation to a file.
 *
 * The store shows what it will do at once, and takes it back if it is refused, of which the user is
 * told. It resolves to the server's answer, null for none. An outline that waits gives way to a
 * newer one of the same granum.
 */
export function createEdits(store, notices) {
  /** The first one is on its way. */
  let queue = [];
  let running = false;

  function show() {
    store.pending = queue.map(({ name, op }) => ({ name, op }));
  }

  async function refused(one, error) {
    const dropped = queue.filter((later) => follows(later, one, error.status));
    queue = queue.filter((later) => !dropped.includes(later));
    show();
    const also = dropped.length ? ` Not applied either: ${count(dropped.length, "later step", "later steps")}.` : "";
    if (error.status === 409) {
      notices.warn(
        "This was changed in another tab or by another person meanwhile. " +
          `The picture is up to date again; your last step was not applied.${also}`,
      );
    } else {
      notices.error(`${error.status === 422 ? "Refused" : "Not saved"}: ${error.message}${also}`);
    }
    store.tell("grana");
    try {
      if (error.status === 409) await refresh(store);
      await load(store, one.name, true);
    } catch {
      // The banner tells that the connection is lost.
    }
    dropped.forEach((later) => later.done(null));
  }

  async function run() {
    running = true;
    while (queue.length) {
      const one = queue[0];
      const { name, op, revision } = one;
      let [answer, fault] = [null, null];
      try {
        answer = await send(name, { revision, key: randomKey(), op });
      } catch (error) {
        fault = error;
      }
      queue = queue.slice(1);
      show();
      if (answer) {
        // Nobody else has changed this file in between, or the server would have refused.
        for (const later of queue) if (later.name === name) later.revision = answer.revision;
        store.merge(name, answer);
      } else {
        await refused(one, fault);
      }
      one.done(answer);
      await null; // what waits for it selects first
      store.saving = queue.length;
      store.tell("saving");
    }
    running = false;
  }

  return function edit(name, op) {
    if (store.state?.read_only) {
      notices.warn("This page is read only: another one holds the pen.");
      return Promise.resolve(null);
    }
    const last = queue.length > 1 || !running ? queue.at(-1) : null;
    if (op.do === "outline" && last?.op.do === "outline" && last.name === name && last.op.granum === op.granum) {
      last.op = op;
      show();
      store.tell("saving");
      return last.promise;
    }
    // That of the grana in sight: what has changed since, nobody has seen here.
    const one = { name, op, revision: store.loaded.get(name)?.revision ?? store.revision() };
    one.promise = new Promise((resolve) => (one.done = resolve));
    queue = [...queue, one];
    show();
    store.saving = queue.length;
    store.tell("saving");
    if (!running) run();
    return one.promise;
  };
}
