// Drawing the lines that divide units, or the areas of new ones; the GeoJSON field holds what is sent.

import * as maplibre from "maplibre-gl";
import { TerraDraw, TerraDrawLineStringMode, TerraDrawPolygonMode } from "terra-draw";
import { TerraDrawMapLibreGLAdapter } from "terra-draw-maplibre-gl-adapter";
import { createMap, mergeStyles } from "../lib/basemap.js";
import { getJson } from "../lib/dom.js";
import { pageData, t } from "../lib/text.js";

const PRECISION = 9;
const COLOR = "#b45309";
const BACKGROUND_LAYERS = ["provinces", "communes"];
const byId = (id) => document.getElementById(id);
const config = pageData("map-config");

async function backgroundStyle() {
  const styles = await Promise.all(BACKGROUND_LAYERS.map((id) => getJson(`/styles/${id}.json`)));
  return mergeStyles({ styles, fonts: config.fonts, basemap: config.basemap });
}

function showOld(map) {
  map.addSource("old", { type: "geojson", data: { type: "Feature", properties: {}, geometry: pageData("old-shapes") } });
  map.addLayer({ id: "old-fill", type: "fill", source: "old", paint: { "fill-color": "#f2b65a", "fill-opacity": 0.35 } });
  map.addLayer({ id: "old-line", type: "line", source: "old", paint: { "line-color": "#073f3b", "line-width": 2.5 } });
}

function makeDrawing(map, changed) {
  const draw = new TerraDraw({
    adapter: new TerraDrawMapLibreGLAdapter({ map, lib: maplibre, coordinatePrecision: PRECISION }),
    modes: [
      new TerraDrawLineStringMode({
        styles: { lineStringColor: COLOR, lineStringWidth: 4, closingPointColor: COLOR, closingPointWidth: 6 },
      }),
      new TerraDrawPolygonMode({
        styles: { fillColor: COLOR, fillOpacity: 0.25, outlineColor: COLOR, outlineWidth: 3 },
      }),
    ],
  });
  draw.start();
  const buttons = [...byId("draw").querySelectorAll("[data-tool]")];
  const use = (mode) => {
    // A division is either by lines or by areas; changing the tool begins anew.
    const other = mode === "linestring" ? "Polygon" : "LineString";
    draw.removeFeatures(draw.getSnapshot().filter(({ geometry }) => geometry.type === other).map(({ id }) => id));
    draw.setMode(mode);
    for (const button of buttons) button.setAttribute("aria-pressed", String(button.dataset.tool === mode));
    changed(finished());
  };
  const finished = () =>
    draw
      .getSnapshot()
      .filter(({ geometry, properties }) => geometry.type !== "Point" && !properties.currentlyDrawing)
      .map(({ geometry }) => geometry);
  draw.on("finish", () => changed(finished()));
  for (const button of buttons) {
    button.addEventListener("click", () => {
      if (button.dataset.tool !== "clear") return use(button.dataset.tool);
      draw.clear();
      return changed([]);
    });
  }
  use("linestring");
}

function write(geometries) {
  const lines = geometries.filter(({ type }) => type === "LineString").length;
  byId("geometry").value = geometries.length ? JSON.stringify({ type: "GeometryCollection", geometries }) : "";
  const sentence = lines ? "drawn_lines" : "drawn_areas";
  byId("drawn").textContent = geometries.length ? t(sentence, { count: geometries.length }) : t("drawn_nothing");
}

async function start() {
  byId("draw").hidden = false;
  const container = byId("boundary-map");
  const view = { bounds: config.bounds, fitBoundsOptions: { padding: 40 } };
  let map;
  try {
    map = createMap({ container, style: await backgroundStyle(), view, attribution: config.attribution });
  } catch (failure) {
    byId("drawn").textContent = failure instanceof maplibre.GPUInitializationError ? t("no_webgl") : failure.message;
    return;
  }
  map.once("style.load", () => {
    showOld(map);
    makeDrawing(map, write);
    container.dataset.drawReady = "1";
  });
}

start();
