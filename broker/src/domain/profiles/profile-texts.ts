import { CrowdaiError, type ProfileChange } from "@crowdai/shared";

const MAX_CHARACTERS = { name: 60, affiliation: 120, link: 300 };
/** Controls, marks of direction, invisible characters, and separators of lines. */
const UNSHOWN = /[\p{C}\p{Zl}\p{Zp}]/u;

/** Returns a change in the form in which it is kept. Throws usage for what cannot be shown. */
export function readChange({ name, affiliation, link }: ProfileChange): ProfileChange {
  return {
    ...(name === undefined ? {} : { name: readText("name", name) }),
    ...(affiliation === undefined ? {} : { affiliation: readText("affiliation", affiliation) }),
    ...(link === undefined ? {} : { link: readLink(link) }),
  };
}

function readText(part: "name" | "affiliation" | "link", given: string | null): string | null {
  const text = (given ?? "").normalize("NFC").trim();
  if (text === "") return null;
  if (UNSHOWN.test(text))
    throw new CrowdaiError(
      "usage",
      `The ${part} must be one line, without control characters and invisible characters.`,
    );
  if ([...text].length > MAX_CHARACTERS[part])
    throw new CrowdaiError("usage", `The ${part} can have at most ${MAX_CHARACTERS[part]} characters.`);
  return text;
}

function readLink(given: string | null): string | null {
  const text = readText("link", given);
  if (text === null) return null;
  const url = URL.canParse(text) ? new URL(text) : null;
  if (!url || !/^https?:$/.test(url.protocol) || !/^https?:\/\//i.test(text))
    throw new CrowdaiError("usage", "The link must be an address that starts with https:// or http://.");
  if (url.username !== "" || url.password !== "")
    throw new CrowdaiError("usage", "The link must not contain a user name or password.");
  if (url.href.length > 3 * MAX_CHARACTERS.link) throw new CrowdaiError("usage", "The link is too long.");
  return url.href;
}
