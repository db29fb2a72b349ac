// The map beside the table: what is selected there is selected here, by click, with Ctrl, or by a box.

import { createMap, maplibre, mergeStyles } from "../lib/basemap.js";
import { getJson } from "../lib/dom.js";
import { t } from "../lib/text.js";

const BACKGROUND_LAYERS = ["provinces", "districts"];
const PLAIN = ["fill", "line", "circle"];
const SOURCE = "chosen";
const MOST_DRAWN = 1_000;
const COLOR = "#d97706";
const OUTLINE = "#9a4a00";
const byId = (id) => document.getElementById(id);

async function styleOf({ page, config }) {
  const ids = [...new Set([...BACKGROUND_LAYERS, page.layer])];
  const styles = await Promise.all(ids.map((id) => getJson(`/styles/${id}.json`)));
  const own = styles[ids.indexOf(page.layer)].layers.filter(({ type }) => PLAIN.includes(type)).map(({ id }) => id);
  return { style: mergeStyles({ styles, fonts: config.fonts, basemap: config.basemap }), own };
}

/** Makes the map of a table. */
export async function makeTableMap({ page, config, server, selected, rows }) {
  const container = byId("table-map");
  const message = byId("map-message");
  let map;
  let own;
  try {
    const made = await styleOf({ page, config });
    own = made.own;
    map = createMap({ container, style: made.style, view: { bounds: config.bounds }, attribution: config.attribution });
  } catch (failure) {
    message.textContent = failure instanceof maplibre.GPUInitializationError ? t("no_webgl") : failure.message;
    return;
  }
  map.once("style.load", () => {
    addHighlight(map);
    wire({ map, own, page, server, selected, rows, message });
    container.dataset.tableReady = "1";
  });
}

function wire({ map, own, page, server, selected, rows, message }) {
  let shapes = [];
  let asked = null;

  async function draw() {
    asked?.abort();
    asked = new AbortController();
    const ids = selected.ids.slice(0, MOST_DRAWN);
    try {
      shapes = ids.length ? (await server.shapes(ids, asked.signal)).features : [];
    } catch (error) {
      if (error.name === "AbortError") return;
      shapes = [];
    }
    map.getSource(SOURCE).setData({ type: "FeatureCollection", features: shapes });
    map.getContainer().dataset.selected = String(shapes.length);
  }

  const versionOf = (id) => {
    const row = rows.all().find((node) => rows.idOf(node) === id);
    return row ? rows.entry(row)[1] : null;
  };

  async function entriesAt(point) {
    const hit = map.queryRenderedFeatures(point, { layers: own }).find(({ id }) => id !== undefined);
    if (!hit) return [];
    const id = Number(hit.id);
    return [[id, versionOf(id) ?? (await remoteVersion(page.layer, id))]];
  }

  map.on("click", async ({ point, originalEvent }) => {
    if (byId("box-select").getAttribute("aria-pressed") === "true") return;
    const [entry] = await entriesAt(point);
    if (!entry) return;
    if (originalEvent.ctrlKey || originalEvent.metaKey || originalEvent.shiftKey) selected.toggle(...entry, "map");
    else selected.only([entry], "map");
  });
  wireBox({ map, message, choose: async (box, more) => {
    try {
      const { rows: found } = await server.ids(location.search, box);
      if (more) selected.add(found, "map");
      else selected.only(found, "map");
    } catch (error) {
      message.textContent = error.message;
    }
  } });
  const zoom = byId("zoom-selected");
  zoom.addEventListener("click", () => {
    const bounds = new maplibre.LngLatBounds();
    for (const { geometry } of shapes) eachPosition(geometry?.coordinates ?? [], (at) => bounds.extend(at));
    if (!bounds.isEmpty()) map.fitBounds(bounds, { padding: 50, maxZoom: 16 });
  });
  selected.listen(() => {
    zoom.hidden = selected.size === 0;
    draw();
  });
  zoom.hidden = selected.size === 0;
  draw();
}

// MapLibre's own box zoom gives way to a box that selects.
function wireBox({ map, message, choose }) {
  const button = byId("box-select");
  let start = null;
  let last = null;
  button.hidden = false;
  map.boxZoom.disable();
  const on = () => button.getAttribute("aria-pressed") === "true";

  function set(wanted) {
    button.setAttribute("aria-pressed", String(wanted));
    map.dragPan[wanted ? "disable" : "enable"]();
    map.getCanvas().classList.toggle("drawing", wanted);
    message.textContent = wanted ? t("drag_box") : "";
  }

  const boxOf = (a, b) => [Math.min(a.lng, b.lng), Math.min(a.lat, b.lat), Math.max(a.lng, b.lng), Math.max(a.lat, b.lat)];
  const show = (box) => {
    const [west, south, east, north] = box ?? [0, 0, 0, 0];
    const ring = [[west, south], [east, south], [east, north], [west, north], [west, south]];
    map.getSource("box").setData({ type: "Feature", properties: {}, geometry: { type: "Polygon", coordinates: box ? [ring] : [] } });
  };
  const begin = ({ lngLat }) => {
    if (on()) start = last = lngLat;
  };
  const drag = ({ lngLat }) => {
    last = lngLat;
    if (start) show(boxOf(start, last));
  };
  // The button may be let go over a control, or beside the map.
  const end = ({ clientX, clientY, ctrlKey, metaKey }) => {
    if (!start) return;
    const { left, top } = map.getCanvas().getBoundingClientRect();
    const box = boxOf(start, clientX === undefined ? last : map.unproject([clientX - left, clientY - top]));
    start = null;
    show(null);
    set(false);
    choose(box, ctrlKey || metaKey);
  };
  const steps = { mousedown: begin, mousemove: drag, touchstart: begin, touchmove: drag };
  for (const [event, step] of Object.entries(steps)) map.on(event, step);
  for (const event of ["mouseup", "touchend"]) window.addEventListener(event, end);
  button.addEventListener("click", () => set(!on()));
}

async function remoteVersion(layer, id) {
  const { properties } = await getJson(`/layers/${layer}/${id}.geojson`);
  return properties.version ?? null;
}

function eachPosition(coordinates, visit) {
  if (typeof coordinates[0] === "number") visit(coordinates);
  else coordinates.forEach((inner) => eachPosition(inner, visit));
}

function addHighlight(map) {
  const nothing = { type: "FeatureCollection", features: [] };
  map.addSource(SOURCE, { type: "geojson", data: nothing });
  map.addSource("box", { type: "geojson", data: nothing });
  const isPoint = ["==", ["geometry-type"], "Point"];
  const layer = (id, type, paint, filter, source = SOURCE) => map.addLayer({ id, type, source, paint, ...(filter ? { filter } : {}) });
  layer("chosen-fill", "fill", { "fill-color": COLOR, "fill-opacity": 0.35 }, ["!", isPoint]);
  layer("chosen-line", "line", { "line-color": OUTLINE, "line-width": 3 }, ["!", isPoint]);
  const ring = { "circle-radius": 9, "circle-color": COLOR, "circle-opacity": 0.4, "circle-stroke-color": OUTLINE, "circle-stroke-width": 3 };
  layer("chosen-point", "circle", ring, isPoint);
  layer("box-fill", "fill", { "fill-color": "#0b5a54", "fill-opacity": 0.15 }, null, "box");
  layer("box-line", "line", { "line-color": "#0b5a54", "line-width": 2 }, null, "box");
}
