/** The bar at the top: tabs, progress, undo and redo, download, theme, keys. */

import { h, set } from "../core/dom.js";
import { icon } from "../core/icons.js";
import { underWay } from "./run.js";

const THEMES = ["auto", "light", "dark"];

function themeButton() {
  const words = h("span", { class: "unseen" });
  const button = h("button", { class: "ghost", test: "theme", onclick: () => use(THEMES[(THEMES.indexOf(chosen()) + 1) % 3]) }, icon("theme"), words);
  const chosen = () => localStorage.getItem("srd-theme") ?? "auto";
  function use(theme) {
    if (theme === "auto") {
      localStorage.removeItem("srd-theme");
      delete document.documentElement.dataset.theme;
    } else {
      localStorage.setItem("srd-theme", theme);
      document.documentElement.dataset.theme = theme;
    }
    words.textContent = `Theme: ${theme}`;
    set(button, { title: `Theme: ${theme}` });
  }
  use(chosen());
  return button;
}

/** Returns a function that brings the bar up to date. */
export function createHeader({ store, actions, go, view, views, showKeys }) {
  const tabs = document.querySelector("#tabs");
  const buttons = views.map(({ name, title }) => h("button", { test: `tab-${name}`, onclick: () => go(name) }, title));
  tabs.append(...buttons, h("a", { href: "/help", test: "tab-help", target: "srd-help" }, "Help"));
  const saving = h("span", { class: "saving", role: "status", test: "saving" });
  const job = h("button", { class: "job ghost", test: "job", onclick: () => go("files") }, h("progress", { "aria-label": "Analysis" }), h("span"));
  const plain = (name, words, onclick) => h("button", { class: "ghost", test: name, title: words, "aria-label": words, onclick }, icon(name));
  const undo = plain("undo", "Undo (Ctrl+Z)", actions.undo);
  const redo = plain("redo", "Redo (Ctrl+Y)", actions.redo);
  const download = h("a", { class: "button ghost", href: "/download.zip", download: "", test: "download", title: "Download all tables, outlines and pictures" }, icon("download"), h("span", { class: "unseen" }, "Download all"));
  const keys = h("button", { class: "ghost", test: "keys-open", title: "Keys (?)", "aria-label": "Keys", onclick: () => showKeys() }, "?");
  document.querySelector("#status").append(saving, job, undo, redo, download, themeButton(), keys);

  return function update() {
    const { state, name } = store;
    buttons.forEach((button) => set(button, { "aria-current": button.getAttribute("data-testid") === `tab-${view()}` ? "page" : false }));
    const several = store.saving > 1 ? ` ${store.saving}` : "";
    saving.textContent = store.saving ? `saving${several} …` : state?.read_only ? "read only" : "";
    const running = underWay(state?.job);
    set(job, { hidden: !running });
    if (running) {
      set(job.firstChild, { max: state.job.total || 1 });
      job.firstChild.value = state.job.done;
      job.lastChild.textContent = `${state.job.done}/${state.job.total}`;
    }
    const known = store.history.get(name);
    const waiting = store.waiting().length > 0;
    set(undo, { disabled: !name || state?.read_only || (known?.undo === false && !waiting) });
    set(redo, { disabled: !name || state?.read_only || known?.redo === false });
    // The tables can be packed only while no analysis changes them.
    set(download, { hidden: !state?.files.length || running });
  };
}
