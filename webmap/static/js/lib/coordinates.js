// Reading coordinates that people type, and writing them the way they read them.

import { lang, number, t } from "./text.js";

const PAIR = 2;

/** Writes decimal degrees, latitude first as people say it. */
export function decimalText([lon, lat]) {
  const degrees = (value) => new Intl.NumberFormat(lang === "en" ? "en-GB" : "vi-VN", {
    minimumFractionDigits: 5,
    maximumFractionDigits: 5,
  }).format(value);
  return `${degrees(lat)}; ${degrees(lon)}`;
}

/** Writes degrees, minutes and seconds with the letters of the language. */
export function sexagesimalText([lon, lat]) {
  return `${sexagesimal(lat, t("north"), t("south"))} ${sexagesimal(lon, t("east"), t("west"))}`;
}

function sexagesimal(value, positive, negative) {
  const tenths = Math.round(Math.abs(value) * 36000);
  const degrees = Math.floor(tenths / 36000);
  const minutes = Math.floor((tenths % 36000) / 600);
  const seconds = (tenths % 600) / 10;
  return `${degrees}°${String(minutes).padStart(2, "0")}′${number(seconds, 1)}″${value < 0 ? negative : positive}`;
}

/** Writes plane coordinates in the order of Vietnamese surveyors: X is north, Y is east. */
export function planeText([east, north]) {
  return `X ${number(north, 2)} · Y ${number(east, 2)}`;
}

/** Reads "9,18; 105,15", "9.18 105.15" or 9°10′48″ 105°9′0″ as [lon, lat]; null if it is neither. */
export function readLonLat(text) {
  const pair = /[°º]/.test(text) ? readSexagesimal(text) : readNumbers(text);
  if (!pair) return null;
  const [lat, lon] = Math.abs(pair[0]) > 90 ? [pair[1], pair[0]] : likelyLonFirst(pair) ? [pair[1], pair[0]] : pair;
  return Math.abs(lat) <= 90 && Math.abs(lon) <= 180 ? [lon, lat] : null;
}

const likelyLonFirst = ([first, second]) => first > 100 && second < 30;

/** Reads plane coordinates as [east, north], whichever comes first: in Vietnam north is always the larger. */
export function readPlane(text) {
  const pair = readNumbers(text)?.map((value) => (value < 5000 ? value * 1000 : value));
  return pair ? [Math.min(...pair), Math.max(...pair)] : null;
}

function readSexagesimal(text) {
  const parts = [...text.matchAll(/(\d+)\s*[°º]\s*(?:(\d+)\s*['′’]\s*)?(?:([\d.,]+)\s*["″”]?)?\s*([NSEWBNĐTnsewbđt])?/g)];
  if (parts.length !== PAIR) return null;
  return parts.map(([, degrees, minutes = "0", seconds = "0"]) => {
    return Number(degrees) + Number(minutes) / 60 + Number(seconds.replace(",", ".")) / 3600;
  });
}

function readNumbers(text) {
  const plain = text.replace(/[XYxyĐđBbNnEe:=°]/g, " ").trim();
  let parts = plain.split(/[;\s|/]+/).filter(Boolean);
  if (parts.length === 1) parts = plain.split(",");
  if (parts.length !== PAIR) return null;
  const values = parts.map((part) => readNumber(part.replace(/,$/, "")));
  return values.every(Number.isFinite) ? values : null;
}

function readNumber(text) {
  const decimal = Math.max(text.lastIndexOf("."), text.lastIndexOf(","));
  if (decimal < 0) return Number(text);
  const mark = text[decimal];
  const grouping = text.indexOf(mark) !== decimal;
  if (grouping) return Number(text.replaceAll(".", "").replaceAll(",", ""));
  return Number(`${text.slice(0, decimal).replace(/[.,]/g, "")}.${text.slice(decimal + 1)}`);
}
