// Reading the tracks of a GPX file as rings: each track, route or, failing both, the waypoints in their order.

import { apart, closed } from "./rings.js";

const NEAR_METRES = 0.5;
const FEWEST = 3;

/** Returns the closed rings of a GPX document in lon/lat; empty when it holds no line of three places. */
export function ringsOfGpx(text) {
  const document = new DOMParser().parseFromString(text, "application/xml");
  if (document.querySelector("parsererror")) return [];
  const lines = [...document.getElementsByTagNameNS("*", "trk")].map((track) => points(track, "trkpt"));
  if (!lines.some((line) => line.length)) {
    lines.push(...[...document.getElementsByTagNameNS("*", "rte")].map((route) => points(route, "rtept")));
  }
  if (!lines.some((line) => line.length)) lines.push(points(document, "wpt"));
  return lines.map(thinned).filter((line) => line.length >= FEWEST).map(closed);
}

function points(parent, name) {
  return [...parent.getElementsByTagNameNS("*", name)]
    .map((node) => [Number(node.getAttribute("lon")), Number(node.getAttribute("lat"))])
    .filter(([lon, lat]) => Math.abs(lon) <= 180 && Math.abs(lat) <= 90 && (lon !== 0 || lat !== 0));
}

// A receiver that stands still writes the same place again and again.
function thinned(line) {
  const kept = [];
  for (const point of line) if (!kept.length || apart(kept.at(-1), point) > NEAR_METRES) kept.push(point);
  while (kept.length > FEWEST && apart(kept[0], kept.at(-1)) <= NEAR_METRES) kept.pop();
  return kept;
}
