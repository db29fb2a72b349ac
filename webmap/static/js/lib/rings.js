// Points, segments and rings in lon/lat, compared in a local plane: metres east and north of a place.

const METRES_PER_DEGREE = 111_195;
const RADIANS = Math.PI / 180;

/** Tells whether two positions are the same to far below a millimetre. */
export const same = (a, b) => Math.abs(a[0] - b[0]) < 1e-10 && Math.abs(a[1] - b[1]) < 1e-10;

/** A ring without its repeated last vertex. */
export const opened = (ring) => (ring.length > 1 && same(ring[0], ring.at(-1)) ? ring.slice(0, -1) : ring);

/** A ring with its first vertex repeated at the end. */
export const closed = (ring) => (ring.length && !same(ring[0], ring.at(-1)) ? [...ring, [...ring[0]]] : ring);

/** Twice the signed area in square degrees: positive where the ring runs counter-clockwise. */
export function turning(ring) {
  let sum = 0;
  for (let i = 0; i + 1 < ring.length; i += 1) sum += ring[i][0] * ring[i + 1][1] - ring[i + 1][0] * ring[i][1];
  return sum;
}

/** Tells whether a point lies inside a closed ring. */
export function ringHolds(ring, [x, y]) {
  let inside = false;
  for (let i = 0, j = ring.length - 1; i < ring.length; j = i, i += 1) {
    const [[xi, yi], [xj, yj]] = [ring[i], ring[j]];
    if (yi > y !== yj > y && x < ((xj - xi) * (y - yi)) / (yj - yi) + xi) inside = !inside;
  }
  return inside;
}

/** Tells whether a point lies inside a polygon and in none of its holes. */
export const polygonHolds = ([outer, ...holes], point) =>
  ringHolds(outer, point) && !holes.some((hole) => ringHolds(hole, point));

/** A point well inside a polygon: the middle of its widest stretch along one of a few horizontal lines. */
export function interiorPoint(polygon) {
  const heights = [...new Set(polygon[0].map(([, y]) => y))].sort((a, b) => a - b);
  let best = null;
  const lines = heights.length - 1;
  const step = Math.max(1, Math.floor(lines / 5));
  for (let i = 0; i < lines; i += step) {
    const y = (heights[i] + heights[i + 1]) / 2;
    const crossings = polygon.flatMap((ring) => crossingsAt(ring, y)).sort((a, b) => a - b);
    for (let k = 0; k + 1 < crossings.length; k += 2) {
      const width = (crossings[k + 1] - crossings[k]) * Math.min(1, (heights[i + 1] - heights[i]) * 1e6);
      if (!best || width > best.width) best = { width, point: [(crossings[k] + crossings[k + 1]) / 2, y] };
    }
  }
  return best?.point ?? polygon[0][0];
}

function crossingsAt(ring, y) {
  const found = [];
  for (let i = 0; i + 1 < ring.length; i += 1) {
    const [[x1, y1], [x2, y2]] = [ring[i], ring[i + 1]];
    if (y1 > y !== y2 > y) found.push(x1 + ((y - y1) * (x2 - x1)) / (y2 - y1));
  }
  return found;
}

/** The place on a segment nearest to a point, with its distance in metres and its share of the way. */
export function nearestOnSegment(point, start, end) {
  const narrow = Math.cos(point[1] * RADIANS);
  const [dx, dy] = [(end[0] - start[0]) * narrow, end[1] - start[1]];
  const [px, py] = [(point[0] - start[0]) * narrow, point[1] - start[1]];
  const square = dx * dx + dy * dy;
  const share = square ? Math.min(1, Math.max(0, (px * dx + py * dy) / square)) : 0;
  const at = [start[0] + share * (end[0] - start[0]), start[1] + share * (end[1] - start[1])];
  return { at, share, distance: Math.hypot(px - share * dx, py - share * dy) * METRES_PER_DEGREE };
}

/** The distance of two positions in metres, good enough to say which is nearer. */
export function apart(a, b) {
  const narrow = Math.cos(a[1] * RADIANS);
  return Math.hypot((a[0] - b[0]) * narrow, a[1] - b[1]) * METRES_PER_DEGREE;
}

/** The place on closed rings nearest to a point: {ring, index, at, distance}, or null beyond the tolerance in metres. */
export function nearestOnRings(point, rings, tolerance) {
  const reach = tolerance / METRES_PER_DEGREE;
  let best = null;
  for (const ring of rings) {
    for (let index = 0; index + 1 < ring.length; index += 1) {
      if (beyond(point, ring[index], ring[index + 1], reach)) continue;
      const found = nearestOnSegment(point, ring[index], ring[index + 1]);
      if (found.distance <= tolerance && (!best || found.distance < best.distance)) best = { ...found, ring, index };
    }
  }
  return best;
}

function beyond([x, y], [x1, y1], [x2, y2], reach) {
  const wide = reach * 1.2;
  return (y < y1 && y < y2 ? Math.min(y1, y2) - y : y > y1 && y > y2 ? y - Math.max(y1, y2) : 0) > reach
    || (x < x1 && x < x2 ? Math.min(x1, x2) - x : x > x1 && x > x2 ? x - Math.max(x1, x2) : 0) > wide;
}

/** Where a point snaps to: a vertex within the tolerance before an edge, else null. */
export function snapped(point, rings, tolerance) {
  const near = nearestOnRings(point, rings, tolerance);
  if (!near) return null;
  let vertex = null;
  for (const ring of rings) {
    for (const candidate of ring) {
      if (Math.abs(candidate[1] - point[1]) * METRES_PER_DEGREE > tolerance) continue;
      const distance = apart(point, candidate);
      if (distance <= tolerance && (!vertex || distance < vertex.distance)) vertex = { at: candidate, distance };
    }
  }
  return vertex ? [...vertex.at] : near.at;
}

/** The shorter way along a closed ring between two places on it, both ends included. */
export function pathAlong(ring, from, to) {
  const vertices = opened(ring);
  const forward = [from.at, ...between(vertices, from.index, to.index, from.share > to.share), to.at];
  const backward = [to.at, ...between(vertices, to.index, from.index, to.share > from.share), from.at].reverse();
  const chosen = lengthOfPath(forward) <= lengthOfPath(backward) ? forward : backward;
  return chosen.filter((position, i) => i === 0 || !same(position, chosen[i - 1]));
}

// The vertices met on the way from segment `start` to segment `end`; on the same segment, backwards is all the way round.
function between(vertices, start, end, backwards) {
  const count = vertices.length;
  let steps = (end - start + count) % count;
  if (steps === 0 && backwards) steps = count;
  return Array.from({ length: steps }, (_, i) => vertices[(start + 1 + i) % count]);
}

const lengthOfPath = (path) => path.reduce((sum, point, i) => (i ? sum + apart(path[i - 1], point) : 0), 0);
