// One MapLibre map, set up our way: own fonts, translated controls, an optional background of the operator.

import * as maplibre from "maplibre-gl";
import { fontFaces, ourFont } from "./fonts.js";
import { t } from "./text.js";

const DRAWING_ORDER = ["background", "raster", "fill", "line", "circle", "symbol"];
const WATER = "#d9e6ea";
const LAND = "#fcfbf5";
const LOCALE_KEYS = [
  "AttributionControl.ToggleAttribution",
  "GeolocateControl.FindMyLocation",
  "GeolocateControl.LocationNotAvailable",
  "Map.Title",
  "NavigationControl.ZoomIn",
  "NavigationControl.ZoomOut",
  "NavigationControl.ResetBearing",
  "Popup.Close",
];

const translatedLocale = () => Object.fromEntries(LOCALE_KEYS.map((key) => [key, t(key)]));

/** Merges the styles of single layers into one: fills below lines below circles below labels. */
export function mergeStyles({ styles, fonts, basemap }) {
  const sources = Object.assign({}, ...styles.map((style) => style.sources));
  const layers = styles.flatMap((style) => style.layers).filter((layer) => layer.type !== "background");
  const rank = (layer) => DRAWING_ORDER.indexOf(layer.type);
  const ordered = layers.map(withOurFont).sort((a, b) => rank(a) - rank(b));
  const ground = [{ id: "ground", type: "background", paint: { "background-color": WATER } }];
  if (basemap) {
    sources.basemap = {
      type: "raster",
      tiles: basemap.tiles,
      tileSize: 256,
      attribution: basemap.attribution,
      maxzoom: basemap.maxzoom ?? 19,
    };
    ground.push({ id: "basemap", type: "raster", source: "basemap" });
  } else {
    ground.push(...land(sources, layers));
  }
  return { version: 8, "font-faces": fontFaces(fonts), sources, layers: [...ground, ...ordered] };
}

// Without a background map the province itself is the land, whether or not its layer is shown.
function land(sources, layers) {
  const drawn = layers.find(({ source, type }) => source === "provinces" && type !== "symbol");
  if (!drawn) return [];
  const paint = { "fill-color": LAND };
  return [{ id: "land", type: "fill", source: drawn.source, "source-layer": drawn["source-layer"], paint }];
}

function withOurFont(layer) {
  if (layer.type !== "symbol") return layer;
  return { ...layer, layout: { ...layer.layout, "text-font": ourFont(layer.layout?.["text-font"]) } };
}

/** Makes the map with its zoom buttons and scale; throws GPUInitializationError where WebGL is missing. */
export function createMap({ container, style, view, attribution }) {
  const map = new maplibre.Map({
    container,
    style,
    ...view,
    locale: translatedLocale(),
    attributionControl: false,
    dragRotate: false,
    pitchWithRotate: false,
    maxPitch: 0,
    minZoom: 5,
    maxZoom: 20,
  });
  map.touchZoomRotate.disableRotation();
  map.keyboard.disableRotation();
  map.addControl(new maplibre.NavigationControl({ showCompass: false }), "top-right");
  map.addControl(new maplibre.ScaleControl({ unit: "metric", maxWidth: 120 }), "bottom-left");
  map.addControl(new maplibre.AttributionControl({ compact: false, customAttribution: attribution }), "bottom-right");
  map.once("idle", () => {
    container.dataset.mapReady = "1";
  });
  return map;
}

export { maplibre };
