/** The selected granum: turned picture, decision, values, and what can be set by hand. */

import * as api from "../core/api.js";
import { h, set, setValue } from "../core/dom.js";
import { bare, number } from "../core/format.js";
import { icon } from "../core/icons.js";
import { kind, kindWords, sign } from "../core/granum.js";
import { createValues } from "./values.js";

const ORIGINS = { machine: "", edited: "outline edited", drawn: "drawn by hand", split: "from a cut", joined: "joined" };

/** Reads a number typed by hand, with a comma or a point; NaN where it is none. */
const typed = (input) => (input.value.trim() ? Number(input.value.trim().replace(",", ".")) : NaN);

/** Returns a field for a number set by hand, with a button that gives it back to the machine. */
function field(name, words, unit, send) {
  const input = h("input", { inputmode: "decimal", test: `${name}-input`, "aria-label": words, autocomplete: "off" });
  const units = h("span", { class: "unit" }, unit);
  const reset = h("button", { type: "button", class: "ghost", test: `${name}-reset`, title: "Measure it again", onclick: () => send(null) }, icon("reset"), h("span", { class: "unseen" }, `Measure the ${name} again`));
  const form = h(
    "form",
    {
      class: "field",
      onsubmit: (event) => {
        event.preventDefault();
        send(typed(input));
        input.blur();
      },
    },
    h("span", {}, words),
    h("span", { class: "with-unit" }, input, units),
    h("button", { test: `${name}-set` }, "Set"),
    reset,
  );
  return { form, input, units, reset };
}

/**
 * Returns the panel: its element and a function that brings it up to date.
 * @param {string} place tells two panels' test ids apart; empty for the picture's one.
 */
export function createDetail({ store, edit, notices }, actions, place = "") {
  const id = (name) => (place ? `${place}-${name}` : name);
  const title = h("h2", { test: id("detail-title") });
  const badge = h("span", { class: "badge", test: id("detail-kind") });
  const origin = h("span", { class: "muted", test: id("detail-origin") });
  const reason = h("p", { class: "reason", test: id("detail-reason") });
  const image = h("img", { alt: "", test: id("turned"), onload: () => image.classList.remove("old"), onerror: () => set(image, { hidden: true }) });
  const busy = h("p", { class: "measuring", role: "status", test: id("measuring") }, "measuring …");
  const decide = (name, words, key, glyph, act) =>
    h("button", { class: `decide ${name}`, test: id(name), onclick: act, title: `${words} (${key})` }, icon(glyph), words, h("kbd", {}, key));
  const accept = decide("accept", "Accept", "A", "check", actions.accept);
  const reject = decide("reject", "Reject", "R", "cross", actions.reject);
  const reset = decide("reset", "Reset", "U", "reset", actions.reset);
  const values = createValues();

  function apply(op) {
    if (store.number !== null) edit(store.name, { ...op, granum: store.number });
  }
  const period = field(id("period"), "Period", "nm", (value) => {
    const perUnit = store.file()?.px_per_nm ?? 1;
    if (value !== null && !(value > 0)) notices.warn("The period is a number above 0.");
    else apply({ do: "period", period_px: value === null ? null : value * perUnit });
  });
  const direction = field(id("direction"), "Direction", "°", (value) => {
    if (Number.isNaN(value)) notices.warn("The direction is a number of degrees, 0 to 180.");
    else apply({ do: "direction", direction_deg: value === null ? null : ((value % 180) + 180) % 180 });
  });
  const show = h("button", { class: "wide", test: id("show-in-picture"), onclick: actions.show, hidden: !place }, icon("fit"), "Show in the picture", h("kbd", {}, "Enter"));
  const content = h(
    "div",
    { class: "detail-content" },
    h("div", { class: "title" }, title, badge, origin),
    h("div", { class: "decisions", role: "group", "aria-label": "Decision" }, accept, reject, reset),
    h("figure", { class: "turned" }, image, busy),
    reason,
    show,
    values.node,
    h("section", { class: "by-hand", "aria-label": "By hand" }, h("h3", {}, "By hand"), period.form, direction.form),
  );
  const empty = h("div", { class: "empty" }, h("p", {}, "Click a granum, or press N for the next one."));
  const node = h("aside", { class: "side right", "aria-label": "Selected granum", test: id("detail") }, content, empty);

  function showImage(granum) {
    const source = api.picture(store.name, granum.number, store.loaded.get(store.name)?.revision ?? 0);
    // The picture only changes with the granum's own numbers, not with each revision.
    const { outline, direction_deg: turned, period_px: size } = granum;
    const key = JSON.stringify([store.name, granum.number, outline, turned, size]);
    const measuring = granum.pending === "measuring";
    const shown = `${store.name} ${granum.number}`;
    if (measuring && image.dataset.granum !== shown) set(image, { hidden: true });
    if (measuring || image.dataset.key === key) {
      image.classList.toggle("old", measuring || !image.complete);
      return;
    }
    image.dataset.key = key;
    image.dataset.granum = shown;
    set(image, {
      src: source,
      hidden: false,
      class: "old",
      alt: `Granum ${granum.number} turned so that its lamellae run across, with the lamellae traced`,
    });
  }

  return {
    node,
    update() {
      const granum = store.granum();
      set(content, { hidden: !granum });
      set(empty, { hidden: Boolean(granum) });
      if (!granum) return;
      const locked = Boolean(store.state?.read_only);
      const scale = store.file()?.px_per_nm;
      title.textContent = `Granum ${granum.number}`;
      set(badge, { class: `badge kind-${kind(granum)}` });
      badge.textContent = `${sign(granum)} ${kindWords(granum)}`.trim();
      origin.textContent = ORIGINS[granum.origin] ?? granum.origin;
      reason.textContent = granum.reason;
      set(reason, { hidden: !granum.reason });
      set(accept, { "aria-pressed": String(granum.decision === "accepted"), disabled: locked });
      set(reject, { "aria-pressed": String(granum.decision === "rejected"), disabled: locked });
      set(reset, { disabled: locked || !granum.decision });
      const measuring = granum.pending === "measuring";
      set(busy, { hidden: !measuring });
      content.classList.toggle("measuring-now", measuring);
      content.setAttribute("aria-busy", String(measuring));
      showImage(granum);
      values.show(granum, store.state.columns ?? []);
      const size = bare(granum.period_px);
      setValue(period.input, size === null ? "" : (size / (scale ?? 1)).toFixed(2));
      period.units.textContent = scale ? "nm" : "px";
      const turned = bare(granum.direction_deg);
      setValue(direction.input, turned === null ? "" : number(turned, 1));
      const manual = (granum.manual ?? []).join(" ");
      set(period.reset, { disabled: locked || !manual.includes("period") });
      set(direction.reset, { disabled: locked || !manual.includes("direction") });
    },
  };
}
