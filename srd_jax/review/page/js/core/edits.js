/** Sends edits one after the other, each with the revision it was made on and a key of its own. */

import * as api from "./api.js";
import { load, refresh } from "./loading.js";

const TRIES_MS = [400, 1000, 2500];

/** Returns 128 random bits; randomUUID is only there on secure origins. */
function randomKey() {
  const bits = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bits, (one) => one.toString(16).padStart(2, "0")).join("");
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Sends an edit, again with the same key where the connection failed: it is applied once. */
async function send(name, content) {
  for (const wait of TRIES_MS) {
    try {
      return await api.edit(name, content);
    } catch (error) {
      if (error.status) throw error;
      await pause(wait);
    }
  }
  return api.edit(name, content);
}

/**
 * Returns the function that applies an operation to a file.
 *
 * It resolves to the server's answer, or null where the edit was refused, of which the user is told.
 * An outline that waits gives way to a newer one of the same granum.
 */
export function createEdits(store, notices) {
  const waiting = [];
  let running = false;

  async function refused(name, op, error) {
    if (error.status === 409) {
      notices.warn(
        "This was changed in another tab or by another person meanwhile. " +
          "The picture is up to date again; your last step was not applied.",
      );
      await refresh(store);
    } else {
      notices.error(error.status ? `Refused: ${error.message}` : `Not saved. ${error.message}`);
    }
    await load(store, name, true).catch(() => {});
  }

  async function apply({ name, op }) {
    try {
      const content = { revision: store.revision(), key: randomKey(), op };
      const answer = await send(name, content);
      store.merge(name, answer);
      return answer;
    } catch (error) {
      await refused(name, op, error).catch((other) => notices.error(other.message));
      return null;
    }
  }

  async function run() {
    running = true;
    while (waiting.length) {
      const one = waiting.shift();
      one.done(await apply(one));
      store.saving = waiting.length;
      store.tell("saving");
    }
    running = false;
  }

  return function edit(name, op) {
    if (store.state?.read_only) {
      notices.warn("This page is read only: another one holds the pen.");
      return Promise.resolve(null);
    }
    const last = waiting.at(-1);
    if (op.do === "outline" && last?.op.do === "outline" && last.op.granum === op.granum) {
      last.op = op;
      return last.promise;
    }
    const one = { name, op };
    one.promise = new Promise((resolve) => (one.done = resolve));
    waiting.push(one);
    store.saving = waiting.length + (running ? 1 : 0);
    store.tell("saving");
    if (!running) run();
    return one.promise;
  };
}
