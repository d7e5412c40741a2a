import { basename } from "node:path";
import { CrowdaiError } from "@crowdai/shared";
import type { Reading } from "./draft.ts";
import { findInBundle } from "./find-in-bundle.ts";
import { htmlToMarkdown } from "./html-to-markdown.ts";
import { readText } from "./open-bundle.ts";

/** A part of a challenge's description. */
export interface Page {
  title: string;
  /** Markdown. */
  text: string;
}

/** Reads a page of a bundle as Markdown. Reports one that cannot be read, and returns null then. */
export async function readPage(reading: Reading, field: string, path: string): Promise<string | null> {
  const found = await findInBundle(reading, field, path);
  if (!found) return null;
  if (found.isFolder) {
    reading.problem(`${field}: ${JSON.stringify(path)} is a folder`);
    return null;
  }
  try {
    const text = withoutControls(await readText(found.path, { lenient: true }));
    const isHtml = /\.html?$/i.test(found.path) || /^\s*<(?!http)[a-z!]/i.test(text);
    if (!isHtml && /<(?:div|span|img|table|iframe|script|p|br|font|style|center)\b/i.test(text))
      reading.leaveOut(`HTML in ${basename(found.path)}`, "descriptions are Markdown, and show tags as text");
    if (isHtml && /<(?:script|iframe|img|svg|video)\b/i.test(text))
      reading.leaveOut(
        `scripts, frames and pictures in ${basename(found.path)}`,
        "descriptions are Markdown; a picture can be a file in public/",
      );
    return isHtml ? htmlToMarkdown(text) : text.trim();
  } catch (error) {
    if (!(error instanceof CrowdaiError)) throw error;
    reading.problem(`${field}: ${JSON.stringify(path)}: ${error.message}`);
    return null;
  }
}

const withoutControls = (text: string) => text.replace(/\r\n?/g, "\n").replace(/(?!\n|\t)\p{Cc}/gu, "");

/** Joins pages to one description. Equal texts appear once. */
export function descriptionOf(intro: string, pages: readonly Page[]): string {
  const parts = [withoutControls(intro).trim()];
  for (const { title, text } of pages)
    if (text !== "" && !parts.some((part) => part.endsWith(text)))
      parts.push(title === "" ? text : `## ${lineOf(title)}\n\n${withoutHeading(text, title)}`);
  return parts.filter(Boolean).join("\n\n");
}

/** Removes a first heading that repeats the title. */
function withoutHeading(text: string, title: string): string {
  const [line = "", ...rest] = text.split("\n");
  const heading = line
    .replace(/^#+\s*/, "")
    .trim()
    .toLowerCase();
  return heading === title.trim().toLowerCase() && line.startsWith("#") ? rest.join("\n").trim() : text;
}

/** Returns a title as one line that reads as it is written. */
export function lineOf(text: string, most = 200): string {
  return text
    .toWellFormed()
    .replace(/[\s\p{Zl}\p{Zp}]+/gu, " ")
    .replace(/[\p{Cc}\p{Bidi_Control}]/gu, "")
    .trim()
    .slice(0, most);
}
