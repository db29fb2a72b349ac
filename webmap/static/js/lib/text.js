// Words, numbers and dates in the language of the page.

const readBlock = (id) => JSON.parse(document.getElementById(id)?.textContent || "{}");

const strings = readBlock("strings");
export const lang = document.documentElement.lang === "en" ? "en" : "vi";
const locale = lang === "en" ? "en-GB" : "vi-VN";
const formats = new Map();

/** Reads a JSON block that the template wrote into the page. */
export const pageData = readBlock;

/** Returns the translated sentence of a key, with its %(name)s places filled. */
export function t(key, facts = {}) {
  const sentence = strings[key] ?? key;
  return sentence.replace(/%\((\w+)\)s/g, (place, name) => facts[name] ?? place);
}

/** Picks this page's language from a {vi, en} title. */
export function local(title) {
  if (title == null || typeof title === "string") return title ?? "";
  return title[lang] || title.vi || "";
}

/** Writes a number the way the language does: 1.234,5 or 1,234.5. */
export function number(value, digits = 2) {
  if (!formats.has(digits)) formats.set(digits, new Intl.NumberFormat(locale, { maximumFractionDigits: digits }));
  return formats.get(digits).format(value);
}

/** Writes an ISO date as d/m/yyyy. */
export function date(value) {
  const [year, month, day] = String(value).slice(0, 10).split("-").map(Number);
  return day ? `${day}/${month}/${year}` : String(value);
}

/** Writes the value of a declared field: code lists by their title, numbers with their unit. */
export function fieldText(field, value) {
  if (value === null || value === undefined || value === "") return "";
  const coded = field.codes?.[value];
  if (coded) return local(coded);
  if (field.type === "boolean") return value ? t("yes") : t("no");
  if (field.type === "date") return date(value);
  if (field.type === "integer" || field.type === "number") {
    const text = field.name.endsWith("_year") ? String(value) : number(value);
    return field.unit ? `${text} ${local(field.unit)}` : text;
  }
  return String(value);
}

/** Cuts what differs only in accents or case, so that "ca mau" finds "Cà Mau". */
export function fold(text) {
  return text
    .normalize("NFC")
    .toLowerCase()
    .replaceAll("đ", "d")
    .normalize("NFD")
    .replace(/[\u0300-\u036f]/g, "");
}
