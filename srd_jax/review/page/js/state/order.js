/** The order of grana in the list, which N and P follow. */

import { isOpen, kind, urgency } from "../core/granum.js";

/** Words and condition of each choice of grana. */
export const SHOWN = {
  all: ["All", () => true],
  doubtful: ["Doubtful", (one) => ["low_confidence", "error"].includes(kind(one))],
  open: ["Undecided", isOpen],
};

/** Returns the grana of the file in the order and choice of the list, the selected one in any case. */
export function listed(store) {
  const { order, show } = store.options;
  const found = store.grana().filter((one) => SHOWN[show][1](one) || one.number === store.number);
  if (order === "doubt") found.sort((a, b) => urgency(a) - urgency(b) || a.number - b.number);
  return found;
}
