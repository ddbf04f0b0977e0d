/** The columns of the table of all grana: their words, values, order and widths. */

import { bare, number } from "../core/format.js";
import { kind, kindWords, quantity, sign } from "../core/granum.js";

const FIXED = [
  { name: "file", label: "Micrograph", of: (row) => row.file.name },
  { name: "number", label: "No.", of: (row) => row.granum.number, numeric: true, meaning: "of the granum, as on the picture" },
  { name: "group", label: "Group", of: (row) => row.file.group ?? "" },
  { name: "kind", label: "State", of: (row) => kind(row.granum), meaning: "the decision, or the machine's status where there is none" },
];
const LAST = [
  { name: "direction_deg", label: "direction", unit: "°", decimals: 0, meaning: "of the lamellae, counter-clockwise from the horizontal" },
  { name: "origin", label: "Origin", of: (row) => [row.granum.origin, ...(row.granum.manual ?? [])].join(", "), meaning: "who made it, and what was set by hand" },
  { name: "reason", label: "Reason", of: (row) => row.granum.reason ?? "" },
];
/** Quantities that stand first, in sight on narrow screens. */
const FIRST = ["srd_nm", "layers"];
const rank = ({ name }) => (FIRST.includes(name) ? FIRST.indexOf(name) : FIRST.length);
/** Most letters of a cell; longer ones are cut, and told in full by the pointer. */
const WIDEST = { file: 26, reason: 60 };
const OTHERS_WIDEST = 30;
/** Letters are narrower than digits, on average. */
const LETTER = 0.94;
const PADDING = { false: 2.2, true: 3.6 };

const collator = new Intl.Collator("en", { numeric: true });
const compare = (a, b) => (typeof a === "number" && typeof b === "number" ? a - b : collator.compare(a, b));

/** Returns the columns that any granum has a value of. */
export function columnsOf(rows, known) {
  const measured = known
    .filter(({ name }) => rows.some(({ granum }) => quantity(granum, name) !== null))
    .map((column) => ({ ...column, numeric: true, of: ({ granum }) => quantity(granum, column.name) }))
    .sort((a, b) => rank(a) - rank(b));
  const named = new Set(measured.map(({ name }) => name));
  const last = LAST.filter(({ name }) => !named.has(name)).map((column) =>
    column.of ? column : { ...column, numeric: true, of: ({ granum }) => bare(granum[column.name]) });
  return [...FIXED, ...measured, ...last];
}

/** Returns the rows sorted by a column; those without a value come last either way. */
export function sorted(rows, column, down) {
  const keys = new Map(rows.map((row) => [row, column.of(row)]));
  return [...rows].sort((one, other) => {
    const [a, b] = [keys.get(one), keys.get(other)];
    const missing = (a === null) - (b === null);
    const order = missing || (a === null ? 0 : compare(a, b) * (down ? -1 : 1));
    return order || compare(one.file.name, other.file.name) || one.granum.number - other.granum.number;
  });
}

function textOf(column, row) {
  if (column.name === "kind") return `${sign(row.granum)} ${kindWords(row.granum)}`.trim();
  const value = column.of(row);
  return column.numeric ? number(value, column.decimals ?? 0) : value;
}

/** Returns the texts of a row's cells, which it keeps. */
export function textsOf(columns, row) {
  if (row.columns !== columns) {
    row.columns = columns;
    row.texts = columns.map((column) => textOf(column, row));
  }
  return row.texts;
}

/** Returns the words of a column's head without its unit. */
export const headOf = ({ label, unit }) => label.replace(` (${unit})`, "");

/** Returns the widths of columns in digits, by their longest texts: they stay while rows come and go. */
export function widthsOf(columns, rows) {
  const texts = rows.map((row) => textsOf(columns, row));
  return columns.map((column, i) => {
    const head = headOf(column).length + (column.unit ? column.unit.length + 1 : 0) + 2;
    const longest = texts.reduce((most, one) => Math.max(most, one[i].length), head);
    const shown = Math.min(longest, WIDEST[column.name] ?? OTHERS_WIDEST);
    return shown * (column.numeric ? 1 : LETTER) + PADDING[Boolean(column.numeric)] + (column.name === "kind" ? 2 : 0);
  });
}
