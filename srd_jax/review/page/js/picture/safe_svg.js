/** Makes a drawing of the server part of the page under the Content Security Policy. */

const KEPT = new Set(["svg", "g", "path", "defs", "use", "text", "tspan", "clipPath", "rect", "circle", "line", "polygon", "polyline", "ellipse", "title", "desc", "image"]);

/**
 * Returns the element of a drawing without style sheets, scripts, links and listeners.
 *
 * The policy refuses style attributes in markup, so they are set one by one afterwards;
 * it refuses style sheets already when they are parsed.
 * @param {string} text of an SVG file.
 */
export function safeSvg(text) {
  const quiet = text.replaceAll(/\sstyle="/g, ' data-style="').replaceAll(/<(\/?)style\b/g, "<$1metadata");
  const parsed = new DOMParser().parseFromString(quiet, "image/svg+xml").documentElement;
  if (parsed.localName !== "svg") throw new Error("the drawing can't be read");
  const svg = document.importNode(parsed, true);
  svg.style.strokeLinejoin = "round";
  for (const node of [svg, ...svg.querySelectorAll("*")]) {
    if (!KEPT.has(node.localName)) {
      node.remove();
      continue;
    }
    for (const { name, value } of [...node.attributes]) {
      const link = name === "href" || name === "xlink:href";
      if (name.startsWith("on") || (link && !/^(#|data:image\/png)/.test(value))) node.removeAttribute(name);
    }
    for (const part of (node.dataset.style ?? "").split(";")) {
      const [name, value] = part.split(/:(.*)/s);
      if (value) node.style.setProperty(name.trim(), value.trim());
    }
    delete node.dataset.style;
  }
  if (!svg.hasAttribute("viewBox")) svg.setAttribute("viewBox", `0 0 ${parseFloat(svg.getAttribute("width"))} ${parseFloat(svg.getAttribute("height"))}`);
  svg.removeAttribute("width");
  svg.removeAttribute("height");
  return svg;
}
