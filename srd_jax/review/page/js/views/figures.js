/** The violins of what counts, drawn by the server; a point leads to its granum. */

import * as api from "../core/api.js";
import { h, set } from "../core/dom.js";
import { safeSvg } from "../picture/safe_svg.js";

/** Returns the file and number that the id of a point names; null for other ids. */
function granumOf(id, files) {
  const [, name, number] = /^point-(.*)-(\d+)$/.exec(id) ?? [];
  return files.some((file) => file.name === name) ? { name, number: Number(number) } : null;
}

/** Returns the view. */
export function createFigures(app) {
  const { store, notices } = app;
  const quantity = h("select", { test: "figure-quantity", "aria-label": "Quantity", onchange: () => draw() });
  const byGroup = h("input", { type: "checkbox", test: "figure-group", onchange: () => draw() });
  byGroup.checked = true;
  const plot = h("div", { class: "plot", test: "plot" });
  const node = h("section", { class: "view figures-view", test: "view-figures" },
    h("div", { class: "filters" }, quantity, h("label", { class: "check" }, byGroup, "by group"), h("span", { class: "gap" }),
      h("a", { class: "button", href: "/download.zip", download: "", test: "figure-download" }, "Download all")),
    h("figure", { class: "card" }, plot, h("figcaption", {}, "Points: grana that count, which are those accepted and those ok without a decision. Click one to see it on its micrograph.")));
  let asked = null;
  let shown = null;

  function mark() {
    plot.querySelectorAll(".point").forEach((point) => point.classList.toggle("selected", point.id === `point-${store.name}-${store.number}`));
  }

  function link(svg) {
    for (const point of svg.querySelectorAll('[id^="point-"]')) {
      const found = granumOf(point.id, store.state.files);
      if (!found) continue;
      set(point, { class: "point", tabindex: "0", role: "button", "aria-label": `granum ${found.number} of ${found.name}`, "data-testid": point.id });
      const open = () => {
        store.select(found.name, found.number);
        app.go("review");
      };
      point.addEventListener("click", open);
      point.addEventListener("keydown", (event) => event.key === "Enter" && (event.stopPropagation(), open()));
    }
  }

  async function draw() {
    const { columns = [], files = [] } = store.state ?? {};
    const before = quantity.value;
    if (quantity.options.length !== columns.length) {
      quantity.replaceChildren(...columns.map(({ name, label, unit }) => h("option", { value: name }, label.includes(unit) ? label : `${label} (${unit})`)));
      const names = columns.map(({ name }) => name);
      quantity.value = [before, "srd_nm", "period_px", names[0]].find((name) => names.includes(name)) ?? "";
    }
    if (!quantity.value || !files.length) {
      plot.replaceChildren(h("p", { class: "empty-words" }, "Nothing has been measured yet."));
      return;
    }
    const key = [quantity.value, byGroup.checked, store.revision(), files.map((file) => file.group)].join();
    if (key === shown) return mark();
    asked?.abort();
    asked = new AbortController();
    try {
      const svg = safeSvg(await api.violins(quantity.value, byGroup.checked, asked.signal));
      set(svg, { role: "group", "aria-label": `Violins of ${quantity.selectedOptions[0].textContent}` });
      link(svg);
      plot.replaceChildren(svg);
      shown = key;
      mark();
    } catch (error) {
      if (error.name === "AbortError") return undefined;
      plot.replaceChildren(h("p", { class: "empty-words" }, error.message));
      if (!error.status) notices.error(error.message);
    }
    return undefined;
  }

  return { name: "figures", title: "Figures", node, show: draw, hide: () => asked?.abort(), update: (what) => (what === "selection" ? mark() : draw()) };
}
