/** A CI system that signs tokens for its jobs. */
export interface CiIssuer {
  kind: "github" | "gitlab";
  /** Its URL, as in the tokens' `iss`. */
  url: string;
  /** Its name in subjects such as `github:owner/repo`: its kind for the first of a kind, else its host. */
  name: string;
}

const WELL_KNOWN: Record<CiIssuer["kind"], string> = {
  github: "https://token.actions.githubusercontent.com",
  gitlab: "https://gitlab.com",
};

/**
 * Parses CI_ISSUERS: `github`, `gitlab`, `github=URL` and `gitlab=URL`, separated by spaces or commas, or
 * `none`. With `loopback`, http URLs of this machine are accepted too. Throws an Error that names the wrong
 * entry.
 */
export function parseCiIssuers(text: string, loopback: boolean): CiIssuer[] {
  if (text.trim() === "none") return [];
  const issuers: CiIssuer[] = [];
  for (const entry of text.split(/[\s,]+/).filter(Boolean)) {
    const [kind, ...rest] = entry.split("=");
    if (kind !== "github" && kind !== "gitlab")
      throw new Error(`"${entry}": expected github, gitlab, github=URL or gitlab=URL`);
    const url =
      rest.length === 0 ? WELL_KNOWN[kind] : issuerUrl(rest.join("=").replace(/\/+$/, ""), loopback);
    const isFirst = !issuers.some((known) => known.kind === kind);
    const name = isFirst ? kind : new URL(url).host;
    if (issuers.some((known) => known.name === name || known.url === url))
      throw new Error(`"${entry}": this issuer, or another one of its host, is named twice`);
    issuers.push({ kind, url, name });
  }
  if (issuers.length === 0) throw new Error('expected issuers, or "none"');
  return issuers;
}

function issuerUrl(text: string, loopback: boolean): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (!url || url.username || url.password || url.search || url.hash)
    throw new Error(`"${text}": expected https://host or https://host/path`);
  if (url.protocol === "https:") return text;
  if (url.protocol === "http:" && loopback && isLoopbackHost(url.hostname)) return text;
  throw new Error(
    `"${text}": expected https; http is for tests, on this machine only, with CI_LOOPBACK_ISSUERS=on`,
  );
}

/** Returns whether a host name of a URL stands for this machine. */
export const isLoopbackHost = (hostname: string): boolean =>
  /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname);
