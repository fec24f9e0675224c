/** RDATA of LOC: a place on Earth (RFC 1876). */

import type { Word } from "./presentation.ts";
import { parseDecimal } from "./presentation.ts";
import { Malformed, type WireReader } from "./wire-reader.ts";

const LOC_OCTETS = 16;
/** Latitude and longitude are counted in thousandths of an arc second from here. */
const EQUATOR = 0x80000000;
const THOUSANDTHS_A_DEGREE = 3_600_000;
/** Altitude is counted in centimetres from 100 km below the sea. */
const BELOW_SEA = 10_000_000;
/** The largest diameter or precision whose power of ten has room for any digit in front. */
const MAX_DIAMETER_METRES = 90_000_000;
/** RFC 1876 §3: 1 m, 10,000 m and 10 m where they are not written. */
const defaultDiameters: readonly number[] = [0x12, 0x16, 0x13];

/** `degrees [minutes [seconds]] N|S degrees [minutes [seconds]] E|W altitude [size [horizontal [vertical]]]` */
export function parseLoc(words: readonly Word[]): Uint8Array | string {
  const texts = words.map((word) => word.text);
  const latitude = parseAngle(texts, 0, "N", "S", 90);
  if (typeof latitude === "string") return latitude;
  const longitude = parseAngle(texts, latitude.end, "E", "W", 180);
  if (typeof longitude === "string") return longitude;
  const [altitudeText, ...diameterTexts] = texts.slice(longitude.end);
  if (altitudeText === undefined) return "the altitude is missing";
  const altitude = parseAltitude(altitudeText);
  if (altitude === undefined) return `"${altitudeText}" is not an altitude from -100000.00m to 42849672.95m`;
  if (diameterTexts.length > 3) return `"${diameterTexts[3]}" is one field too many`;
  const octets = Buffer.alloc(LOC_OCTETS);
  for (const [i, fallback] of defaultDiameters.entries()) {
    const text = diameterTexts[i];
    const diameter = text === undefined ? fallback : parseDiameter(text);
    if (diameter === undefined) return `"${text}" is not a size or precision from 0.00m to 90000000.00m`;
    octets[1 + i] = diameter;
  }
  octets.writeUInt32BE(latitude.position, 4);
  octets.writeUInt32BE(longitude.position, 8);
  octets.writeUInt32BE(altitude, 12);
  return new Uint8Array(octets);
}

function parseAngle(
  texts: readonly string[],
  start: number,
  positive: string,
  negative: string,
  maxDegrees: number,
): { readonly position: number; readonly end: number } | string {
  const hemispheres = `${positive} or ${negative}`;
  const length = texts.slice(start).findIndex((text) => text === positive || text === negative);
  const parts = texts.slice(start, start + length);
  if (length < 1 || length > 3)
    return `degrees, minutes and seconds with ${hemispheres} behind them are expected`;
  const [degreesText = "", minutesText = "0", secondsText = "0"] = parts;
  const degrees = parseDecimal(degreesText, maxDegrees);
  const minutes = parseDecimal(minutesText, 59);
  const seconds = /^(?=\.?\d)\d*(?:\.\d{0,3})?$/.test(secondsText) ? Number(secondsText) : Number.NaN;
  if (degrees === undefined) return `"${degreesText}" is not a number of degrees from 0 to ${maxDegrees}`;
  if (minutes === undefined) return `"${minutesText}" is not a number of minutes from 0 to 59`;
  if (!(seconds < 60)) return `"${secondsText}" is not a number of seconds from 0 to 59.999`;
  const angle = degrees * THOUSANDTHS_A_DEGREE + minutes * 60_000 + Math.round(seconds * 1000);
  if (angle > maxDegrees * THOUSANDTHS_A_DEGREE) return `${parts.join(" ")} is over ${maxDegrees} degrees`;
  const position = texts[start + length] === positive ? EQUATOR + angle : EQUATOR - angle;
  return { position, end: start + length + 1 };
}

/** Centimetres of `12`, `12.5` or `12.50m`; undefined for anything else. */
function parseMetres(text: string): number | undefined {
  const match = /^(?=\.?\d)(\d*)(?:\.(\d{0,2}))?m?$/.exec(text);
  if (match === null) return undefined;
  return Number(match[1]) * 100 + Number((match[2] ?? "").padEnd(2, "0"));
}

function parseAltitude(text: string): number | undefined {
  const [, sign = "", metres = ""] = /^([+-]?)(.*)$/.exec(text) ?? [];
  const centimetres = parseMetres(metres);
  if (centimetres === undefined) return undefined;
  const counted = BELOW_SEA + (sign === "-" ? -centimetres : centimetres);
  return counted >= 0 && counted <= 0xffffffff ? counted : undefined;
}

/** A digit and a power of ten, in centimetres; what is between is cut off. */
function parseDiameter(text: string): number | undefined {
  const centimetres = parseMetres(text);
  if (centimetres === undefined || centimetres >= (MAX_DIAMETER_METRES + 1) * 100) return undefined;
  const digits = String(centimetres);
  return Number(digits[0]) * 16 + digits.length - 1;
}

/** Reads LOC up to the end. A version above 0 may hold anything (RFC 1876 §2: no conclusion is drawn from it). */
export function readLoc(reader: WireReader): Uint8Array {
  const octets = reader.take(reader.remaining);
  const view = new DataView(octets.buffer, octets.byteOffset, octets.length);
  if (octets.length === 0) throw new Malformed("it ends too early");
  if (octets[0] !== 0) return octets;
  if (octets.length < LOC_OCTETS) throw new Malformed("it ends too early");
  if (octets.length > LOC_OCTETS) throw new Malformed("RDATA is longer than its type allows");
  for (const diameter of octets.subarray(1, 4)) {
    const digit = diameter >> 4;
    const power = diameter & 0xf;
    if (digit > 9 || power > 9 || (digit === 0 && power > 0))
      throw new Malformed("a size or precision is not a digit and a power of ten");
  }
  if (Math.abs(view.getUint32(4) - EQUATOR) > 90 * THOUSANDTHS_A_DEGREE)
    throw new Malformed("its latitude is over 90 degrees");
  if (Math.abs(view.getUint32(8) - EQUATOR) > 180 * THOUSANDTHS_A_DEGREE)
    throw new Malformed("its longitude is over 180 degrees");
  return octets;
}

/** Undefined for a version above 0, which has no presentation format. */
export function formatLoc(octets: Uint8Array): string | undefined {
  if (octets[0] !== 0) return undefined;
  const view = new DataView(octets.buffer, octets.byteOffset, octets.length);
  const altitude = view.getUint32(12) - BELOW_SEA;
  return [
    formatAngle(view.getUint32(4), "N", "S"),
    formatAngle(view.getUint32(8), "E", "W"),
    `${altitude < 0 ? "-" : ""}${formatMetres(Math.abs(altitude))}`,
    ...[...octets.subarray(1, 4)].map(formatDiameter),
  ].join(" ");
}

function formatAngle(position: number, positive: string, negative: string): string {
  const angle = Math.abs(position - EQUATOR);
  const minutes = Math.floor(angle / 60_000);
  const seconds = ((angle % 60_000) / 1000).toFixed(3);
  return `${Math.floor(minutes / 60)} ${minutes % 60} ${seconds} ${position >= EQUATOR ? positive : negative}`;
}

function formatDiameter(diameter: number): string {
  const centimetres = (diameter >> 4) * 10 ** (diameter & 0xf);
  return centimetres >= 100 ? `${centimetres / 100}m` : formatMetres(centimetres);
}

const formatMetres = (centimetres: number): string =>
  `${Math.floor(centimetres / 100)}.${String(centimetres % 100).padStart(2, "0")}m`;
