/** The view of files: hand in micrographs, state scales and groups, run the analysis. */

import * as api from "../core/api.js";
import { h, keyed, set, setValue } from "../core/dom.js";
import { number } from "../core/format.js";
import { icon } from "../core/icons.js";
import { createIntake } from "./intake.js";
import { createRun } from "./run.js";
import { createScaleDialog } from "./scale_dialog.js";

const SCALES = [
  ["tags", "of the file"],
  ["px_per_nm", "px per nm"],
  ["bar_nm", "scale bar, nm"],
];

/** Returns the rows: files that are analysed, and what waits, a file of both only once. */
function rowsOf(state) {
  const rows = new Map();
  for (const file of state?.files ?? []) rows.set(file.name, { ...file, waits: file.changed });
  for (const one of state?.pending ?? []) {
    rows.set(one.name, { ...rows.get(one.name), ...one, waits: true });
  }
  return [...rows.values()];
}

/** Returns how a row's scale is stated. */
function scaleOf({ given, ...row }) {
  // An analysed file's px_per_nm is what was found; what was given stands apart.
  const { px_per_nm: scale, bar_nm: bar } = given ?? row;
  if (scale) return ["px_per_nm", scale];
  return bar ? ["bar_nm", bar] : ["tags", null];
}

function stateOf(row) {
  if (row.error) return ["error", row.error];
  if (row.waits) return ["waits", row.grana === undefined ? "waits for the analysis" : "changed, waits for the analysis"];
  const doubt = row.doubtful ? `, ${row.doubtful} doubtful` : "";
  return ["done", `${row.grana} grana${doubt}, ${row.decided} decided`];
}

/** Returns the view. */
export function createFiles(app) {
  const { store, notices } = app;
  const dialog = createScaleDialog(app);
  const intake = createIntake(app);
  const run = createRun(app);
  const body = h("tbody");
  const checked = new Set();

  async function attempt(action) {
    try {
      await action();
      await app.refresh();
    } catch (error) {
      notices.error(error.message);
      update();
    }
  }

  const save = (names, setting) =>
    attempt(() => api.setSettings(Object.fromEntries(names.map((name) => [name, setting]))));

  /** Reads the scale in inputs; null: of the file; undefined: not to be read, of which it tells. */
  function scaleIn(select, input) {
    if (select.value === "tags") return { px_per_nm: null };
    const value = Number(input.value.trim().replace(",", "."));
    if (value > 0) return { [select.value]: value };
    if (input.value.trim()) notices.warn(`“${input.value}” is no scale; accepted: a number above 0.`);
    return undefined;
  }

  const choices = () => SCALES.map(([value, words]) => h("option", { value }, words));

  function created(row) {
    const { name } = row;
    const check = h("input", {
      type: "checkbox",
      test: `check-${name}`,
      "aria-label": `choose ${name}`,
      onchange: () => (checked[check.checked ? "add" : "delete"](name), updateBulk()),
    });
    const select = h("select", { test: `scale-kind-${name}`, "aria-label": `scale of ${name}`, onchange: () => {
      set(input, { hidden: select.value === "tags" });
      if (select.value === "tags") save([name], { px_per_nm: null });
      else input.focus();
    } }, choices());
    const input = h("input", { class: "short", inputmode: "decimal", test: `scale-${name}`, "aria-label": `scale of ${name}, number`, onchange: () => {
      const scale = scaleIn(select, input);
      if (scale) save([name], scale);
    } });
    const ruler = h("button", { class: "ghost", test: `ruler-${name}`, title: "Draw a line over the scale bar", onclick: () => measure(name) }, icon("ruler"), h("span", { class: "unseen" }, `Draw over the scale bar of ${name}`));
    const group = h("input", { class: "group", test: `group-${name}`, "aria-label": `group of ${name}`, placeholder: "none", list: "groups", onchange: () => save([name], { group: group.value.trim() }) });
    const link = h("button", { class: "link", test: `open-${name}`, onclick: () => {
      store.select(name, null);
      app.go("review");
    } }, name);
    const remove = h("button", { class: "ghost", test: `remove-${name}`, title: "Take it off the list", onclick: () => attempt(() => api.removeFile(name)) }, icon("cross"), h("span", { class: "unseen" }, `Take ${name} off the list`));
    const cells = [[check], [link, h("span", { class: "path" })], [h("span", { class: "scale" }, select, input, ruler)], [h("span", { class: "found" })], [group], [], [], [remove]];
    const node = h("tr", { test: `file-${name}` }, cells.map((cell, i) => h("td", { class: i === 5 ? "num" : null }, cell)));
    node.parts = { check, select, input, ruler, group, link, remove };
    return node;
  }

  function updateRow(node, row) {
    const { check, select, input, ruler, group, link, remove } = node.parts;
    const [how, value] = scaleOf(row);
    check.checked = checked.has(row.name);
    if (![select, input].includes(document.activeElement)) {
      select.value = how;
      set(input, { hidden: how === "tags" });
    }
    setValue(input, value === null ? "" : String(value));
    set(ruler, { disabled: !(row.whole ?? row.tiles) });
    setValue(group, row.group ?? "");
    set(remove, { hidden: row.grana !== undefined && !row.error });
    set(link, { disabled: row.grana === undefined || Boolean(row.error) });
    const cells = node.children;
    cells[1].lastChild.textContent = row.file && row.file !== row.name ? row.file : "";
    cells[3].firstChild.textContent = row.px_per_nm ? `${number(row.px_per_nm, 3)} px/nm` : row.grana === undefined ? "" : "none: px only";
    set(cells[3].firstChild, { title: row.source });
    cells[5].textContent = row.columns ? `${row.columns} × ${row.rows}` : "";
    const [state, words] = stateOf(row);
    cells[6].textContent = words;
    set(cells[6], { class: `state ${state}`, "data-state": state });
  }

  async function measure(name) {
    const row = rowsOf(store.state).find((one) => one.name === name);
    const bar = await dialog.ask(row);
    if (bar) save([name], { bar });
  }

  const all = h("input", { type: "checkbox", test: "check-all", "aria-label": "choose all files", onchange: () => {
    checked.clear();
    if (all.checked) rowsOf(store.state).forEach((row) => checked.add(row.name));
    update();
  } });
  const bulkKind = h("select", { test: "bulk-scale-kind", "aria-label": "scale of the chosen files" }, h("option", { value: "" }, "scale as it is"), choices());
  const bulkScale = h("input", { class: "short", inputmode: "decimal", test: "bulk-scale", "aria-label": "scale of the chosen files, number", placeholder: "number" });
  const bulkGroup = h("input", { class: "group", test: "bulk-group", "aria-label": "group of the chosen files", placeholder: "group as it is", list: "groups" });
  const bulkApply = h("button", { test: "bulk-apply", onclick: () => {
    const setting = {};
    if (bulkKind.value) {
      const scale = scaleIn(bulkKind, bulkScale);
      if (!scale) return;
      Object.assign(setting, scale);
    }
    if (bulkGroup.value.trim()) setting.group = bulkGroup.value.trim();
    if (Object.keys(setting).length) save([...checked], setting);
  } }, "Apply");
  const chosen = h("span", { class: "muted" });
  const bulk = h("div", { class: "bulk" }, chosen, bulkKind, bulkScale, bulkGroup, bulkApply);
  const groups = h("datalist", { id: "groups" });
  const table = h("div", { class: "scroll card" },
    h("table", { class: "files" },
      h("thead", {}, h("tr", {}, h("th", {}, all), ["Micrograph", "Scale stated", "Scale", "Group", "Size, px", "State", ""].map((words) => h("th", { scope: "col" }, words)))),
      body));
  const none = h("p", { class: "empty-words" }, "No micrographs yet. Drop some above, or draw the demo to try everything out.");
  const node = h("section", { class: "view files-view", test: "view-files" },
    h("div", { class: "main-column" }, intake.node, bulk, table, none, groups), run.node);

  function updateBulk() {
    set(bulk, { hidden: !checked.size });
    chosen.textContent = `${checked.size} chosen:`;
  }

  function update() {
    const rows = rowsOf(store.state);
    const names = new Set(rows.map((row) => row.name));
    for (const name of checked) if (!names.has(name)) checked.delete(name);
    all.checked = rows.length > 0 && checked.size === rows.length;
    keyed(body, rows, (row) => row.name, created, updateRow);
    set(table, { hidden: !rows.length });
    set(none, { hidden: rows.length > 0 });
    const known = [...new Set(rows.map((row) => row.group).filter(Boolean))];
    keyed(groups, known, (one) => one, (one) => h("option", { value: one }), () => {});
    updateBulk();
    run.update();
  }

  return { name: "files", title: "Files", node, show: update, hide: () => {}, update: (what) => what === "state" && update() };
}
