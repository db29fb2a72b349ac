// Recomputes a lot's chain in the browser: fields → leaves → seal → row → link of the lot, and row → signed head.

const encoder = new TextEncoder();

const hex = (bytes) => [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
const unhex = (text) => Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));
const digest = async (bytes) => new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
const hashOf = async (...lines) => hex(await digest(encoder.encode(lines.join("\n"))));

function join(...parts) {
  const whole = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let place = 0;
  for (const part of parts) {
    whole.set(part, place);
    place += part.length;
  }
  return whole;
}

function fromBase64url(text) {
  const padded = text.replaceAll("-", "+").replaceAll("_", "/");
  return Uint8Array.from(atob(padded), (letter) => letter.charCodeAt(0));
}

async function sealOf(event) {
  const shown = event.fields.map(({ name, value, salt }) => hashOf(salt, name, value));
  const leaves = [...(await Promise.all(shown)), ...event.hidden];
  return hashOf("ocop seal 1", ...leaves.sort());
}

// RFC 6962: a leaf is hashed after a byte 0, two subtrees after a byte 1.
async function rootOf(rowHash, path) {
  let found = await digest(join(Uint8Array.of(0), unhex(rowHash)));
  for (const [side, neighbour] of path) {
    const other = unhex(neighbour);
    found = await digest(join(Uint8Array.of(1), ...(side === "left" ? [other, found] : [found, other])));
  }
  return hex(found);
}

function readHead({ jws }) {
  const [header, body, signature] = jws.split(".");
  const read = (part) => JSON.parse(new TextDecoder().decode(fromBase64url(part)));
  return { keyId: read(header).kid, ...read(body), text: `${header}.${body}`, signature: fromBase64url(signature) };
}

// true, false, or null where this browser has no Ed25519.
async function isSigned(head, keys) {
  const jwk = keys.find((key) => key.kid === head.keyId);
  if (!jwk) return false;
  let key;
  try {
    const { kty, crv, x } = jwk;
    key = await crypto.subtle.importKey("jwk", { kty, crv, x }, { name: "Ed25519" }, false, ["verify"]);
  } catch (error) {
    if (error.name === "NotSupportedError") return null;
    return false;
  }
  return crypto.subtle.verify({ name: "Ed25519" }, key, head.signature, encoder.encode(head.text));
}

async function faultOf(event, previousLink, heads) {
  const rowHash = await hashOf("ocop row 1", event.previousHash, event.recordTime, await sealOf(event));
  if (rowHash !== event.rowHash) return "row";
  if (event.previousLink !== previousLink) return "order";
  if ((await hashOf("ocop link 1", previousLink, rowHash)) !== event.link) return "link";
  if (event.head) {
    const head = heads.find(({ day }) => day === event.head);
    if (!head || (await rootOf(rowHash, event.path)) !== head.treeHash) return "head";
  }
  return null;
}

// Returns {fault, position, events, fields, hidden, unsigned, heads, signatures: "good" | "bad" | "unsupported" | "none"}.
export async function verify(record, keys = record.keys) {
  const heads = record.heads.map(readHead);
  const told = { fault: null, position: null, events: record.events.length, fields: 0, hidden: 0, unsigned: 0, heads };
  let previous = "";
  for (const event of record.events) {
    told.fault = await faultOf(event, previous, heads);
    told.position = event.position;
    if (told.fault) return { ...told, signatures: "none" };
    told.fields += event.fields.length;
    told.hidden += event.hidden.length;
    told.unsigned += event.head ? 0 : 1;
    previous = event.link;
  }
  const signed = await Promise.all(heads.map((head) => isSigned(head, keys)));
  const bad = heads[signed.indexOf(false)];
  if (bad) return { ...told, fault: "signature", day: bad.day, signatures: "bad" };
  const signatures = signed.length === 0 ? "none" : signed.includes(null) ? "unsupported" : "good";
  return { ...told, signatures };
}
