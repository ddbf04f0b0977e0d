/** Draws only those rows of a long table that are in sight, and a few beyond. */

import { keyed } from "./dom.js";

const BEYOND = 8;
const FIRST_HEIGHT = 28;

/**
 * Returns the window of a table: `show(items)` draws, `reveal(index)` scrolls a row into sight,
 * `page()` tells how many rows fit. All rows have the same height.
 * @param {{scroll: Element, space: Element, head: Element, body: Element}} parts the box that scrolls,
 *   the only thing in it, which is as high as all rows, and what of the table lies in that.
 * @param {{keyOf: function, create: function, update: function(Element, *, number): void}} rows
 */
export function createWindow({ scroll, space, head, body }, { keyOf, create, update }) {
  let items = [];
  let height = FIRST_HEIGHT;
  let [first, last] = [0, 0];

  /** Returns the first row that is drawn and the one after the last. */
  function range() {
    const seen = Math.ceil((scroll.clientHeight || 800) / height);
    const top = Math.floor(scroll.scrollTop / height);
    // An even start keeps stripes and rows where they are.
    const from = Math.max(0, Math.min(top, items.length - seen) - BEYOND);
    return [from, Math.min(items.length, from + seen + 2 * BEYOND)];
  }

  function pad() {
    space.style.paddingTop = `${first * height}px`;
    space.style.paddingBottom = `${(items.length - last) * height}px`;
  }

  function draw() {
    [first, last] = range();
    // First, as a box that is too low for a moment would scroll back.
    pad();
    keyed(body, items.slice(first, last), keyOf, create, () => {});
    [...body.children].forEach((node, i) => update(node, items[first + i], first + i));
    const measured = body.getBoundingClientRect().height / body.children.length;
    if (measured > 1 && measured !== height) {
      height = measured;
      pad();
    }
  }

  function scrollTo(index) {
    const above = index * height;
    const below = above + height + head.offsetHeight - scroll.clientHeight;
    if (scroll.scrollTop > above) scroll.scrollTop = above;
    else if (scroll.scrollTop < below) scroll.scrollTop = below;
  }

  scroll.addEventListener("scroll", () => range()[0] !== first && draw(), { passive: true });
  new ResizeObserver(() => scroll.isConnected && draw()).observe(scroll);

  return {
    show(given) {
      items = given;
      draw();
    },
    reveal(index) {
      scrollTo(index);
      if (index >= first && index < last) return;
      draw();
      // Once more, by the height of the rows that are drawn now.
      scrollTo(index);
    },
    page: () => Math.max(1, Math.floor((scroll.clientHeight - head.offsetHeight) / height) - 1),
  };
}
