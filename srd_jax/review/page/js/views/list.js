/** The files and the grana of the chosen one, at the side of the picture. */

import { h, keyed, set } from "../core/dom.js";
import { count, number, bare } from "../core/format.js";
import { isOpen, kind, kindWords, repeat, sign } from "../core/granum.js";
import { SHOWN, listed } from "../state/order.js";

function createdRow(store, pick) {
  return (granum) =>
    h(
      "li",
      {
        test: `granum-${granum.number}`,
        id: `granum-row-${granum.number}`,
        role: "option",
        onclick: () => pick(granum.number),
      },
      h("span", { class: "chip" }),
      h("span", { class: "n" }),
      h("span", { class: "srd" }),
      h("span", { class: "layers" }),
      h("span", { class: "origin" }),
    );
}

function updateRow(store, node, granum) {
  const chosen = granum.number === store.number;
  if (node.granum === granum && node.chosen === chosen) return;
  [node.granum, node.chosen] = [granum, chosen];
  const { value } = repeat(granum);
  const layers = bare(granum.values?.layers);
  set(node, {
    class: `row kind-${kind(granum)}${granum.pending ? ` pending ${granum.pending}` : ""}`,
    "aria-selected": String(chosen),
    "data-kind": kind(granum),
    "aria-label": `granum ${granum.number}, ${kindWords(granum)}`,
    title: granum.reason || kindWords(granum),
  });
  node.children[0].textContent = sign(granum) || "·";
  node.children[1].textContent = granum.number;
  node.children[2].textContent = `${number(bare(value), 1)}`;
  node.children[3].textContent = layers === null ? "–" : number(layers, 0);
  node.children[4].textContent = granum.manual?.length || granum.origin !== "machine" ? "✎" : "";
}

/** Returns the side list: its element and a function that brings it up to date. */
export function createList(store, { pick, choose, next, previous }) {
  const files = h("select", { test: "file-select", "aria-label": "Micrograph", onchange: () => choose(files.value) });
  const facts = h("p", { class: "facts", test: "file-facts" });
  const notes = h("p", { class: "facts note", test: "file-notes" });
  const bar = h("progress", { class: "thin", "aria-label": "Share of decided grana" });
  const tabs = Object.entries(SHOWN).map(([name, [words]]) =>
    h("button", { test: `show-${name}`, onclick: () => store.setOptions({ show: name }) }, words),
  );
  const order = h("input", {
    type: "checkbox",
    test: "order",
    onchange: () => store.setOptions({ order: order.checked ? "doubt" : "number" }),
  });
  const rows = h("ul", { class: "rows", role: "listbox", tabindex: "0", test: "granum-list", "aria-label": "Grana" });
  rows.addEventListener("keydown", (event) => {
    const step = { ArrowDown: next, ArrowUp: previous }[event.key];
    if (!step) return;
    event.preventDefault();
    step();
  });
  const srd = h("span", { class: "srd" }, "SRD nm");
  const none = h("p", { class: "facts none" });
  const advance = h("input", {
    type: "checkbox",
    test: "advance",
    onchange: () => store.setOptions({ advance: advance.checked }),
  });
  const node = h(
    "aside",
    { class: "side left", "aria-label": "Micrographs and grana" },
    h("div", { class: "pad" }, files, facts, notes, bar),
    h("div", { class: "pad split" }, h("div", { class: "segments", role: "group", "aria-label": "Which grana" }, tabs)),
    h("div", { class: "row head", "aria-hidden": "true" },
      h("span", { class: "chip" }), h("span", { class: "n" }, "No."), srd,
      h("span", { class: "layers" }, "layers"), h("span", { class: "origin" })),
    none,
    rows,
    h("div", { class: "pad foot" },
      h("label", { class: "check" }, order, "Doubtful ones first"),
      h("label", { class: "check" }, advance, "On to the next after A, R")),
  );
  let before = null;

  function updateFile() {
    const file = store.file();
    const all = store.state?.files ?? [];
    keyed(files, all, (one) => one.name, (one) => h("option", { value: one.name }),
      (option, one) => (option.textContent = `${one.name}${one.group ? ` · ${one.group}` : ""}`));
    files.value = store.name ?? "";
    const grana = store.grana();
    const decided = grana.filter((one) => !isOpen(one)).length;
    const scale = file?.px_per_nm ? `${number(file.px_per_nm, 3)} px/nm` : "no scale: lengths in px";
    facts.textContent = file
      ? `${file.columns} × ${file.rows} px, ${scale} · ${decided} of ${count(grana.length, "granum", "grana")} decided`
      : "No micrograph has been analysed yet.";
    const said = [file?.error, ...[file?.notes ?? []].flat()].filter(Boolean).join("; ");
    set(notes, { hidden: !said });
    notes.textContent = said;
    set(bar, { max: Math.max(1, grana.length) });
    bar.value = decided;
    srd.textContent = file?.px_per_nm ? "SRD nm" : "SRD px";
  }

  return {
    node,
    update() {
      updateFile();
      const { show, order: by } = store.options;
      tabs.forEach((tab) => set(tab, { "aria-pressed": String(tab.getAttribute("data-testid") === `show-${show}`) }));
      order.checked = by === "doubt";
      const grana = listed(store);
      keyed(rows, grana, (one) => one.number, createdRow(store, pick), (row, one) => updateRow(store, row, one));
      none.textContent = grana.length ? "" : store.grana().length ? "None of these." : "No grana.";
      set(none, { hidden: grana.length > 0 });
      const there = grana.some((one) => one.number === store.number);
      set(rows, { "aria-activedescendant": there ? `granum-row-${store.number}` : null });
      const selected = rows.querySelector('[aria-selected="true"]');
      // The list moves only if the selected row would be out of sight.
      if (selected && before !== store.number) selected.scrollIntoView({ block: "nearest" });
      before = store.number;
    },
  };
}
