/** Fills the table of columns on the help page from the server, which knows them best. */

import { getState } from "./core/api.js";
import { h } from "./core/dom.js";

const rows = document.querySelector("#column-rows");
try {
  const { columns } = await getState();
  rows.replaceChildren(
    ...columns.map(({ name, unit, meaning }) =>
      h("tr", {}, h("td", {}, h("code", {}, name)), h("td", {}, unit || "–"), h("td", {}, meaning)),
    ),
  );
} catch (error) {
  rows.replaceChildren(h("tr", {}, h("td", { colspan: 3 }, error.message)));
}
document.body.dataset.ready = "true";
