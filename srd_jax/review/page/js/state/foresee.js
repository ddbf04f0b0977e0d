/** Foresees what edits make of the grana of a file until the server has answered. */

const DECISIONS = { accept: "accepted", reject: "rejected", reset_decision: null };

/** Returns the numbers of the grana that an operation names. */
export const about = (op) => op.grana ?? (op.granum === undefined ? [] : [op.granum]);

function decided(granum, decision) {
  const counts = decision === null ? granum.status === "ok" : decision === "accepted";
  return { ...granum, decision, counts, pending: granum.pending ?? "saving" };
}

function changed(granum, op) {
  if (op.do in DECISIONS) return decided(granum, DECISIONS[op.do]);
  const found = { ...granum, pending: "measuring" };
  // Values stay the measured ones: only what a person has set is known already.
  if (op.do === "outline") found.outline = op.outline;
  if (op.do === "direction" && op.direction_deg !== null) found.direction_deg = op.direction_deg;
  if (op.do === "period" && op.period_px !== null) found.period_px = op.period_px;
  return found;
}

/**
 * Returns the grana as an operation will leave them; `pending` tells what they wait for: saving or
 * measuring. New grana are not foreseen: the server numbers them.
 */
export function foreseen(grana, op) {
  const named = new Set(about(op));
  if (!named.size) return grana;
  if (op.do === "delete") return grana.filter((one) => !named.has(one.number));
  return grana.map((one) => (named.has(one.number) ? changed(one, op) : one));
}

/** Returns the lines of operations whose grana are yet to come: {points, closed}. */
export function drafts(ops) {
  return ops.flatMap((op) => {
    if (op.do === "add") return [{ points: op.outline, closed: true }];
    return op.do === "split" ? [{ points: op.line, closed: false }] : [];
  });
}
