/** Writes numbers for people. */

const NARROW = "\u202f";

/**
 * Returns the number of a value that may be bare or a value with its sd; null where there is none.
 * @param {number|{value: number, sd: number}|null|undefined} value
 */
export function bare(value) {
  if (value === null || value === undefined) return null;
  return typeof value === "number" ? value : value.value;
}

/** Returns a number with a fixed count of decimals, a real minus and thousands set apart. */
export function number(value, decimals = 1) {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  const [whole, part] = Math.abs(value).toFixed(decimals).split(".");
  const grouped = whole.length > 4 ? whole.replace(/\B(?=(\d{3})+$)/g, NARROW) : whole;
  return `${value < 0 ? "−" : ""}${grouped}${part ? `.${part}` : ""}`;
}

/** Returns a value and its sd, "18.24 ± 0.12". */
export function withSd(value, decimals = 1) {
  const one = number(bare(value), decimals);
  return value?.sd ? `${one} ± ${number(value.sd, decimals)}` : one;
}

/** Returns a time left in words. */
export function timeLeft(seconds) {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return "";
  if (seconds < 60) return `${Math.max(1, Math.round(seconds))} s left`;
  if (seconds < 3600) return `${Math.round(seconds / 60)} min left`;
  return `${(seconds / 3600).toFixed(1)} h left`;
}

/** Returns a count and its noun, "1 granum", "2 grana". */
export const count = (n, one, many) => `${n} ${n === 1 ? one : many}`;

/** Returns a word of the server for people, "low_confidence" as "low confidence". */
export const words = (name) => String(name).replaceAll("_", " ");

/** Returns a size in bytes for people. */
export const bytes = (n) => (n < 1e6 ? `${Math.ceil(n / 1e3)} kB` : `${(n / 1e6).toFixed(1)} MB`);
