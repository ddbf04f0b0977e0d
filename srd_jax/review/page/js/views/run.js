/** The panel that runs the analysis and shows how far it is. */

import * as api from "../core/api.js";
import { h, set } from "../core/dom.js";
import { count, timeLeft, words } from "../core/format.js";
import { icon } from "../core/icons.js";

const ENDS = { done: "Done.", stopped: "Stopped; what was finished is kept.", failed: "Failed." };

/** Tells whether a job is under way. */
export const underWay = (job) => job?.state === "running" || job?.state === "waiting";

/** Returns the panel. */
export function createRun({ store, refresh, notices, go }) {
  const attempt = async (action) => {
    try {
      await action();
      await refresh();
    } catch (error) {
      notices.error(error.message);
    }
  };
  const start = h("button", { class: "primary wide", test: "run-start", onclick: () => attempt(api.startJob) }, icon("play"), "Analyse");
  const stop = h("button", { class: "wide", test: "run-stop", onclick: () => attempt(() => api.stopJob(store.state.job.id)) }, icon("stop"), "Stop");
  const review = h("button", { class: "wide", test: "go-review", onclick: () => go("review") }, icon("check"), "Review the grana");
  const bar = h("progress", { test: "run-progress", "aria-label": "Progress of the analysis" });
  const step = h("p", { class: "step", test: "run-step", role: "status" });
  const file = h("p", { class: "muted", test: "run-file" });
  const left = h("p", { class: "muted split-words" }, h("span", { test: "run-done" }), h("span", { test: "run-left" }));
  const queue = h("p", { class: "muted", test: "run-queue" });
  const waits = h("p", { class: "muted", test: "run-waits" });
  const node = h("aside", { class: "run card", test: "run", "aria-label": "Analysis" },
    h("h2", {}, "Analysis"), waits, start, stop, bar, step, file, left, queue, review);

  function update() {
    const { job, pending = [], files = [], queue: line = 0, read_only: locked } = store.state ?? {};
    const running = underWay(job);
    const open = pending.length + files.filter((file) => file.changed).length;
    waits.textContent = open
      ? `${count(open, "micrograph waits", "micrographs wait")} for the analysis.`
      : files.length ? "All micrographs are analysed." : "Hand in micrographs first.";
    set(start, { disabled: !open || locked, hidden: running });
    set(stop, { hidden: !running });
    set(bar, { hidden: !running, max: job?.total || 1 });
    // Without a value the bar moves to and fro: nothing is known yet.
    if (job?.total) bar.value = job.done;
    else bar.removeAttribute("value");
    const ended = job ? `${ENDS[job.state] ?? ""}${job.error ? ` ${job.error}` : ""}` : "";
    step.textContent = running ? (job.state === "waiting" ? "waits in line" : words(job.step ?? "starts")) : ended;
    set(step, { class: `step ${job?.state ?? ""}`, "data-state": job?.state ?? "none" });
    file.textContent = running ? (job.file ?? "") : "";
    left.children[0].textContent = running && job.total ? `${job.done} of ${job.total}` : "";
    left.children[1].textContent = running ? timeLeft(job.seconds_left) : "";
    queue.textContent = line ? `${count(line, "run waits", "runs wait")} in line.` : "";
    set(review, { disabled: !files.length });
  }
  return { node, update };
}
