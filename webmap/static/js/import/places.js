// Each proposed reference system in its own colour, beside the two VN-2000 meridians; choosing one goes there.

import { ourFont } from "../lib/fonts.js";
import { t } from "../lib/text.js";

const COLORS = ["#9c1f1f", "#1d4ed8", "#b45309", "#7e22ce", "#166534", "#475569"];

const color = ["match", ["%", ["get", "proposal"], COLORS.length], ...COLORS.slice(1).flatMap((c, i) => [i + 1, c]), COLORS[0]];

function addLayers(map, data) {
  for (const feature of data.features) {
    const name = feature.properties.meridian;
    if (name) feature.properties.title = t("meridian", { name });
  }
  map.addSource("places", { type: "geojson", data });
  const proposed = ["has", "proposal"];
  map.addLayer({ id: "places-fill", type: "fill", source: "places", filter: ["all", proposed, ["==", ["geometry-type"], "Polygon"]], paint: { "fill-color": color, "fill-opacity": 0.35 } });
  map.addLayer({ id: "places-line", type: "line", source: "places", filter: ["all", proposed, ["!=", ["geometry-type"], "Point"]], paint: { "line-color": color, "line-width": 1.5 } });
  map.addLayer({ id: "places-point", type: "circle", source: "places", filter: ["all", proposed, ["==", ["geometry-type"], "Point"]], paint: { "circle-color": color, "circle-radius": 5, "circle-stroke-color": "#ffffff", "circle-stroke-width": 1 } });
  map.addLayer({ id: "meridians", type: "line", source: "places", filter: ["has", "meridian"], paint: { "line-color": "#073f3b", "line-width": 1.5, "line-dasharray": [4, 3] } });
  map.addLayer({ id: "meridian-names", type: "symbol", source: "places", filter: ["has", "meridian"], layout: { "symbol-placement": "line", "text-field": ["get", "title"], "text-font": ourFont(), "text-size": 12 }, paint: { "text-color": "#073f3b", "text-halo-color": "#ffffff", "text-halo-width": 1.5 } });
}

/** Draws the proposals and lets the radio buttons choose which one is looked at. */
export function showPlaces({ map, data, note }) {
  addLayers(map, data);
  const radios = [...document.querySelectorAll("[data-proposal]")];
  const look = (radio) => {
    const [west, south, east, north] = JSON.parse(radio.dataset.bounds);
    if (!(east >= west) || (west === 0 && east === 0)) return;
    const inReach = west < 118 && east > 101 && south < 24 && north > 6;
    if (inReach) map.fitBounds([west, south, east, north], { padding: 60, maxZoom: 12, animate: false });
    note.textContent = radio.closest("label").querySelector("strong").textContent;
  };
  for (const radio of radios) radio.addEventListener("change", () => look(radio));
  const chosen = radios.find((radio) => radio.checked);
  const [west, south, east, north] = JSON.parse((chosen ?? radios[0])?.dataset.bounds ?? "[0,0,0,0]");
  const beside = west > 103 && east < 107 ? [Math.min(west, 104.45), south, Math.max(east, 105.05), north] : null;
  if (beside) map.fitBounds(beside, { padding: 30, maxZoom: 12, animate: false });
}
