// The vertices as a table of coordinates: typed, added and removed by keyboard, in VN-2000 or degrees.

import { el, getJson, icon } from "../lib/dom.js";
import { lang, local, t } from "../lib/text.js";
import { makeVn2000 } from "../lib/vn2000.js";

const PAGE = 60;
const FEWEST = 3;

const readNumber = (text) => {
  const plain = text.trim().replace(/[\s\u00a0]/g, "");
  const comma = plain.lastIndexOf(",");
  const point = plain.lastIndexOf(".");
  const decimal = Math.max(comma, point);
  if (!plain || /[^\d.,+-]/.test(plain)) return NaN;
  const whole = decimal < 0 ? plain : plain.slice(0, decimal).replace(/[.,]/g, "");
  return Number(decimal < 0 ? whole : `${whole}.${plain.slice(decimal + 1)}`);
};

/** Reads a pasted block of two numbers a line, as spreadsheets give it. */
export function readPairs(text) {
  const lines = text.split(/\r?\n/).map((line) => line.trim().split(/\t|;|\s+/).filter(Boolean));
  const pairs = lines.filter((cells) => cells.length >= 2).map((cells) => cells.slice(-2).map(readNumber));
  return pairs.every((pair) => pair.every(Number.isFinite)) ? pairs : [];
}

async function systemsOf(address) {
  const degrees = {
    key: "lonlat",
    title: t("lonlat"),
    heads: [t("longitude"), t("latitude")],
    digits: 8,
    write: (at) => at,
    read: (pair) => pair,
  };
  const zones = makeVn2000(await getJson(address)).map(({ code, title, toPlane, toLonLat }) => ({
    key: String(code),
    title: local(title),
    heads: [t("north_x"), t("east_y")],
    digits: 3,
    write: (at) => toPlane(at).reverse(),
    read: ([north, east]) => toLonLat([east, north]),
  }));
  return [...zones, degrees];
}

/**
 * Fills the table. `source()` gives the ring that is listed as {title, ring, closed, set(list)} or null, `target()` the
 * one that typed vertices join; `begin()` starts one when there is none; `lookAt(at)` shows a vertex on the map.
 */
export async function makeVertices({ elements, address, source, target, begin, lookAt }) {
  const { systemChoice, body, heads, caption, add, more } = elements;
  const systems = await systemsOf(address);
  let first = 0;
  systemChoice.replaceChildren(...systems.map(({ key, title }) => el("option", { value: key }, title)));
  const system = () => systems.find(({ key }) => key === systemChoice.value) ?? systems[0];
  const format = (value) => new Intl.NumberFormat(lang === "en" ? "en-GB" : "vi-VN", {
    useGrouping: false,
    minimumFractionDigits: system().digits,
    maximumFractionDigits: system().digits,
  }).format(value);

  const list = () => source()?.ring ?? [];

  function draw() {
    const [found, all] = [source(), list()];
    const { index: at, axis } = body.contains(document.activeElement) ? document.activeElement.dataset : {};
    caption.textContent = found ? found.title : t("no_ring");
    heads.forEach((head, i) => {
      head.textContent = system().heads[i];
    });
    if (first >= all.length) first = Math.max(0, Math.floor((all.length - 1) / PAGE) * PAGE);
    const shown = all.slice(first, first + PAGE);
    body.replaceChildren(...shown.map((at, i) => row(at, first + i)));
    if (at !== undefined) body.querySelector(`[data-index="${at}"][data-axis="${axis}"]`)?.focus({ preventScroll: true });
    more.hidden = all.length <= PAGE;
    more.textContent = t("vertices_shown", { from: first + 1, to: first + shown.length, n: all.length });
  }

  function row(at, index) {
    const values = system().write(at).map(format);
    const name = (i) => t("vertex_value", { what: system().heads[i], n: index + 1 });
    const inputs = values.map((value, i) =>
      el("input", { type: "text", inputmode: "decimal", value, "aria-label": name(i), autocomplete: "off", data: { index, axis: i } }),
    );
    const button = (label, sign, act) =>
      el("button", { type: "button", class: "button plain small", "aria-label": label, title: label, on: { click: act } }, icon(sign));
    return el(
      "tr",
      {},
      el("th", { scope: "row" }, String(index + 1)),
      ...inputs.map((input) => el("td", {}, input)),
      el("td", { class: "vertex-tools" }, button(t("insert_after", { n: index + 1 }), "plus", () => insert(index)),
        button(t("delete_vertex", { n: index + 1 }), "trash", () => remove(index))),
    );
  }

  function focus(index, axis = 0) {
    if (index < first || index >= first + PAGE) {
      first = Math.floor(index / PAGE) * PAGE;
      draw();
    }
    body.querySelector(`[data-index="${index}"][data-axis="${axis}"]`)?.focus();
  }

  function insert(index) {
    const all = list();
    const next = all[(index + 1) % all.length];
    const at = next && all.length > 1 ? [(all[index][0] + next[0]) / 2, (all[index][1] + next[1]) / 2] : all[index];
    source().set([...all.slice(0, index + 1), at, ...all.slice(index + 1)]);
    draw();
    focus(index + 1);
  }

  function remove(index) {
    const found = source();
    const all = list();
    if (found.closed && all.length <= FEWEST) return;
    found.set(all.filter((_, i) => i !== index));
    draw();
    focus(Math.min(index, all.length - 2));
  }

  function typed(input) {
    const index = Number(input.dataset.index);
    const pair = [...input.closest("tr").querySelectorAll("input")].map((node) => readNumber(node.value));
    const at = pair.every(Number.isFinite) ? system().read(pair) : null;
    const good = at !== null && Math.abs(at[0]) <= 180 && Math.abs(at[1]) <= 90;
    input.toggleAttribute("aria-invalid", !good);
    if (!good) return;
    source().set(list().map((old, i) => (i === index ? at : old)));
    lookAt(at);
  }

  body.addEventListener("change", (event) => typed(event.target));
  body.addEventListener("focusin", ({ target }) => {
    if (target.dataset.index) lookAt(list()[Number(target.dataset.index)], { only: true });
  });
  body.addEventListener("keydown", (event) => {
    const { index, axis } = event.target.dataset;
    if (index === undefined) return;
    const goal = { ArrowDown: Number(index) + 1, ArrowUp: Number(index) - 1 }[event.key];
    if (goal === undefined && event.key !== "Enter") return;
    event.preventDefault();
    if (event.key === "Enter") typed(event.target);
    focus(goal ?? Number(index) + 1, axis);
  });

  function addTyped(pairs) {
    const positions = pairs.map((pair) => system().read(pair)).filter(([lon, lat]) => Math.abs(lon) <= 180 && Math.abs(lat) <= 90);
    if (!positions.length) return false;
    if (!target()) begin();
    const { ring, set } = target();
    set([...ring, ...positions]);
    lookAt(positions.at(-1));
    draw();
    return true;
  }

  const [addX, addY] = add.querySelectorAll("input");
  const addButton = add.querySelector("button");
  function addOne() {
    const pair = [addX, addY].map((input) => readNumber(input.value));
    const good = pair.every(Number.isFinite) && addTyped([pair]);
    for (const input of [addX, addY]) {
      input.toggleAttribute("aria-invalid", !good);
      if (good) input.value = "";
    }
    (good ? addX : addY).focus();
  }
  addButton.addEventListener("click", addOne);
  add.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.target === addButton) return;
    event.preventDefault();
    if (event.target === addX && !addY.value) addY.focus();
    else addOne();
  });
  add.addEventListener("paste", (event) => {
    const pairs = readPairs(event.clipboardData.getData("text"));
    if (pairs.length && addTyped(pairs)) event.preventDefault();
  });
  more.addEventListener("click", () => {
    first = first + PAGE >= list().length ? 0 : first + PAGE;
    draw();
  });
  systemChoice.addEventListener("change", draw);
  draw();
  return { draw };
}
