// Communes or districts coloured by an indicator; hatched where there is no figure.

import { announce, el, getJson, swatch } from "../lib/dom.js";
import { local, number, t } from "../lib/text.js";

const LEVELS = ["communes", "districts"];
const FILL = "choropleth-fill";
const HATCH = "choropleth-hatch";
const EDGE = "choropleth-edge";
const HATCH_SIZE = 16;

/** Wires the chooser; `sources` maps a level to {source, sourceLayer}. */
export function makeChoropleth({ map, elements, config, sources, before, bus }) {
  const { indicatorSelect, levelSelect, editionSelect, methodSelect, legendBox } = elements;
  const state = { indicator: "", level: LEVELS[0], edition: "", method: "", data: null };
  let pending = null;
  map.addImage("hatch", hatchPattern(), { pixelRatio: 2 });

  function draw() {
    for (const id of [FILL, HATCH, EDGE]) if (map.getLayer(id)) map.removeLayer(id);
    if (!state.data) return;
    const common = state.edition ? shapesOf(map, state) : tilesOf(sources[state.level]);
    const { colors, blank } = colorsOf(state.data);
    map.addLayer({ id: FILL, type: "fill", ...common, paint: { "fill-color": colors, "fill-opacity": 0.85 } }, before);
    const without = ["in", ["id"], ["literal", blank]];
    map.addLayer({ id: HATCH, type: "fill", ...common, filter: without, paint: { "fill-pattern": "hatch" } }, before);
    map.addLayer({ id: EDGE, type: "line", ...common, paint: { "line-color": "#5d6b66", "line-width": 0.6 } }, before);
  }

  async function show(indicator, level, { edition = "", method = "" } = {}) {
    pending?.abort();
    state.indicator = indicator;
    state.level = LEVELS.includes(level) ? level : LEVELS[0];
    state.edition = optionOf(editionSelect, edition);
    state.method = optionOf(methodSelect, method);
    state.data = null;
    editionSelect.value = state.edition;
    methodSelect.value = state.method || methodSelect.options[0]?.value || "";
    editionSelect.disabled = !indicator;
    methodSelect.disabled = !indicator || !state.edition;
    indicatorSelect.value = state.indicator;
    levelSelect.value = state.level;
    levelSelect.disabled = !indicator;
    if (indicator) {
      pending = new AbortController();
      try {
        state.data = await getJson(addressOf(config, state, "json"), { signal: pending.signal });
      } catch (error) {
        if (error.name === "AbortError") return;
        announce(error.message);
      }
    }
    draw();
    drawLegend(legendBox, state.data, addressOf(config, state, "csv"));
    bus.tell("choropleth", { data: state.data });
    if (state.data) announce(t("choropleth_shown", { name: local(state.data.title) }));
  }

  indicatorSelect.addEventListener("change", () => {
    if (Boolean(indicatorSelect.value) !== Boolean(state.indicator)) {
      bus.tell("theme", { active: Boolean(indicatorSelect.value) });
    }
    choose();
  });
  const choose = () => {
    const others = { edition: editionSelect.value, method: methodSelect.value };
    return show(indicatorSelect.value, levelSelect.value, others);
  };
  for (const select of [levelSelect, editionSelect, methodSelect]) select.addEventListener("change", choose);
  return {
    show,
    get view() {
      return { choropleth: state.indicator, level: state.level, edition: state.edition, method: state.method };
    },
    valueOf: (id) => state.data?.values.find((entry) => entry.id === id),
    get data() {
      return state.data;
    },
  };
}

/** Fills the choosers with the indicators, editions and methods that the server knows. */
export async function fillIndicators({ indicatorSelect, editionSelect, methodSelect, editionChoice }, config) {
  const { indicators, editions, methods } = await getJson(config.statistics);
  for (const { id, title } of indicators) indicatorSelect.append(el("option", { value: id }, local(title)));
  for (const { code, title, in_use: inUse } of editions) {
    editionSelect.append(el("option", { value: inUse ? "" : code, selected: inUse }, title));
  }
  for (const [id, title] of Object.entries(methods)) methodSelect.append(el("option", { value: id }, local(title)));
  editionChoice.hidden = editions.length < 2;
}

const optionOf = (select, value) => ([...select.options].some((option) => option.value === value) ? value : "");

function addressOf(config, { indicator, level, edition, method }, format) {
  const address = `${config.statistics.replace(/\.json$/, "")}/${encodeURIComponent(indicator)}.${format}`;
  const asked = new URLSearchParams({ level });
  if (edition) asked.set("edition", edition);
  if (edition && method) asked.set("method", method);
  return `${address}?${asked}`;
}

const tilesOf = ({ source, sourceLayer }) => ({ source, "source-layer": sourceLayer });

// Tiles hold the edition in use; the units of another one come whole, once.
function shapesOf(map, { level, edition }) {
  const source = `${level}-${edition}`;
  if (!map.getSource(source)) {
    const data = `/layers/${level}.geojson?edition=${encodeURIComponent(edition)}`;
    map.addSource(source, { type: "geojson", data });
  }
  return { source };
}

/** The class of a value: the last one whose lower bound it reaches. */
export function classOf(classes, value) {
  if (value === null || value === undefined) return -1;
  return classes.findLastIndex((entry, i) => i === 0 || value >= entry.min);
}

function colorsOf({ classes, values }) {
  const members = classes.map(() => []);
  const blank = [];
  for (const { id, value } of values) {
    const index = classOf(classes, value);
    if (index < 0) blank.push(id);
    else members[index].push(id);
  }
  const branches = classes.flatMap(({ color }, i) => (members[i].length ? [members[i], color] : []));
  const colors = branches.length ? ["match", ["id"], ...branches, "rgba(0,0,0,0)"] : "rgba(0,0,0,0)";
  return { colors, blank };
}

function drawLegend(box, data, table) {
  box.replaceChildren();
  box.hidden = !data;
  if (!data) return;
  const digits = data.classes.every(({ min, max }) => Number.isInteger(min) && Number.isInteger(max)) ? 0 : 1;
  const range = ({ min, max }) => (min === max ? number(min, digits) : `${number(min, digits)} – ${number(max, digits)}`);
  const row = (sample, label, count) => {
    const units = t(`n_${data.level}`, { n: number(count, 0) });
    return el("li", {}, sample, el("span", {}, label), el("span", { class: "count", data: { classCount: count } }, units));
  };
  const rows = data.classes.map((entry) => row(swatch("fill", entry.color), range(entry), entry.count));
  if (data.no_data?.count) rows.push(row(swatch("hatch"), t("no_data"), data.no_data.count));
  box.append(
    el(
      "details",
      { open: window.matchMedia("(min-width: 50rem)").matches },
      el("summary", {}, local(data.title)),
      el("p", { class: "aside" }, [local(data.unit), t(`per_${data.level}`)].filter(Boolean).join(" · ")),
      el("ul", { class: "legend classes" }, ...rows),
      data.method ? el("p", { class: "aside", data: { method: data.method_id } }, local(data.method)) : null,
      el("p", { class: "aside" }, el("a", { href: table }, t("download_table"))),
    ),
  );
}

function hatchPattern() {
  const canvas = document.createElement("canvas");
  canvas.width = HATCH_SIZE;
  canvas.height = HATCH_SIZE;
  const pen = canvas.getContext("2d");
  pen.fillStyle = "#f4f2ea";
  pen.fillRect(0, 0, HATCH_SIZE, HATCH_SIZE);
  pen.strokeStyle = "#8b918c";
  pen.lineWidth = 2;
  for (const start of [-HATCH_SIZE, 0, HATCH_SIZE]) {
    pen.moveTo(start, HATCH_SIZE);
    pen.lineTo(start + HATCH_SIZE, 0);
  }
  pen.stroke();
  return pen.getImageData(0, 0, HATCH_SIZE, HATCH_SIZE);
}
