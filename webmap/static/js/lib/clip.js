// Joining and cutting polygons, exactly, and putting parts and holes together.

import * as polyclip from "polyclip-ts";
import { areaOf, boundsOf } from "./geometry.js";
import { closed, ringHolds, turning } from "./rings.js";

const SMALLEST = 0.01;

const kept = (polygons) => polygons.filter((polygon) => areaOf([polygon]) > SMALLEST);

/** The polygons that cover what any of two shapes covers. */
export const union = (a, b) => (a.length && b.length ? kept(polyclip.union(a, b)) : [...a, ...b]);

/** The polygons that cover what `a` covers and `b` does not. */
export const difference = (a, b) => (a.length && b.length ? kept(polyclip.difference(a, b)) : a);

/** The polygons that cover what both shapes cover. */
export const intersection = (a, b) => (a.length && b.length ? kept(polyclip.intersection(a, b)) : []);

/** Puts outer rings and hole rings together; a hole that reaches over a border cuts the parts it meets. */
export function assembled(parts, holes) {
  let polygons = parts.map((ring) => [ring]);
  for (const hole of holes) {
    const home = polygons.find((polygon) => liesWithin(hole, polygon));
    if (home) home.push(hole);
    else polygons = polygons.flatMap((polygon) => (meet(hole, polygon[0]) ? difference([polygon], [[hole]]) : [polygon]));
  }
  return polygons;
}

/** Cuts a hole into polygons. */
export function withHole(polygons, ring) {
  const home = polygons.find((polygon) => liesWithin(ring, polygon));
  if (!home) return difference(polygons, [[closed(ring)]]);
  return polygons.map((polygon) => (polygon === home ? [...polygon, closed(ring)] : polygon));
}

/** Adds a part; where it overlaps what is there the two become one. */
export function withPart(polygons, ring) {
  const part = [closed(ring)];
  const meets = (polygon) => meet(part[0], polygon[0]) && intersection([polygon], [part]).length > 0;
  const touched = polygons.filter(meets);
  if (!touched.length) return [...polygons, part];
  return [...polygons.filter((polygon) => !touched.includes(polygon)), ...union(touched, [part])];
}

function meet(a, b) {
  const [p, q] = [boundsOf(a), boundsOf(b)];
  return p[0] <= q[2] && q[0] <= p[2] && p[1] <= q[3] && q[1] <= p[3];
}

function liesWithin(ring, [outer, ...holes]) {
  const vertices = closed(ring);
  if (!vertices.every((vertex) => ringHolds(outer, vertex))) return false;
  const clear = (other) => !vertices.some((vertex) => ringHolds(other, vertex)) && !other.some((vertex) => ringHolds(ring, vertex));
  return holes.every(clear) && !crosses(vertices, outer) && !holes.some((hole) => crosses(vertices, hole));
}

function crosses(a, b) {
  for (let i = 0; i + 1 < a.length; i += 1) {
    for (let k = 0; k + 1 < b.length; k += 1) if (segmentsCross(a[i], a[i + 1], b[k], b[k + 1])) return true;
  }
  return false;
}

function segmentsCross(a, b, c, d) {
  const side = (p, q, r) => Math.sign((q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0]));
  return side(a, b, c) !== side(a, b, d) && side(c, d, a) !== side(c, d, b);
}

/** Tells whether a closed ring crosses itself; neighbouring edges may share their vertex. */
export function crossesItself(ring) {
  const edges = ring.length - 1;
  for (let i = 0; i < edges; i += 1) {
    for (let k = i + 2; k < edges; k += 1) {
      const neighbours = i === 0 && k === edges - 1;
      if (!neighbours && segmentsCross(ring[i], ring[i + 1], ring[k], ring[k + 1])) return true;
    }
  }
  return false;
}

/** A ring that turns left, as GeoJSON wants outer rings. */
export const leftTurning = (ring) => (turning(closed(ring)) < 0 ? [...closed(ring)].reverse() : closed(ring));
