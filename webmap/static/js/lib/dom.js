// Small helpers over the document.

import { t } from "./text.js";

const SVG = "http://www.w3.org/2000/svg";
const ANNOUNCEMENTS_KEPT = 4;

/** Makes an element; `on` holds listeners, `data` the data-* attributes, children may be text or nodes. */
export function el(tag, { on = {}, data = {}, ...attributes } = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) node.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) node.setAttribute(name, value);
  }
  Object.assign(node.dataset, data);
  for (const [event, listener] of Object.entries(on)) node.addEventListener(event, listener);
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

/** Makes an icon from the page's sprite. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `${document.body.dataset.sprite}#${name}`);
  svg.append(use);
  return svg;
}

/** Makes a coloured sample for a legend: fill, line, circle or hatch. */
export function swatch(shape, color) {
  const node = el("span", { class: `swatch ${shape}`, "aria-hidden": "true" });
  if (color) node.style.setProperty("--swatch", color);
  return node;
}

/** Tells a sentence to those who listen to the page; the last few stay, so that none cuts another short. */
export function announce(sentence) {
  const region = document.getElementById("announcements");
  if (!region) return;
  region.append(el("p", {}, sentence));
  while (region.children.length > ANNOUNCEMENTS_KEPT) region.firstElementChild.remove();
}

/** Calls back once, `wait` milliseconds after the last call. */
export function debounce(callback, wait) {
  let timer = 0;
  return (...values) => {
    clearTimeout(timer);
    timer = setTimeout(() => callback(...values), wait);
  };
}

/** Fetches JSON; anything but a good answer becomes an Error with a sentence for the reader. */
export async function getJson(url, options = {}) {
  let answer;
  try {
    answer = await fetch(url, { headers: { Accept: "application/json" }, ...options });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Error(t("offline"), { cause: error });
  }
  if (!answer.ok) throw Object.assign(new Error(t("no_answer")), { status: answer.status });
  return answer.json();
}
