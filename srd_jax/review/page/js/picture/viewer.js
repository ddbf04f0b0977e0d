/** Shows a micrograph with OpenSeadragon, and SVG over it that moves with it. */

import * as api from "../core/api.js";
import { s } from "../core/dom.js";

const BLANK = "data:image/gif;base64,R0lGODdhAQABAIAAAIaGhgAAACwAAAAAAQABAAACAkQBADs=";
const MARGIN = 1.6;

// OpenSeadragon adds a style sheet to the page unless it finds one of this name; the Content Security
// Policy would refuse it. An element of no known namespace answers its search and does nothing.
function withoutInlineStyle() {
  if (document.querySelector("style[data-openseadragon-mobile-css]")) return;
  const stand = document.createElementNS("urn:srd:none", "style");
  stand.setAttribute("data-openseadragon-mobile-css", "true");
  document.head.append(stand);
}

/** Returns the source of a file's tiles. */
function tilesOf(hash, { width, height, tile, levels }) {
  return {
    width,
    height,
    tileSize: tile,
    tileOverlap: 0,
    minLevel: 0,
    maxLevel: levels - 1,
    getTileUrl: (level, column, row) => api.tile(hash, level, column, row),
  };
}

/** Returns a source without a picture, so that outlines can be seen where the file is gone. */
function blankOf(width, height) {
  const tileSize = Math.max(width, height, 1);
  return { width, height, tileSize, minLevel: 0, maxLevel: 0, getTileUrl: () => BLANK };
}

function quiet(element) {
  withoutInlineStyle();
  const gestures = { clickToZoom: false, dblClickToZoom: false, dblClickDragToZoom: false };
  return OpenSeadragon({
    element,
    drawer: "canvas",
    showNavigationControl: false,
    animationTime: 0.35,
    springStiffness: 9,
    visibilityRatio: 0.3,
    maxZoomPixelRatio: 12,
    zoomPerScroll: 1.25,
    minZoomImageRatio: 0.6,
    gestureSettingsMouse: gestures,
    gestureSettingsPen: gestures,
    gestureSettingsTouch: { ...gestures, pinchRotate: false },
    silenceMultiImageWarnings: true,
  });
}

/**
 * Returns a viewer in an element.
 * @param {HTMLElement} element
 * @param {{click: function, doubleClick: function, move: function}} on get points in px of the
 *   micrograph.
 */
export function createViewer(element, on = {}) {
  const osd = quiet(element);
  const world = s("g", { class: "world" });
  const screen = s("g", { class: "screen" });
  const svg = s("svg", { class: "overlay", "data-testid": "overlay" }, world, screen);
  osd.canvas.append(svg);
  const watchers = new Set();
  const point = (x, y) => new OpenSeadragon.Point(x, y);
  let open = false;

  const viewer = {
    osd,
    world,
    screen,
    size: { columns: 1, rows: 1 },
    opened: null,
    /** Tells whether the micrograph of the last call of `open` can be drawn over. */
    isOpen: () => open && osd.world.getItemCount() > 0,
    /** Calls a function whenever the view has moved. */
    watch: (watcher) => watchers.add(watcher),
    zoom: () => osd.viewport.viewportToImageZoom(osd.viewport.getZoom(true)),
    toScreen([x, y]) {
      const { x: left, y: top } = osd.viewport.imageToViewerElementCoordinates(point(x, y), true);
      return [left, top];
    },
    toImage([left, top]) {
      const { x, y } = osd.viewport.viewerElementToImageCoordinates(point(left, top));
      return [x, y];
    },
    /** Returns the place of a pointer event on the micrograph. */
    placeOf(event) {
      const box = element.getBoundingClientRect();
      return viewer.toImage([event.clientX - box.left, event.clientY - box.top]);
    },
    home: () => viewer.isOpen() && osd.viewport.goHome(),
    zoomBy: (factor) => viewer.isOpen() && osd.viewport.zoomBy(factor).applyConstraints(),
    panBy: (right, down) => {
      if (!viewer.isOpen()) return;
      osd.viewport.panBy(osd.viewport.deltaPointsFromPixels(point(right, down))).applyConstraints();
    },
    /** Moves the view so that a box in px of the micrograph is seen, zooming only if it must. */
    reveal({ left, top, right, bottom }, closer = false) {
      if (!viewer.isOpen()) return;
      const [a, b] = viewer.toScreen([left, top]);
      const [c, d] = viewer.toScreen([right, bottom]);
      const { clientWidth, clientHeight } = element;
      const seen = a >= 0 && b >= 0 && c <= clientWidth && d <= clientHeight;
      if (seen && !closer) return;
      const fits = c - a < clientWidth && d - b < clientHeight;
      if (fits && !closer) {
        const middle = osd.viewport.imageToViewportCoordinates((left + right) / 2, (top + bottom) / 2);
        osd.viewport.panTo(middle);
        return;
      }
      const side = MARGIN * Math.max(right - left, bottom - top);
      const box = [(left + right - side) / 2, (top + bottom - side) / 2, side, side];
      osd.viewport.fitBounds(osd.viewport.imageToViewportRectangle(...box));
    },
    /**
     * Opens a micrograph; resolves when it can be drawn over.
     * @param {?string} hash of its tiles; null if there is no picture.
     * @param {{columns: number, rows: number}} size
     */
    async open(hash, { columns, rows }) {
      const key = hash ?? `${columns}x${rows}`;
      if (viewer.opened === key) return;
      viewer.opened = key;
      open = false;
      const info = hash ? await api.getTiles(hash) : null;
      if (viewer.opened !== key) return;
      viewer.size = info ? { columns: info.width, rows: info.height } : { columns, rows };
      await new Promise((resolve) => {
        osd.addOnceHandler("open", resolve);
        osd.open(info ? tilesOf(hash, info) : blankOf(columns, rows));
      });
      if (viewer.opened !== key) return;
      open = true;
      place();
    },
  };

  function place() {
    if (!viewer.isOpen()) return;
    const [left, top] = viewer.toScreen([0, 0]);
    world.setAttribute("transform", `matrix(${viewer.zoom()} 0 0 ${viewer.zoom()} ${left} ${top})`);
    watchers.forEach((watcher) => watcher());
  }

  osd.addHandler("update-viewport", place);
  osd.addHandler("resize", place);
  osd.addHandler("canvas-key", (event) => (event.preventDefaultAction = true));
  osd.addHandler("canvas-click", (event) => {
    if (!event.quick || !viewer.isOpen()) return;
    on.click?.(viewer.toImage([event.position.x, event.position.y]), event.originalEvent);
  });
  osd.addHandler("canvas-double-click", (event) => {
    if (!viewer.isOpen()) return;
    on.doubleClick?.(viewer.toImage([event.position.x, event.position.y]), event.originalEvent);
  });
  osd.canvas.addEventListener("pointermove", (event) => {
    if (viewer.isOpen()) on.move?.(viewer.placeOf(event), event);
  });
  return viewer;
}
