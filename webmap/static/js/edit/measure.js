// How large and how long: the sentence under the map.

import { areaOf, lengthOf, perimeterOf } from "../lib/geometry.js";
import { closed } from "../lib/rings.js";
import { number, t } from "../lib/text.js";

const HECTARE = 10_000;
const SMALL_CONG = 1_000;
const KILOMETRE = 1_000;

const areaFacts = (area) => ({ ha: number(area / HECTARE, 4), cong: number(area / SMALL_CONG, 2) });
const length = (metres) => (metres < KILOMETRE ? `${number(metres, 1)} m` : `${number(metres / KILOMETRE, 3)} km`);

/** Says the area and border of polygons. */
export function shapeSentence(polygons) {
  if (!polygons.length) return t("nothing_drawn");
  const facts = { ...areaFacts(areaOf(polygons)), parts: polygons.length };
  const area = t(polygons.length === 1 ? "area_of_one" : "area_of_parts", facts);
  return `${area} · ${t("perimeter", { length: length(perimeterOf(polygons)) })}`;
}

/** Says what is being drawn: its length, and its area once it has one. */
export function sketchSentence({ kind, vertices }) {
  const along = t("length_so_far", { length: length(lengthOf(vertices)) });
  if (kind === "line" || vertices.length < 3) return along;
  return `${t("area_so_far", areaFacts(areaOf([[closed(vertices)]])))} · ${along}`;
}
