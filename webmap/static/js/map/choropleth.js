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
  const { indicatorSelect, levelSelect, legendBox } = elements;
  const state = { indicator: "", level: LEVELS[0], data: null };
  let pending = null;
  map.addImage("hatch", hatchPattern(), { pixelRatio: 2 });

  function draw() {
    for (const id of [FILL, HATCH, EDGE]) if (map.getLayer(id)) map.removeLayer(id);
    if (!state.data) return;
    const { source, sourceLayer } = sources[state.level];
    const common = { source, "source-layer": sourceLayer };
    const { colors, blank } = colorsOf(state.data);
    map.addLayer({ id: FILL, type: "fill", ...common, paint: { "fill-color": colors, "fill-opacity": 0.85 } }, before);
    const without = ["in", ["id"], ["literal", blank]];
    map.addLayer({ id: HATCH, type: "fill", ...common, filter: without, paint: { "fill-pattern": "hatch" } }, before);
    map.addLayer({ id: EDGE, type: "line", ...common, paint: { "line-color": "#5d6b66", "line-width": 0.6 } }, before);
  }

  async function show(indicator, level) {
    pending?.abort();
    state.indicator = indicator;
    state.level = LEVELS.includes(level) ? level : LEVELS[0];
    state.data = null;
    indicatorSelect.value = state.indicator;
    levelSelect.value = state.level;
    levelSelect.disabled = !indicator;
    if (indicator) {
      pending = new AbortController();
      const address = `${config.statistics.replace(/\.json$/, "")}/${encodeURIComponent(indicator)}.json`;
      try {
        state.data = await getJson(`${address}?level=${state.level}`, { signal: pending.signal });
      } catch (error) {
        if (error.name === "AbortError") return;
        announce(error.message);
      }
    }
    draw();
    drawLegend(legendBox, state.data);
    bus.tell("choropleth", { data: state.data });
    if (state.data) announce(t("choropleth_shown", { name: local(state.data.title) }));
  }

  indicatorSelect.addEventListener("change", () => {
    if (Boolean(indicatorSelect.value) !== Boolean(state.indicator)) {
      bus.tell("theme", { active: Boolean(indicatorSelect.value) });
    }
    show(indicatorSelect.value, levelSelect.value);
  });
  levelSelect.addEventListener("change", () => show(indicatorSelect.value, levelSelect.value));
  return {
    show,
    get view() {
      return { choropleth: state.indicator, level: state.level };
    },
    valueOf: (id) => state.data?.values.find((entry) => entry.id === id),
    get data() {
      return state.data;
    },
  };
}

/** Fills the chooser with the indicators that the server knows. */
export async function fillIndicators(select, config) {
  const { indicators } = await getJson(config.statistics);
  for (const { id, title } of indicators) select.append(el("option", { value: id }, local(title)));
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

function drawLegend(box, data) {
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
      data.method ? el("p", { class: "aside" }, local(data.method)) : null,
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
