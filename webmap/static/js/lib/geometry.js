// Boxes and areas of GeoJSON geometries, lon/lat.

// WGS84: radius of the sphere of equal area, and the series from geodetic to authalic latitude.
const AUTHALIC_RADIUS = 6371007.1809;
const AUTHALIC_SERIES = [-0.0022395276, 0.0000028830, -0.0000000048];
const RADIANS = Math.PI / 180;

function authalic(latitude) {
  const phi = latitude * RADIANS;
  return AUTHALIC_SERIES.reduce((sum, term, n) => sum + term * Math.sin(2 * (n + 1) * phi), phi);
}

// The edges are taken as straight in the cylindrical equal-area plane; for plots of some kilometres that is
// the same as a geodesic within a few parts per million.
function ringArea(ring) {
  let sum = 0;
  for (let i = 0; i + 1 < ring.length; i += 1) {
    const [[lon1, lat1], [lon2, lat2]] = [ring[i], ring[i + 1]];
    sum += (lon2 - lon1) * RADIANS * (Math.sin(authalic(lat1)) + Math.sin(authalic(lat2)));
  }
  return Math.abs((sum * AUTHALIC_RADIUS ** 2) / 2);
}

const polygonArea = ([outer, ...holes]) => holes.reduce((area, hole) => area - ringArea(hole), ringArea(outer));

/** Splits any polygonal geometry, feature or collection into a list of polygon coordinates. */
export function polygonsOf(geojson) {
  if (!geojson) return [];
  if (geojson.type === "FeatureCollection") return geojson.features.flatMap(polygonsOf);
  if (geojson.type === "Feature") return polygonsOf(geojson.geometry);
  if (geojson.type === "GeometryCollection") return geojson.geometries.flatMap(polygonsOf);
  if (geojson.type === "Polygon") return [geojson.coordinates];
  if (geojson.type === "MultiPolygon") return geojson.coordinates;
  return [];
}

/** Area in square metres on the WGS84 ellipsoid. */
export function areaOf(polygons) {
  return polygons.reduce((sum, polygon) => sum + polygonArea(polygon), 0);
}

const MAJOR = 6378137;
const ECCENTRICITY_SQUARED = 0.00669437999014;

// The radii of curvature at the middle latitude: exact to a few parts per million for edges of some kilometres.
function edgeLength([lon1, lat1], [lon2, lat2]) {
  const phi = ((lat1 + lat2) / 2) * RADIANS;
  const w = 1 - ECCENTRICITY_SQUARED * Math.sin(phi) ** 2;
  const north = ((lat2 - lat1) * RADIANS * MAJOR * (1 - ECCENTRICITY_SQUARED)) / w ** 1.5;
  const east = ((lon2 - lon1) * RADIANS * MAJOR * Math.cos(phi)) / Math.sqrt(w);
  return Math.hypot(north, east);
}

/** Length of a path in metres on the WGS84 ellipsoid. */
export const lengthOf = (path) => path.reduce((sum, point, i) => (i ? sum + edgeLength(path[i - 1], point) : 0), 0);

/** Length of all borders of polygons in metres, holes included. */
export const perimeterOf = (polygons) => polygons.flat().reduce((sum, ring) => sum + lengthOf(ring), 0);

/** The box [west, south, east, north] of any coordinates, or null where there are none. */
export function boundsOf(coordinates) {
  const flat = coordinates.flat(Infinity);
  if (flat.length < 2) return null;
  const box = [Infinity, Infinity, -Infinity, -Infinity];
  for (let i = 0; i + 1 < flat.length; i += 2) {
    box[0] = Math.min(box[0], flat[i]);
    box[1] = Math.min(box[1], flat[i + 1]);
    box[2] = Math.max(box[2], flat[i]);
    box[3] = Math.max(box[3], flat[i + 1]);
  }
  return box;
}
