import { CrowdaiError } from "@crowdai/shared";

export type Query = Record<string, string | number | boolean | null | undefined>;

/** The broker's address, without what would confuse joining paths to it. Throws usage. */
export function parseBroker(address: string | URL): URL {
  const next = "Write it as http://localhost:8420.";
  let url: URL;
  try {
    url = new URL(address);
  } catch (cause) {
    throw new CrowdaiError("usage", `The broker's address "${address}" is no URL.`, { next, cause });
  }
  if (url.protocol !== "http:" && url.protocol !== "https:")
    throw new CrowdaiError(
      "usage",
      `The broker's address "${address}" does not begin with http:// or https://.`,
      {
        next,
      },
    );
  if (url.username || url.password)
    throw new CrowdaiError("usage", "The broker's address holds a user name or a password.", {
      next: "Leave them out: the API key says who you are.",
    });
  url.hash = "";
  url.search = "";
  return url;
}

/** A path of the broker as an address; an absolute address as it is. */
export function locate(broker: URL, address: string, query: Query = {}): URL {
  const url = /^https?:\/\//i.test(address)
    ? new URL(address)
    : new URL(broker.href.replace(/\/+$/, "") + (address.startsWith("/") ? address : `/${address}`));
  for (const [name, value] of Object.entries(query))
    if (value !== null && value !== undefined) url.searchParams.set(name, String(value));
  return url;
}
