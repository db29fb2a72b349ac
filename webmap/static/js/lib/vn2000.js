// WGS84 longitude and latitude to VN-2000 plane coordinates and back.
// Datum: EPSG:6960 (coordinate frame rotation). Projection: transverse Mercator by Krüger's series to n⁴,
// as in EPSG Guidance Note 7-2; within a zone of 3° its error is far below a millimetre.

const RADIANS = Math.PI / 180;
const ARC_SECOND = RADIANS / 3600;

/** Prepares the transformations from the parameters that the server publishes. */
export function makeVn2000({ ellipsoid, helmert, vn2000 }) {
  const shape = ellipsoidTerms(ellipsoid);
  const shift = datumShift(shape, helmert);
  const zones = vn2000.map((zone) => ({ ...zone, ...transverseMercator(shape, zone) }));
  return zones.map((zone) => ({
    code: zone.code,
    title: zone.title,
    toPlane: ([lon, lat]) => zone.forward(shift.toVn2000([lon, lat])),
    toLonLat: ([east, north]) => shift.toWgs84(zone.inverse([east, north])),
  }));
}

function ellipsoidTerms({ a, rf }) {
  const f = 1 / rf;
  const n = f / (2 - f);
  return { a, f, n, e2: f * (2 - f) };
}

function datumShift({ a, e2 }, { dx, dy, dz, rx, ry, rz, ds }) {
  const [x, y, z] = [rx, ry, rz].map((angle) => angle * ARC_SECOND);
  const scale = 1 + ds * 1e-6;

  const toGeocentric = ([lon, lat]) => {
    const [lambda, phi] = [lon * RADIANS, lat * RADIANS];
    const nu = a / Math.sqrt(1 - e2 * Math.sin(phi) ** 2);
    return [
      nu * Math.cos(phi) * Math.cos(lambda),
      nu * Math.cos(phi) * Math.sin(lambda),
      nu * (1 - e2) * Math.sin(phi),
    ];
  };
  const toGeographic = ([gx, gy, gz]) => {
    const p = Math.hypot(gx, gy);
    let phi = Math.atan2(gz, p * (1 - e2));
    for (let i = 0; i < 6; i += 1) {
      const nu = a / Math.sqrt(1 - e2 * Math.sin(phi) ** 2);
      phi = Math.atan2(gz + e2 * nu * Math.sin(phi), p);
    }
    return [Math.atan2(gy, gx) / RADIANS, phi / RADIANS];
  };
  const toWgs84 = (position) => {
    const [vx, vy, vz] = toGeocentric(position);
    return toGeographic([
      dx + scale * (vx + z * vy - y * vz),
      dy + scale * (-z * vx + vy + x * vz),
      dz + scale * (y * vx - x * vy + vz),
    ]);
  };
  // The rotations are below 0.02 arc seconds, so their transpose is their inverse to far below a millimetre.
  const toVn2000 = (position) => {
    const [wx, wy, wz] = toGeocentric(position);
    const [ux, uy, uz] = [(wx - dx) / scale, (wy - dy) / scale, (wz - dz) / scale];
    return toGeographic([ux - z * uy + y * uz, z * ux + uy - x * uz, -y * ux + x * uy + uz]);
  };
  return { toWgs84, toVn2000 };
}

function transverseMercator({ a, n, e2 }, { lon0, k, fe, fn }) {
  const e = Math.sqrt(e2);
  const radius = (a / (1 + n)) * (1 + n ** 2 / 4 + n ** 4 / 64);
  const forwardTerms = [
    n / 2 - (2 * n ** 2) / 3 + (5 * n ** 3) / 16 + (41 * n ** 4) / 180,
    (13 * n ** 2) / 48 - (3 * n ** 3) / 5 + (557 * n ** 4) / 1440,
    (61 * n ** 3) / 240 - (103 * n ** 4) / 140,
    (49561 * n ** 4) / 161280,
  ];
  const inverseTerms = [
    n / 2 - (2 * n ** 2) / 3 + (37 * n ** 3) / 96 - n ** 4 / 360,
    n ** 2 / 48 + n ** 3 / 15 - (437 * n ** 4) / 1440,
    (17 * n ** 3) / 480 - (37 * n ** 4) / 840,
    (4397 * n ** 4) / 161280,
  ];

  const forward = ([lon, lat]) => {
    const phi = lat * RADIANS;
    const conformal = Math.asinh(Math.tan(phi)) - e * Math.atanh(e * Math.sin(phi));
    const beta = Math.atan(Math.sinh(conformal));
    const eta0 = Math.atanh(Math.cos(beta) * Math.sin((lon - lon0) * RADIANS));
    const xi0 = Math.asin(Math.sin(beta) * Math.cosh(eta0));
    let [xi, eta] = [xi0, eta0];
    forwardTerms.forEach((term, i) => {
      const m = 2 * (i + 1);
      xi += term * Math.sin(m * xi0) * Math.cosh(m * eta0);
      eta += term * Math.cos(m * xi0) * Math.sinh(m * eta0);
    });
    return [fe + k * radius * eta, fn + k * radius * xi];
  };

  const inverse = ([east, north]) => {
    const xi1 = (north - fn) / (k * radius);
    const eta1 = (east - fe) / (k * radius);
    let [xi, eta] = [xi1, eta1];
    inverseTerms.forEach((term, i) => {
      const m = 2 * (i + 1);
      xi -= term * Math.sin(m * xi1) * Math.cosh(m * eta1);
      eta -= term * Math.cos(m * xi1) * Math.sinh(m * eta1);
    });
    const beta = Math.asin(Math.sin(xi) / Math.cosh(eta));
    const conformal = Math.asinh(Math.tan(beta));
    let isometric = conformal;
    for (let i = 0; i < 5; i += 1) isometric = conformal + e * Math.atanh(e * Math.tanh(isometric));
    return [lon0 + Math.asin(Math.tanh(eta) / Math.cos(beta)) / RADIANS, Math.atan(Math.sinh(isometric)) / RADIANS];
  };
  return { forward, inverse };
}
