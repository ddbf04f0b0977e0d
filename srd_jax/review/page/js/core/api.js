/** Talks to the server; the only file that knows its addresses. */

/** A refusal of the server: `status` of HTTP (0: not reached) and the answer's body. */
export class Refused extends Error {
  constructor(status, body) {
    super(body?.error ?? `the server answered ${status}`);
    this.status = status;
    this.body = body ?? {};
  }
}

const LOST = "The server can't be reached; is “srd app” still running?";

async function request(method, address, { body, headers = {}, signal } = {}) {
  let answer;
  let content;
  try {
    answer = await fetch(address, {
      method,
      body,
      signal,
      headers: method === "GET" ? headers : { "X-SRD": "1", ...headers },
      credentials: "same-origin",
      cache: "no-store",
    });
    content = await answer.text();
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refused(0, { error: LOST });
  }
  const json = answer.headers.get("Content-Type")?.includes("json");
  if (json) content = JSON.parse(content);
  if (!answer.ok) throw new Refused(answer.status, json ? content : null);
  return content;
}

const post = (address, content) =>
  request("POST", address, {
    body: JSON.stringify(content),
    headers: { "Content-Type": "application/json" },
  });

const file = (name) => `/api/files/${encodeURIComponent(name)}`;

export const getState = () => request("GET", "/api/state");
export const getFile = (name) => request("GET", file(name));
export const getTiles = (hash) => request("GET", `/tiles/${hash}/info.json`);
export const tile = (hash, level, column, row) => `/tiles/${hash}/${level}/${column}_${row}.jpg`;
export const picture = (name, number, revision) =>
  `${file(name)}/grana/${number}.png?r=${revision}`;
export const removeFile = (name) => request("DELETE", file(name));
export const edit = (name, content) => post(`${file(name)}/edits`, content);
export const addFolder = (path) => post("/api/folder", { path });
export const setSettings = (files) => post("/api/settings", { files });
export const startJob = () => post("/api/jobs", {});
export const stopJob = (id) => request("DELETE", `/api/jobs/${encodeURIComponent(id)}`);
export const addDemo = () => post("/api/demo", {});
export const violins = (quantity, byGroup, signal) =>
  request("GET", `/api/violins.svg?quantity=${encodeURIComponent(quantity)}${byGroup ? "&group=1" : ""}`, {
    signal,
  });
export const upload = (one) =>
  request("POST", "/api/uploads", {
    body: one,
    headers: { "X-Name": encodeURIComponent(one.name), "Content-Type": "application/octet-stream" },
  });
