/** The table of all grana: sorted, filtered, linked to the picture. */

import { h, keyed, set } from "../core/dom.js";
import { count } from "../core/format.js";
import { counts, kind, kindWords } from "../core/granum.js";
import { loadAll } from "../state/loading.js";
import { createWindow } from "../core/window.js";
import { columnsOf, headOf, sorted, textsOf, widthsOf } from "./columns.js";
import { createDetail } from "./detail.js";

const KINDS = { "": "all states", counts: "counts in means", ok: "ok", low_confidence: "low confidence", error: "error", accepted: "accepted", rejected: "rejected" };

function matches({ file, granum }, { words, state, group }) {
  if (state === "counts" ? !counts(granum) : state && kind(granum) !== state) return false;
  if (group && (file.group ?? "") !== group) return false;
  if (!words.length) return true;
  const all = [file.name, file.group, granum.number, kindWords(granum), granum.origin, granum.reason].join(" ").toLowerCase();
  return words.every((word) => all.includes(word));
}

/** Returns the view. */
export function createTable(app) {
  const { store, actions, notices } = app;
  const filter = { words: [], state: "", group: "" };
  let sort = { name: "file", down: false };
  let shownHead = "";
  let revealed = null;
  const again = () => {
    drawn = [];
    update();
  };
  const search = h("input", { type: "search", test: "filter-text", "aria-label": "Filter", placeholder: "Filter by name, group, reason …", oninput: () => {
    filter.words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    again();
  } });
  const state = h("select", { test: "filter-state", "aria-label": "State", onchange: () => (filter.state = state.value, again()) },
    Object.entries(KINDS).map(([value, words]) => h("option", { value }, words)));
  const group = h("select", { test: "filter-group", "aria-label": "Group", onchange: () => (filter.group = group.value, again()) });
  const total = h("span", { class: "muted", role: "status", test: "table-count" });
  const widths = h("colgroup");
  const head = h("tr", { "aria-rowindex": "1" });
  const body = h("tbody");
  const detail = createDetail(app, actions, "table");
  // A grid: screen readers follow the row that is chosen, and know how many there are.
  const table = h("table", { class: "grana", test: "grana-table", role: "grid", tabindex: "0", "aria-label": "Grana; arrows choose, Enter shows the picture" },
    widths, h("thead", {}, head), body);
  const space = h("div", { class: "space" }, table);
  const scroll = h("div", { class: "scroll", test: "table-scroll" }, space);
  const rows = createWindow({ scroll, space, head, body }, { keyOf: ({ key }) => key, create: created, update: updateRow });
  table.addEventListener("keydown", (event) => {
    const by = { ArrowDown: 1, ArrowUp: -1, PageDown: rows.page(), PageUp: -rows.page(), Home: -Infinity, End: Infinity }[event.key];
    if (by) {
      event.preventDefault();
      stepBy(by);
    } else if (event.key === "Enter" && event.target === table) {
      event.preventDefault();
      actions.show();
    }
  });
  const node = h("section", { class: "view table-view", test: "view-table" },
    h("div", { class: "main-column" }, h("div", { class: "filters" }, search, state, group, total,
      h("span", { class: "gap" }), h("a", { class: "button", href: "/download.zip", download: "", test: "table-download" }, "Download all")), scroll),
    detail.node);
  let all = [];
  let visible = [];
  let columns = [];
  /** What the rows were made of: where it is the same, so are they. */
  let drawn = [];

  const columnNames = () => (store.state?.columns ?? []).map(({ name }) => name).join();
  const isChosen = ({ file, granum }) => file.name === store.name && granum.number === store.number;

  function stepBy(by) {
    const at = visible.findIndex(isChosen);
    const next = visible[Math.min(Math.max(at < 0 ? (by > 1 ? visible.length - 1 : 0) : at + by, 0), visible.length - 1)];
    if (next) store.select(next.file.name, next.granum.number);
  }

  function sortBy(name) {
    sort = { name, down: sort.name === name && !sort.down };
    again();
  }

  function updateHead() {
    const key = JSON.stringify([columns.map(({ name }) => name), sort]);
    if (key === shownHead) return;
    shownHead = key;
    head.replaceChildren(...columns.map((column) => {
      const { name, unit, meaning, numeric } = column;
      const mine = sort.name === name;
      return h("th", { scope: "col", class: numeric ? "num" : null, "aria-sort": mine ? (sort.down ? "descending" : "ascending") : "none", title: meaning },
        h("button", { test: `sort-${name}`, onclick: () => sortBy(name) }, headOf(column), unit ? h("span", { class: "unit" }, ` ${unit}`) : null, h("i", { "aria-hidden": "true" }, mine ? (sort.down ? " ↓" : " ↑") : "")));
    }));
  }

  function created({ file, granum }) {
    return h("tr", { test: `row-${file.name}-${granum.number}`,
      onclick: () => store.select(file.name, granum.number),
      ondblclick: () => actions.show() });
  }

  function updateRow(node, row, index) {
    const { granum } = row;
    const waits = granum.pending ? ` pending ${granum.pending}` : "";
    set(node, { id: `grana-row-${index}`, class: `kind-${kind(granum)}${waits}`, "aria-selected": String(isChosen(row)), "aria-rowindex": index + 2 });
    if (node.row === row && node.columns === columns) return;
    [node.row, node.columns] = [row, columns];
    const texts = textsOf(columns, row);
    node.replaceChildren(...columns.map((column, i) => {
      const text = texts[i];
      if (column.name === "kind") return h("td", {}, h("span", { class: `badge kind-${kind(granum)}` }, text));
      if (column.numeric) return h("td", { class: "num", "data-column": column.name }, text);
      return h("td", { class: column.name, title: text || null }, text);
    }));
  }

  /** Makes the rows anew where files or grana have changed; tells whether they have. */
  function collect() {
    const files = store.state?.files ?? [];
    const made = [columnNames(), ...files.flatMap((file) => [file.name, file.group, file.changed, store.grana(file.name)])];
    if (made.length === drawn.length && made.every((one, i) => one === drawn[i])) return false;
    drawn = made;
    const old = new Map(all.map((row) => [row.key, row]));
    all = files.flatMap((file) => store.grana(file.name).map((granum) => {
      const key = `${file.name}/${granum.number}`;
      const known = old.get(key);
      return known?.granum === granum && known.file.group === file.group ? known : { key, file, granum };
    }));
    const found = columnsOf(all, store.state?.columns ?? []);
    if (found.map(({ name }) => name).join() !== columns.map(({ name }) => name).join()) columns = found;
    visible = sorted(all.filter((row) => matches(row, filter)), columns.find(({ name }) => name === sort.name) ?? columns[0], sort.down);
    const digits = widthsOf(columns, all);
    keyed(widths, digits.map((width, i) => ({ width, i })), ({ i }) => i, () => h("col"), (column, { width }) => (column.style.width = `${width}ch`));
    table.style.width = `${digits.reduce((sum, width) => sum + width, 0)}ch`;
    return true;
  }

  function update() {
    if (collect()) {
      updateHead();
      const counted = visible.filter(({ granum }) => counts(granum)).length;
      const other = (store.state?.files ?? []).filter((file) => file.changed).length;
      const earlier = other ? `; ${count(other, "micrograph has", "micrographs have")} values by an earlier scale` : "";
      total.textContent = `${count(visible.length, "granum", "grana")}${visible.length < all.length ? ` of ${all.length}` : ""}, ${counted} in means${earlier}`;
      const groups = [...new Set((store.state?.files ?? []).map((file) => file.group).filter(Boolean))];
      keyed(group, ["", ...groups], (one) => one, (one) => h("option", { value: one }, one || "all groups"), () => {});
      set(group, { hidden: !groups.length });
      set(table, { "aria-rowcount": visible.length + 1 });
    }
    rows.show(visible);
    detail.update();
    const at = visible.findIndex(isChosen);
    set(table, { "aria-activedescendant": at < 0 ? null : `grana-row-${at}` });
    const key = `${store.name}/${store.number}`;
    if (key !== revealed && at >= 0) rows.reveal(at);
    revealed = key;
  }

  async function fetch() {
    try {
      await loadAll(store);
    } catch (error) {
      notices.error(error.message);
    }
  }
  return {
    name: "table",
    title: "Table",
    node,
    async show() {
      revealed = null;
      update();
      await fetch();
      // Those that have come since stand above the chosen one, perhaps.
      revealed = null;
      if (node.isConnected) update();
    },
    hide: () => {},
    update(what) {
      update();
      if (what === "state") fetch();
    },
  };
}
