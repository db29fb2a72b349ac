// The map of one fault: the rows around it, the fault, and what the chosen fix would make; J and K change the fault.

import { createMap, mergeStyles } from "../lib/basemap.js";
import { getJson } from "../lib/dom.js";
import { pageData } from "../lib/text.js";

const config = pageData("map-config");
const data = pageData("quality-data");
const BACKGROUND_LAYERS = ["provinces", "districts", "communes"];
const ROW = "#0b5a54";
const FAULT = "#b91c1c";
const RESULT = "#1d4ed8";
const EMPTY = { type: "FeatureCollection", features: [] };

const feature = (geometry) => ({ type: "Feature", properties: {}, geometry });
const collection = (shapes) => ({ type: "FeatureCollection", features: shapes.filter(Boolean).map(feature) });
const chosen = () => document.querySelector("#fix-form input[name=fix]:checked")?.dataset.result;

function addShapes(map) {
  map.addSource("fault-rows", { type: "geojson", data: collection(data.rows) });
  map.addSource("fault-result", { type: "geojson", data: EMPTY });
  map.addSource("fault", { type: "geojson", data: collection([data.fault]) });
  map.addLayer({ id: "rows-fill", type: "fill", source: "fault-rows", paint: { "fill-color": ROW, "fill-opacity": 0.18 } });
  map.addLayer({ id: "rows-line", type: "line", source: "fault-rows", paint: { "line-color": ROW, "line-width": 1.5 } });
  map.addLayer({ id: "fault-fill", type: "fill", source: "fault", paint: { "fill-color": FAULT, "fill-opacity": 0.55 } });
  map.addLayer({ id: "fault-line", type: "line", source: "fault", paint: { "line-color": FAULT, "line-width": 2.5 } });
  map.addLayer({
    id: "fault-point",
    type: "circle",
    source: "fault",
    filter: ["==", ["geometry-type"], "Point"],
    paint: { "circle-color": FAULT, "circle-radius": 7, "circle-stroke-color": "#ffffff", "circle-stroke-width": 2 },
  });
  map.addLayer({
    id: "result-line",
    type: "line",
    source: "fault-result",
    paint: { "line-color": RESULT, "line-width": 2, "line-dasharray": [3, 2] },
  });
}

function showResult(map) {
  const index = chosen();
  for (const path of document.querySelectorAll(".fault-drawing .result")) {
    path.toggleAttribute("hidden", path.dataset.result !== index);
  }
  map?.getSource("fault-result")?.setData(collection([index === undefined ? null : data.results[Number(index)]]));
}

async function showMap() {
  const container = document.getElementById("quality-map");
  if (!data.bounds) return null;
  const styles = await Promise.all(BACKGROUND_LAYERS.map((id) => getJson(`/styles/${id}.json`)));
  const [west, south, east, north] = data.bounds;
  const view = { bounds: [[west, south], [east, north]], fitBoundsOptions: { padding: 70, maxZoom: 19 } };
  container.hidden = false;
  const style = mergeStyles({ styles, fonts: config.fonts, basemap: config.basemap });
  const map = createMap({ container, style, view, attribution: config.attribution });
  document.getElementById("quality-drawing").hidden = true;
  map.once("style.load", () => {
    addShapes(map);
    showResult(map);
  });
  return map;
}

function keyboard(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select")) return;
  const target = { j: "fault-after", k: "fault-before" }[event.key.toLowerCase()];
  if (target) document.getElementById(target)?.click();
}

async function start() {
  document.addEventListener("keydown", keyboard);
  showResult(null);
  let map = null;
  try {
    map = await showMap();
  } catch {
    // Without WebGL or network the drawing stays: it shows the same.
    document.getElementById("quality-map").hidden = true;
    document.getElementById("quality-drawing").hidden = false;
  }
  document.getElementById("fix-form")?.addEventListener("change", () => showResult(map));
}

start();
