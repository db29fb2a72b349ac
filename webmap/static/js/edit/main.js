// The edit form's map: draws the record's outline, keeps the GeoJSON field and the shown area in step with it.

import { createMap, maplibre, mergeStyles } from "../lib/basemap.js";
import { getJson } from "../lib/dom.js";
import { areaOf, boundsOf, polygonsOf } from "../lib/geometry.js";
import { number, pageData, t } from "../lib/text.js";
import { makeDrawing } from "./drawing.js";
import { showLocalFile } from "./files.js";

const byId = (id) => document.getElementById(id);
const config = pageData("map-config");
const BACKGROUND_LAYERS = ["provinces", "districts", "communes"];
const HECTARE = 10_000;
const SMALL_CONG = 1_000;

async function backgroundStyle() {
  const styles = await Promise.all(BACKGROUND_LAYERS.map((id) => getJson(`/styles/${id}.json`)));
  return mergeStyles({ styles, fonts: config.fonts, basemap: config.basemap });
}

function measure(polygons) {
  const area = areaOf(polygons);
  if (!polygons.length) return t("nothing_drawn");
  const facts = { parts: polygons.length, ha: number(area / HECTARE, 4), cong: number(area / SMALL_CONG, 2) };
  return t(polygons.length === 1 ? "area_of_one" : "area_of_parts", facts);
}

function readField(field, error) {
  const text = field.value.trim();
  error.textContent = "";
  field.removeAttribute("aria-invalid");
  if (!text) return [];
  try {
    const polygons = polygonsOf(JSON.parse(text));
    if (polygons.length) return polygons;
  } catch {
    // Falls through to the same sentence: either it is no JSON, or it holds no polygon.
  }
  error.textContent = t("geojson_not_read");
  field.setAttribute("aria-invalid", "true");
  return null;
}

function viewOf(polygons) {
  const bounds = boundsOf(polygons) ?? config.bounds;
  return { bounds, fitBoundsOptions: { padding: 40, maxZoom: 17 } };
}

async function start() {
  const field = byId("geometry");
  const error = byId("geometry-error");
  const initial = readField(field, error) ?? [];
  byId("draw").hidden = false;
  const container = byId("edit-map");
  let map;
  try {
    map = createMap({ container, style: await backgroundStyle(), view: viewOf(initial), attribution: config.attribution });
  } catch (failure) {
    byId("measure").textContent = failure instanceof maplibre.GPUInitializationError ? t("no_webgl") : failure.message;
    return;
  }
  map.once("style.load", () => {
    const drawing = makeDrawing({
      map,
      tools: byId("draw").querySelector(".draw-tools"),
      changed: (polygons) => {
        field.value = polygons.length ? JSON.stringify({ type: "MultiPolygon", coordinates: polygons }) : "";
        byId("measure").textContent = measure(polygons);
      },
    });
    drawing.replace(initial);
    byId("measure").textContent = measure(initial);
    field.addEventListener("change", () => {
      const pasted = readField(field, error);
      if (!pasted) return;
      drawing.replace(pasted);
      byId("measure").textContent = measure(pasted);
      if (pasted.length) map.fitBounds(boundsOf(pasted), { padding: 40, maxZoom: 17 });
    });
    showLocalFile({ input: byId("geometry-file"), field });
    container.dataset.drawReady = "1";
  });
}

start();
