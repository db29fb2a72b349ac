// The address of the page holds the view: #map=z/lat/lon&layers=a:60,b&choropleth=…&level=…&edition=…&method=…&selected=layer/id&lang=vi

const FULL = 100;

/** Reads a view from the part of the address after '#'. */
export function parseView(hash) {
  const given = new URLSearchParams(hash.replace(/^#/, ""));
  const view = {};
  const [zoom, lat, lon] = (given.get("map") ?? "").split("/").map(Number);
  if ([zoom, lat, lon].every(Number.isFinite) && Math.abs(lat) <= 90 && given.get("map")) {
    view.map = { zoom, lat, lon };
  }
  if (given.has("layers")) view.layers = parseLayers(given.get("layers"));
  for (const name of ["choropleth", "level", "edition", "method", "lang"]) if (given.get(name)) view[name] = given.get(name);
  const [layer, id] = (given.get("selected") ?? "").split("/");
  if (layer && /^\d+$/.test(id ?? "")) view.selected = { layer, id: Number(id) };
  return view;
}

/** Writes a view as the part of the address after '#'. */
export function formatView({ map, layers, choropleth, level, edition, method, selected, lang }) {
  const parts = [];
  if (map) {
    const digits = Math.max(2, Math.ceil(map.zoom / 3) + 1);
    parts.push(`map=${round(map.zoom, 2)}/${round(map.lat, digits)}/${round(map.lon, digits)}`);
  }
  if (layers) parts.push(`layers=${formatLayers(layers)}`);
  if (choropleth) parts.push(`choropleth=${encodeURIComponent(choropleth)}`);
  if (choropleth && level) parts.push(`level=${encodeURIComponent(level)}`);
  if (choropleth && edition) parts.push(`edition=${encodeURIComponent(edition)}`);
  if (choropleth && edition && method) parts.push(`method=${encodeURIComponent(method)}`);
  if (selected) parts.push(`selected=${encodeURIComponent(selected.layer)}/${selected.id}`);
  if (lang) parts.push(`lang=${lang}`);
  return `#${parts.join("&")}`;
}

function parseLayers(text) {
  const layers = new Map();
  for (const part of text.split(",").filter(Boolean)) {
    const [id, opacity] = part.split(":");
    const percent = opacity === undefined ? FULL : Number(opacity);
    layers.set(id, Number.isFinite(percent) ? Math.min(FULL, Math.max(0, percent)) : FULL);
  }
  return layers;
}

function formatLayers(layers) {
  return [...layers].map(([id, percent]) => (percent === FULL ? id : `${id}:${percent}`)).join(",");
}

const round = (value, digits) => Number(value.toFixed(digits));
