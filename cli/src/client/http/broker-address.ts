import { CrowdaiError } from "@crowdai/shared";

/** Query parameters; null and undefined are left out. */
export type Query = Record<string, string | number | boolean | null | undefined>;

/** Parses the broker's address; paths can be appended to the result. Throws usage. */
export function parseBroker(address: string | URL): URL {
  const next = "Write it as http://host:port or https://host.";
  let url: URL;
  try {
    url = new URL(address);
  } catch (cause) {
    throw new CrowdaiError("usage", `The broker's address "${address}" is not a URL.`, { next, cause });
  }
  if (url.protocol !== "http:" && url.protocol !== "https:")
    throw new CrowdaiError(
      "usage",
      `The broker's address "${address}" does not start with http:// or https://.`,
      {
        next,
      },
    );
  if (url.username || url.password)
    throw new CrowdaiError("usage", "The broker's address contains a user name or a password.", {
      next: "Remove them: the API key identifies you.",
    });
  url.hash = "";
  url.search = "";
  return url;
}

/** Returns the broker's address as a person would write it: without a slash at the end. */
export const shownAddress = (broker: URL): string => broker.href.replace(/\/+$/, "");

/** Returns the URL of a path at the broker. An absolute address is returned as it is. */
export function locate(broker: URL, address: string, query: Query = {}): URL {
  const url = /^https?:\/\//i.test(address)
    ? new URL(address)
    : new URL(shownAddress(broker) + (address.startsWith("/") ? address : `/${address}`));
  for (const [name, value] of Object.entries(query))
    if (value !== null && value !== undefined) url.searchParams.set(name, String(value));
  return url;
}
