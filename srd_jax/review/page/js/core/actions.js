/** What buttons and keys do with the selected granum. */

import { listed } from "../state/order.js";

/** Returns the actions of the app. */
export function createActions(app) {
  const { store, notices } = app;

  /** Returns the granum so many places on in the list; null at its end. */
  function neighbour(step, from = store.number) {
    const order = listed(store);
    if (!order.length) return null;
    const at = order.findIndex((one) => one.number === from);
    if (at < 0) return order[step > 0 ? 0 : order.length - 1];
    return order[at + step] ?? null;
  }

  function step(by) {
    const from = app.stage.second() ?? store.number;
    const next = neighbour(by, from);
    if (!next) {
      if (store.grana().length) notices.info(by > 0 ? "That was the last granum." : "That was the first granum.");
      return;
    }
    if (!app.stage.offer(next.number)) store.select(store.name, next.number);
  }

  function decide(op) {
    const granum = store.granum();
    if (!granum) {
      notices.warn("Select a granum first.");
      return;
    }
    const next = neighbour(1);
    app.edit(store.name, { do: op, granum: granum.number });
    if (store.options.advance && op !== "reset_decision" && next) store.select(store.name, next.number);
  }

  async function remove() {
    const granum = store.granum();
    if (!granum) return;
    const [name, next] = [store.name, neighbour(1) ?? neighbour(-1)];
    app.stage.leave();
    const asked = app.edit(name, { do: "delete", granum: granum.number });
    if (store.state.read_only) return;
    store.select(name, next?.number ?? null);
    if (await asked) notices.info(`Granum ${granum.number} is deleted; Ctrl+Z brings it back.`);
    else if (store.name === name) store.select(name, granum.number);
  }

  async function history(op, words) {
    if (!store.name) return;
    const known = store.history.get(store.name);
    // Edits on their way can be taken back as soon as they have come.
    if (known && !known[op] && !store.waiting().length) {
      notices.info(`Nothing to ${op}.`);
      return;
    }
    const answer = await app.edit(store.name, { do: op });
    if (!answer) return;
    if (store.granum() === null) store.select(store.name, answer.changed[0]?.number ?? null);
    notices.info(words);
  }

  return {
    next: () => step(1),
    previous: () => step(-1),
    accept: () => decide("accept"),
    reject: () => decide("reject"),
    reset: () => decide("reset_decision"),
    remove,
    undo: () => history("undo", "Taken back."),
    redo: () => history("redo", "Done again."),
    hide: () => store.setOptions({ hidden: !store.options.hidden }),
    show: () => app.go("review"),
  };
}
