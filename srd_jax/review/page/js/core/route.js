/** Keeps the view and the selection in the address, so that a reload comes back to them. */

const VIEWS = ["files", "review", "table", "figures"];

/** Returns {view, name, number} of the address; number and name are null where not given. */
export function read(hash = location.hash) {
  const [view, name, number] = hash.replace(/^#\/?/, "").split("/");
  const digits = /^\d+$/.test(number ?? "") ? Number(number) : null;
  let decoded = null;
  try {
    decoded = name ? decodeURIComponent(name) : null;
  } catch {
    // A mangled address names no file.
  }
  return { view: VIEWS.includes(view) ? view : null, name: decoded, number: digits };
}

/** Returns the address of a view with a selection. */
export function write({ view, name, number }) {
  const parts = [view, name && encodeURIComponent(name), name && number].filter(
    (part) => part !== null && part !== undefined && part !== "",
  );
  return `#/${parts.join("/")}`;
}
