// Reading single records and naming them.

import { getJson } from "../lib/dom.js";
import { boundsOf } from "../lib/geometry.js";
import { fieldText, lang, local } from "../lib/text.js";

const UNSHOWN = /_(id|code|en)$|^(source|edition|status|version|updated_at|valid_from|valid_to)$/;
const POINT_MARGIN = 0.004;

/** Fetches one record as a GeoJSON feature. */
export function fetchRecord(layer, id, options) {
  return getJson(`${layer.geojson.replace(/\.geojson$/, "")}/${id}.geojson`, options);
}

/** The name that a person knows the record by, in the language of the page where it has one. */
export function titleOf(layer, properties, id) {
  const english = lang === "en" ? properties.name_en : null;
  const name = english || properties[layer.name_field];
  return name ? String(name) : `${local(layer.title)} ${id}`;
}

/** The field that holds the name. */
export function nameField(layer) {
  return layer.fields.find(({ name }) => name === layer.name_field) ?? layer.fields[0];
}

/** The fields that say something to a reader besides the name: no keys, no bookkeeping. */
export function tellingFields(layer) {
  return layer.fields.filter(({ name }) => !UNSHOWN.test(name) && name !== layer.name_field);
}

/** The first few facts of a record besides its name, as [title, text] pairs. */
export function factsOf(layer, properties, count = 5) {
  const facts = [];
  for (const field of tellingFields(layer)) {
    const text = fieldText(field, properties[field.name]);
    if (text && text.length < 120) facts.push([local(field.title), text]);
    if (facts.length === count) break;
  }
  return facts;
}

/** The box of a feature, widened around a single point. */
export function boxOf(feature) {
  const box = feature.bbox ?? (feature.geometry && boundsOf(feature.geometry.coordinates ?? []));
  if (!box) return null;
  const [west, south, east, north] = box;
  if (east - west > 0 || north - south > 0) return box;
  return [west - POINT_MARGIN, south - POINT_MARGIN, east + POINT_MARGIN, north + POINT_MARGIN];
}

/** The address of the record's page, or null where it has none. */
export function pageOf(layer, id) {
  return layer.page ? layer.page.replace("{id}", id) : null;
}

/** A point inside or on the feature where a popup may stand. */
export function anchorOf(feature) {
  const geometry = feature.geometry;
  if (!geometry) return null;
  if (geometry.type === "Point") return geometry.coordinates;
  const [west, south, east, north] = boxOf(feature);
  return [(west + east) / 2, (south + north) / 2];
}
