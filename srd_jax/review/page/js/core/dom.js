/** Makes DOM nodes. Nothing here parses HTML, so text from files can never become markup. */

const SVG = "http://www.w3.org/2000/svg";

/**
 * Sets attributes, properties and listeners of an element.
 * @param {Element} node
 * @param {Object} given `test` is the data-testid, `onx` a listener, true and false set and remove.
 */
export function set(node, given) {
  for (const [name, value] of Object.entries(given)) {
    if (name === "test") node.setAttribute("data-testid", value);
    else if (name === "value") node.value = value;
    else if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value === false || value === null || value === undefined) node.removeAttribute(name);
    else node.setAttribute(name, value === true ? "" : value);
  }
  return node;
}

function filled(node, given, children) {
  set(node, given);
  node.append(...children.flat(2).filter((child) => child !== null && child !== undefined));
  return node;
}

/** Returns an HTML element with attributes and children. */
export const h = (tag, given = {}, ...children) =>
  filled(document.createElement(tag), given, children);

/** Returns an SVG element with attributes and children. */
export const s = (tag, given = {}, ...children) =>
  filled(document.createElementNS(SVG, tag), given, children);

/**
 * Makes the children of a node those of a list, reusing nodes of the same key.
 * @param {Element} parent holds nothing else.
 * @param {Array} items
 * @param {function(*): (string|number)} keyOf
 * @param {function(*): Element} create
 * @param {function(Element, *): void} update is called for new nodes, too.
 */
export function keyed(parent, items, keyOf, create, update) {
  parent.keyedNodes ??= new Map();
  const old = parent.keyedNodes;
  const now = new Map();
  let before = parent.firstChild;
  for (const item of items) {
    const key = String(keyOf(item));
    const node = old.get(key) ?? create(item);
    old.delete(key);
    now.set(key, node);
    update(node, item);
    if (node === before) before = before.nextSibling;
    else parent.insertBefore(node, before);
  }
  for (const node of old.values()) node.remove();
  parent.keyedNodes = now;
}

/** Sets the value of an input unless somebody is typing in it. */
export function setValue(input, value) {
  if (document.activeElement !== input && input.value !== value) input.value = value;
}

/** Tells whether keys typed now belong to an input. */
export function isTyping(target) {
  if (!(target instanceof Element)) return false;
  if (target.matches("textarea, select, [contenteditable]")) return true;
  return target.matches("input") && !target.matches("[type=checkbox], [type=radio], [type=file]");
}
