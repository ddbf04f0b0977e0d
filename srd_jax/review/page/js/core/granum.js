/** Says of a granum how it counts and how it is shown. */

import { bare } from "./format.js";

/** Signs that tell states apart without colour. */
const SIGNS = { accepted: "✓", rejected: "×", low_confidence: "?", error: "!", ok: "" };
const WORDS = {
  accepted: "accepted",
  rejected: "rejected",
  ok: "ok",
  low_confidence: "low confidence",
  error: "error",
};

/** The order in which grana want to be looked at. */
const URGENCY = { error: 0, low_confidence: 1, ok: 2, accepted: 3, rejected: 4 };

/** Returns accepted, rejected, or the machine's status where nobody has decided. */
export const kind = (granum) => granum.decision ?? granum.status;

/** Returns the sign beside the number. */
export const sign = (granum) => SIGNS[kind(granum)] ?? "";

/** Returns the kind in words. */
export const kindWords = (granum) => WORDS[kind(granum)] ?? kind(granum);

/** Returns the place of a granum among those to look at, the most urgent first. */
export const urgency = (granum) => URGENCY[kind(granum)] ?? 2;

/** Tells whether means hold a granum. */
export const counts = (granum) =>
  granum.counts ?? (kind(granum) === "accepted" || kind(granum) === "ok");

/** Tells whether a person has yet to look at a granum. */
export const isOpen = (granum) => granum.decision === null || granum.decision === undefined;

/** Returns the number of a quantity by its column's name; null where it wasn't measured. */
export function quantity(granum, name) {
  const found = granum.values?.[name];
  if (found !== undefined) return bare(found);
  return name in granum ? bare(granum[name]) : null;
}

/** Returns the repeat distance as a list shows it: name of the column and value. */
export function repeat(granum) {
  const name = granum.values?.srd_nm ? "srd_nm" : "period_px";
  return { name, value: granum.values?.[name] ?? granum.period_px ?? null };
}
