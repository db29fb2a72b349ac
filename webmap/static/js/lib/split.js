// Splitting a polygon by a line: all borders and the line become one net of edges, whose meshes are the parts.
// Vertices that were there stay exactly where they were; only crossings are new.

import { interiorPoint, polygonHolds, ringHolds, turning } from "./rings.js";

const DECIMALS = 10;
const keyOf = ([x, y]) => `${x.toFixed(DECIMALS)} ${y.toFixed(DECIMALS)}`;

/** Splits one polygon by a line; returns its parts, or the polygon alone when the line does not cut through it. */
export function splitPolygon(polygon, line) {
  const borders = polygon.flatMap(segmentsOf);
  const cuts = segmentsOf(line);
  const pieces = [
    ...node(borders, cuts),
    ...node(cuts, [...borders, ...cuts]).filter(([a, b]) => polygonHolds(polygon, middle(a, b))),
  ];
  const meshes = meshesOf(netOf(pieces));
  const shells = meshes.filter((ring) => turning(ring) > 0).map((ring) => [ring]);
  for (const ring of meshes.filter((mesh) => turning(mesh) < 0)) {
    const home = smallestAround(shells, ring);
    if (home) home.push(ring);
  }
  const parts = shells.filter((part) => polygonHolds(polygon, interiorPoint(part)));
  return parts.length > 1 ? parts : [polygon];
}

/** Splits every polygon of a shape by a line. */
export const splitShape = (polygons, line) => polygons.flatMap((polygon) => splitPolygon(polygon, line));

const middle = (a, b) => [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2];

function segmentsOf(path) {
  return path.slice(1).map((end, i) => [path[i], end]).filter(([a, b]) => keyOf(a) !== keyOf(b));
}

// Cuts segments where others cross or touch them.
function node(segments, others) {
  return segments.flatMap(([a, b]) => {
    const shares = new Map([[0, a], [1, b]]);
    for (const [c, d] of others) {
      if (a === c && b === d) continue;
      for (const { share, at } of meetings(a, b, c, d)) if (share > 0 && share < 1) shares.set(share, at);
    }
    const stops = [...shares].sort(([s], [t]) => s - t).map(([, at]) => at);
    return stops.slice(1).map((stop, i) => [stops[i], stop]).filter(([p, q]) => keyOf(p) !== keyOf(q));
  });
}

function meetings(a, b, c, d) {
  if (Math.max(a[0], b[0]) < Math.min(c[0], d[0]) || Math.max(c[0], d[0]) < Math.min(a[0], b[0])) return [];
  if (Math.max(a[1], b[1]) < Math.min(c[1], d[1]) || Math.max(c[1], d[1]) < Math.min(a[1], b[1])) return [];
  const [rx, ry, sx, sy] = [b[0] - a[0], b[1] - a[1], d[0] - c[0], d[1] - c[1]];
  const cross = rx * sy - ry * sx;
  const touching = [c, d].filter((end) => onSegment(end, a, b)).map((at) => ({ share: shareOf(at, a, b), at }));
  if (touching.length || Math.abs(cross) < 1e-24) return touching;
  const share = ((c[0] - a[0]) * sy - (c[1] - a[1]) * sx) / cross;
  const other = ((c[0] - a[0]) * ry - (c[1] - a[1]) * rx) / cross;
  if (share < 0 || share > 1 || other < 0 || other > 1) return [];
  // The same crossing must get the same coordinates from both sides, so it is always computed along the same one.
  const [from, to, way] = keyOf(a) + keyOf(b) < keyOf(c) + keyOf(d) ? [a, b, share] : [c, d, other];
  return [{ share, at: [from[0] + way * (to[0] - from[0]), from[1] + way * (to[1] - from[1])] }];
}

function shareOf(point, a, b) {
  return Math.abs(b[0] - a[0]) > Math.abs(b[1] - a[1])
    ? (point[0] - a[0]) / (b[0] - a[0])
    : (point[1] - a[1]) / (b[1] - a[1]);
}

// Within a tenth of a millimetre.
function onSegment(point, a, b) {
  const share = shareOf(point, a, b);
  if (!(share >= 0 && share <= 1)) return false;
  const at = [a[0] + share * (b[0] - a[0]), a[1] + share * (b[1] - a[1])];
  return Math.hypot(at[0] - point[0], at[1] - point[1]) < 1e-9;
}

// The net: places by key, each with the places it is joined to; dead ends are taken away.
function netOf(pieces) {
  const net = new Map();
  const place = (at) => {
    const key = keyOf(at);
    if (!net.has(key)) net.set(key, { key, at, joined: new Map() });
    return net.get(key);
  };
  for (const [a, b] of pieces) {
    const [p, q] = [place(a), place(b)];
    p.joined.set(q.key, q);
    q.joined.set(p.key, p);
  }
  const ends = [...net.values()].filter(({ joined }) => joined.size < 2);
  while (ends.length) {
    const end = ends.pop();
    net.delete(end.key);
    for (const next of end.joined.values()) {
      next.joined.delete(end.key);
      if (next.joined.size < 2 && net.has(next.key)) ends.push(next);
    }
    end.joined.clear();
  }
  return net;
}

// Walks every edge in both directions, always turning as far clockwise as possible: bounded meshes turn left.
function meshesOf(net) {
  const around = new Map();
  for (const { key, at, joined } of net.values()) {
    const angle = ({ at: to }) => Math.atan2(to[1] - at[1], to[0] - at[0]);
    around.set(key, [...joined.values()].sort((p, q) => angle(p) - angle(q)));
  }
  const walked = new Set();
  const meshes = [];
  for (const start of net.values()) {
    for (const first of start.joined.values()) {
      if (walked.has(`${start.key}|${first.key}`)) continue;
      const ring = [start.at];
      let [from, to] = [start, first];
      while (!walked.has(`${from.key}|${to.key}`)) {
        walked.add(`${from.key}|${to.key}`);
        ring.push(to.at);
        const choices = around.get(to.key);
        const back = choices.indexOf(from);
        [from, to] = [to, choices[(back - 1 + choices.length) % choices.length]];
      }
      meshes.push(ring);
    }
  }
  return meshes;
}

function smallestAround(shells, ring) {
  const keys = new Set(ring.map(keyOf));
  const inside = interiorPoint([ring]);
  return shells
    .filter(([shell]) => !shell.every((at) => keys.has(keyOf(at))) && ringHolds(shell, inside))
    .filter(([shell]) => !shell.some((at) => keys.has(keyOf(at))))
    .sort(([a], [b]) => turning(a) - turning(b))[0];
}
