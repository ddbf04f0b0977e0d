/** The values of a granum: the machine's and the present ones side by side. */

import { h, keyed, set } from "../core/dom.js";
import { bare, number, withSd } from "../core/format.js";

const ALWAYS = [
  { name: "direction_deg", label: "direction", unit: "°", decimals: 1, meaning: "of the lamellae, counter-clockwise from the horizontal" },
  { name: "period_px", label: "period", unit: "px", decimals: 2, meaning: "distance of neighbouring lamellae in px of the micrograph" },
];

/** Returns the value of a quantity with its sd, of a granum or of the machine's one. */
const of = (granum, name) => granum?.values?.[name] ?? granum?.[name] ?? null;

/** Returns the name of the quantity without the unit that stands in its own column. */
const short = ({ label, unit }) => (unit ? label.replace(` (${unit})`, "") : label);

/** Names of columns that a field set by hand stands for. */
const MANUAL = { period: /^(srd|period)/, direction: /^direction/, outline: /^(area|perimeter)/ };

function byHand(granum, name) {
  return (granum.manual ?? []).some((field) => {
    const key = field.replace(/_(px|deg|nm)$/, "");
    return MANUAL[key]?.test(name) ?? field === name;
  });
}

/** Returns the table: its element and a function that shows a granum. */
export function createValues() {
  const body = h("tbody");
  const present = h("th", { scope: "col", title: "after the edits" }, "Now");
  const node = h(
    "table",
    { class: "values", test: "values" },
    h("thead", {}, h("tr", {}, h("th", { scope: "col" }, h("span", { class: "unseen" }, "Quantity")), h("th", { scope: "col" }, "Machine"), present)),
    body,
  );

  function created(column) {
    return h("tr", { test: `value-${column.name}` }, h("th", { scope: "row" }), h("td", { class: "machine" }), h("td", { class: "now" }));
  }

  function update(node, column, granum) {
    const [label, machine, now] = node.children;
    const was = of(granum.machine, column.name);
    const is = of(granum, column.name);
    const changed = granum.machine && Math.abs((bare(was) ?? NaN) - (bare(is) ?? NaN)) > 10 ** -column.decimals / 2;
    label.replaceChildren(short(column), " ", h("span", { class: "unit" }, column.unit));
    set(label, { title: column.meaning });
    machine.textContent = number(bare(was), column.decimals);
    set(machine, { title: granum.machine ? withSd(was, column.decimals) : "the machine has not found it" });
    const hand = byHand(granum, column.name);
    now.replaceChildren(number(bare(is), column.decimals), h("span", { class: "sd" }, is?.sd ? ` ± ${number(is.sd, column.decimals)}` : ""), ...(hand ? [h("span", { class: "hand", title: "set by hand" }, " ✎")] : []));
    set(now, { class: `now${changed || (granum.machine && (was === null) !== (is === null)) ? " changed" : ""}`, "data-value": bare(is) });
  }

  return {
    node,
    show(granum, columns) {
      const known = columns.filter(({ name }) => of(granum, name) !== null || of(granum.machine, name) !== null);
      const rows = [...known, ...ALWAYS.filter((one) => !known.some(({ name }) => name === one.name))];
      keyed(body, rows, (one) => one.name, created, (row, one) => update(row, one, granum));
    },
  };
}
