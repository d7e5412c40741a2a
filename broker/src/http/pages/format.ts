// Formats of times, sizes and scores on the pages.

import { roundScore } from "@crowdai/shared";

export { shownSize } from "../../base/shown-size.ts";

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** "24 Nov 2026, 00:21 UTC" */
export function shownTime(iso: string): string {
  const at = new Date(iso);
  if (Number.isNaN(at.getTime())) return iso;
  return `${shownDay(at)} ${at.getUTCFullYear()}, ${clockTime(at)} UTC`;
}

/** "24 Nov, 00:21 UTC", with the year unless it is this one. */
export function shortTime(iso: string, now: Date): string {
  const at = new Date(iso);
  if (Number.isNaN(at.getTime()) || at.getUTCFullYear() !== now.getUTCFullYear()) return shownTime(iso);
  return `${shownDay(at)}, ${clockTime(at)} UTC`;
}

const two = (n: number) => String(n).padStart(2, "0");
/** "24 Nov" */
export const shownDay = (at: Date): string => `${at.getUTCDate()} ${MONTHS[at.getUTCMonth()]}`;
/** "00:21" */
export const clockTime = (at: Date): string => `${two(at.getUTCHours())}:${two(at.getUTCMinutes())}`;

/** "3 days 4 hours", "4 hours 12 minutes" or "12 minutes": site.js counts on in the same form. */
export function shownDuration(ms: number): string {
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 1) return "less than a minute";
  const parts: [number, string][] = [
    [Math.floor(minutes / 1440), "day"],
    [Math.floor(minutes / 60) % 24, "hour"],
    [minutes % 60, "minute"],
  ];
  const first = parts.findIndex(([n]) => n > 0);
  return parts
    .slice(first, first + 2)
    .filter(([n]) => n > 0)
    .map(([n, unit]) => plural(n, unit))
    .join(" ");
}

/**
 * Formats a score, rounded as the leaderboard rounds it, with the challenge's decimals and a typographic
 * minus sign.
 */
export function shownNumber(score: number | null, precision: number): string {
  if (score === null) return "–";
  return roundScore(score, precision).toFixed(precision).replace("-", "−");
}

// Control characters, and those that change the direction of the text after them.
// biome-ignore lint/suspicious/noControlCharactersInRegex: the expression removes them
const UNSEEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/g;

/**
 * Replaces invisible characters and those that reorder the text beside them, and cuts at `most` characters.
 */
export function truncateText(text: string, most: number): string {
  const clean = text.toWellFormed().replace(/\r\n?/g, "\n").replace(UNSEEN, "\ufffd");
  if (clean.length <= most) return clean;
  return `${clean.slice(0, most).toWellFormed()}…`;
}

const english = new Intl.NumberFormat("en-US");

/** Formats a number with thousands separators. */
export const shownCount = (n: number): string => english.format(n);

export const plural = (n: number, one: string, many = `${one}s`): string =>
  `${shownCount(n)} ${n === 1 ? one : many}`;
