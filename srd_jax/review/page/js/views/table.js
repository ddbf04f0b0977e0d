/** The table of all grana: sorted, filtered, linked to the picture. */

import { h, keyed, set } from "../core/dom.js";
import { bare, count, number } from "../core/format.js";
import { counts, kind, kindWords, quantity, sign } from "../core/granum.js";
import { loadAll } from "../core/loading.js";
import { createDetail } from "./detail.js";

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
const KINDS = { "": "all states", counts: "counts in means", ok: "ok", low_confidence: "low confidence", error: "error", accepted: "accepted", rejected: "rejected" };

const compare = (a, b) => {
  if (a === null || b === null) return (a === null) - (b === null);
  return typeof a === "number" ? a - b : String(a).localeCompare(String(b), "en", { numeric: true });
};

/** Quantities that stand first, in sight on narrow screens. */
const FIRST = ["srd_nm", "layers"];
const rank = ({ name }) => (FIRST.includes(name) ? FIRST.indexOf(name) : FIRST.length);

/** Returns the columns that any granum has a value of. */
function columnsOf(rows, known) {
  const measured = known
    .filter(({ name }) => rows.some(({ granum }) => quantity(granum, name) !== null))
    .map((column) => ({ ...column, numeric: true, of: ({ granum }) => quantity(granum, column.name) }))
    .sort((a, b) => rank(a) - rank(b));
  const named = new Set(measured.map(({ name }) => name));
  const last = LAST.filter(({ name }) => !named.has(name)).map((column) => column.of ? column : { ...column, numeric: true, of: ({ granum }) => bare(granum[column.name]) });
  return [...FIXED, ...measured, ...last];
}

function matches({ file, granum }, { text, state, group }) {
  if (state === "counts" ? !counts(granum) : state && kind(granum) !== state) return false;
  if (group && (file.group ?? "") !== group) return false;
  const all = [file.name, file.group, granum.number, kindWords(granum), granum.origin, granum.reason].join(" ");
  return text.toLowerCase().split(/\s+/).every((word) => all.toLowerCase().includes(word));
}

/** Returns the view. */
export function createTable(app) {
  const { store, actions, notices } = app;
  const filter = { text: "", state: "", group: "" };
  let sort = { name: "file", down: false };
  let shownHead = "";
  let revealed = null;
  const search = h("input", { type: "search", test: "filter-text", "aria-label": "Filter", placeholder: "Filter by name, group, reason …", oninput: () => (filter.text = search.value, update()) });
  const state = h("select", { test: "filter-state", "aria-label": "State", onchange: () => (filter.state = state.value, update()) },
    Object.entries(KINDS).map(([value, words]) => h("option", { value }, words)));
  const group = h("select", { test: "filter-group", "aria-label": "Group", onchange: () => (filter.group = group.value, update()) });
  const total = h("span", { class: "muted", role: "status", test: "table-count" });
  const head = h("tr");
  const body = h("tbody");
  const detail = createDetail(app, actions, "table");
  const scroll = h("div", { class: "scroll", tabindex: "0", test: "table-scroll", "aria-label": "Grana" },
    h("table", { class: "grana", test: "grana-table" }, h("thead", {}, head), body));
  scroll.addEventListener("keydown", (event) => {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (by) {
      event.preventDefault();
      stepBy(by);
    } else if (event.key === "Enter" && event.target === scroll) {
      event.preventDefault();
      actions.show();
    }
  });
  const node = h("section", { class: "view table-view", test: "view-table" },
    h("div", { class: "main-column" }, h("div", { class: "filters" }, search, state, group, total,
      h("span", { class: "gap" }), h("a", { class: "button", href: "/download.zip", download: "", test: "table-download" }, "Download all")), scroll),
    detail.node);
  let visible = [];

  function stepBy(by) {
    const at = visible.findIndex(({ file, granum }) => file.name === store.name && granum.number === store.number);
    const next = visible[at < 0 ? 0 : Math.min(Math.max(at + by, 0), visible.length - 1)];
    if (next) store.select(next.file.name, next.granum.number);
  }

  function sortBy(name) {
    sort = { name, down: sort.name === name && !sort.down };
    update();
  }

  function updateHead(columns) {
    const key = JSON.stringify([columns.map(({ name }) => name), sort]);
    if (key === shownHead) return;
    shownHead = key;
    head.replaceChildren(...columns.map(({ name, label, unit, meaning, numeric }) => {
      const mine = sort.name === name;
      const text = label.replace(` (${unit})`, "");
      return h("th", { scope: "col", class: numeric ? "num" : null, "aria-sort": mine ? (sort.down ? "descending" : "ascending") : "none", title: meaning },
        h("button", { test: `sort-${name}`, onclick: () => sortBy(name) }, text, unit ? h("span", { class: "unit" }, ` ${unit}`) : null, h("i", { "aria-hidden": "true" }, mine ? (sort.down ? " ↓" : " ↑") : "")));
    }));
  }

  function created({ file, granum }) {
    return h("tr", { test: `row-${file.name}-${granum.number}`,
      onclick: () => store.select(file.name, granum.number),
      ondblclick: () => actions.show() });
  }

  function updateRow(node, row, columns, version) {
    const { file, granum } = row;
    const selected = file.name === store.name && granum.number === store.number;
    set(node, { class: `kind-${kind(granum)}`, "aria-selected": String(selected) });
    if (node.granum === granum && node.version === version) return;
    node.granum = granum;
    node.version = version;
    node.replaceChildren(...columns.map((column) => {
      const value = column.of(row);
      if (column.name === "kind") return h("td", {}, h("span", { class: `badge kind-${value}` }, `${sign(granum)} ${kindWords(granum)}`.trim()));
      if (!column.numeric) return h("td", { class: column.name, title: column.name === "reason" ? value : null }, value);
      return h("td", { class: "num", "data-column": column.name }, number(value, column.decimals ?? 0));
    }));
  }

  function update() {
    const rows = (store.state?.files ?? []).flatMap((file) => store.grana(file.name).map((granum) => ({ file, granum })));
    const columns = columnsOf(rows, store.state?.columns ?? []);
    const by = columns.find(({ name }) => name === sort.name) ?? FIXED[0];
    visible = rows.filter((row) => matches(row, filter));
    visible.sort((a, b) => {
      const [x, y] = [by.of(a), by.of(b)];
      const order = x === null || y === null ? compare(x, y) : compare(x, y) * (sort.down ? -1 : 1);
      return order || compare(a.file.name, b.file.name) || a.granum.number - b.granum.number;
    });
    updateHead(columns);
    const version = JSON.stringify(columns.map(({ name }) => name));
    keyed(body, visible, ({ file, granum }) => `${file.name}/${granum.number}`, created, (node, row) => updateRow(node, row, columns, `${version}${row.file.group}`));
    const counted = visible.filter(({ granum }) => counts(granum)).length;
    total.textContent = `${count(visible.length, "granum", "grana")}${visible.length < rows.length ? ` of ${rows.length}` : ""}, ${counted} in means`;
    const groups = [...new Set((store.state?.files ?? []).map((file) => file.group).filter(Boolean))];
    keyed(group, ["", ...groups], (one) => one, (one) => h("option", { value: one }, one || "all groups"), () => {});
    set(group, { hidden: !groups.length });
    detail.update();
    const key = `${store.name}/${store.number}`;
    if (key !== revealed) body.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: "nearest" });
    revealed = key;
  }

  const fetch = () => loadAll(store).catch((error) => notices.error(error.message));
  return {
    name: "table",
    title: "Table",
    node,
    show() {
      revealed = null;
      update();
      fetch();
    },
    hide: () => {},
    update(what) {
      update();
      if (what === "state") fetch();
    },
  };
}
