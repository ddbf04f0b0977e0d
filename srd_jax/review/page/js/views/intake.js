/** Takes micrographs: dropped, chosen, of a folder of the machine, or the demo. */

import * as api from "../core/api.js";
import { h, set } from "../core/dom.js";
import { bytes, count } from "../core/format.js";
import { icon } from "../core/icons.js";

/** Returns the files of a drop, those in dropped folders too. */
async function dropped(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.length) return [...transfer.files];
  const found = [];
  async function walk(entry) {
    if (entry.isFile) {
      found.push(await new Promise((resolve, reject) => entry.file(resolve, reject)));
      return;
    }
    const reader = entry.createReader();
    // A reader hands a folder out in parts, and an empty part at its end.
    for (;;) {
      const part = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
      if (!part.length) return;
      for (const one of part) await walk(one);
    }
  }
  for (const entry of entries) await walk(entry);
  return found;
}

/** Returns the intake. */
export function createIntake({ store, refresh, notices }) {
  const input = h("input", { type: "file", multiple: true, id: "upload", class: "unseen", test: "upload", onchange: () => {
    send([...input.files]);
    input.value = "";
  } });
  const progress = h("progress", { test: "upload-progress", "aria-label": "Upload", hidden: true });
  const words = h("p", { class: "muted", role: "status", test: "upload-status" });
  const failed = h("ul", { class: "failed", test: "upload-errors", "aria-label": "Files that were not taken" });
  const zone = h("label", { class: "drop", for: "upload", test: "drop-zone" },
    input, icon("upload"), h("span", {}, h("b", {}, "Drop micrographs or folders here"), " or click to choose"),
    h("small", {}, "TIFF, PNG, JPEG, DM3, DM4, MRC"));
  const path = h("input", { test: "folder", "aria-label": "folder on this machine", placeholder: "Folder on this machine" });
  const folder = h("form", { class: "inline", onsubmit: (event) => {
    event.preventDefault();
    if (path.value.trim()) attempt(() => api.addFolder(path.value.trim()));
  } }, path, h("button", { test: "folder-add" }, "Add"));
  const demo = h("button", { class: "wide", test: "demo", onclick: () => attempt(api.addDemo, demo) }, icon("flask"), "Draw a demo micrograph");
  const node = h("div", { class: "intake" }, zone, h("div", { class: "other" }, folder, demo, progress, words), failed);

  async function attempt(action, button = null) {
    if (button) set(button, { disabled: true });
    try {
      await action();
      await refresh();
    } catch (error) {
      notices.error(error.message);
    }
    if (button) set(button, { disabled: false });
  }

  async function send(files) {
    failed.replaceChildren();
    set(progress, { hidden: false, max: files.length });
    let taken = 0;
    for (const [i, file] of files.entries()) {
      progress.value = i;
      words.textContent = `${i + 1} of ${files.length}: ${file.name}, ${bytes(file.size)}`;
      const most = store.state?.limits?.megabytes ?? Infinity;
      try {
        // The server refuses it, too, but only after the browser has sent it all.
        if (file.size > most * 1e6) throw new Error(`is larger than ${most} MB; accepted are smaller files, or the path of a folder on this machine`);
        await api.upload(file);
        taken += 1;
      } catch (error) {
        failed.append(h("li", {}, h("b", {}, file.name), ` ${error.message}`));
      }
    }
    set(progress, { hidden: true });
    words.textContent = `${count(taken, "file", "files")} taken${taken < files.length ? `, ${files.length - taken} not` : ""}.`;
    await attempt(() => Promise.resolve());
  }

  for (const name of ["dragenter", "dragover"]) {
    addEventListener(name, (event) => {
      event.preventDefault();
      zone.classList.add("over");
    });
  }
  addEventListener("dragleave", (event) => event.relatedTarget ?? zone.classList.remove("over"));
  addEventListener("drop", async (event) => {
    event.preventDefault();
    zone.classList.remove("over");
    if (!zone.isConnected || !event.dataTransfer) return;
    const files = await dropped(event.dataTransfer);
    if (files.length) send(files);
  });
  return { node };
}
