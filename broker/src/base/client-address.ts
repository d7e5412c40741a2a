import { BlockList, isIP, isIPv4 } from "node:net";

/** Proxies whose X-Forwarded-For header is trusted. */
export type TrustedProxies = BlockList;

/**
 * Parses addresses and ranges (`10.0.0.0/8`, `fd00::/8`), separated by commas or spaces. Throws RangeError
 * naming an invalid entry.
 */
export function parseTrustedProxies(text: string): TrustedProxies {
  const list = new BlockList();
  for (const entry of text.split(/[\s,]+/).filter(Boolean)) {
    const [address = "", bits, ...rest] = entry.split("/");
    const plain = plainAddress(address);
    const longest = plain && isIPv4(plain) ? 32 : 128;
    const prefix = bits === undefined ? longest : /^\d{1,3}$/.test(bits) ? Number(bits) : -1;
    if (!plain || rest.length > 0 || prefix < 0 || prefix > longest)
      throw new RangeError(`"${entry}" is not an address or a range such as 10.0.0.0/8`);
    list.addSubnet(plain, prefix, longest === 32 ? "ipv4" : "ipv6");
  }
  return list;
}

/**
 * Returns the address of the client: the peer of the connection or, where that is a trusted proxy, the
 * right-most address in X-Forwarded-For that is not one. Other contents of that header are ignored.
 */
export function clientAddress(
  peer: string | undefined,
  forwardedFor: string | undefined,
  trusted: TrustedProxies,
): string {
  let address = plainAddress(peer ?? "");
  if (!address) return "unknown";
  const hops = (forwardedFor ?? "").split(",").map((hop) => plainAddress(withoutPort(hop.trim())));
  while (isTrusted(address, trusted)) {
    const before = hops.pop();
    // An invalid hop was not written by a trusted proxy.
    if (!before) break;
    address = before;
  }
  return address;
}

/**
 * Returns the network that a client counts as: an IPv4 address itself, of an IPv6 address the first 64 bits,
 * since one client has all the others. `address` is as `clientAddress` returns it.
 */
export function networkOf(address: string): string {
  if (isIP(address) !== 6) return address;
  const [head = "", tail] = address.split("::");
  const [before, after] = [head, tail ?? ""].map((part) => part.split(":").filter(Boolean)) as [
    string[],
    string[],
  ];
  const gap = tail === undefined ? 0 : 8 - before.length - after.length;
  return `${[...before, ...Array<string>(gap).fill("0"), ...after].slice(0, 4).join(":")}::/64`;
}

/** Returns whether an address, as `clientAddress` returns it, is this machine's own. */
export const isLoopback = (address: string): boolean =>
  address === "::1" || (isIPv4(address) && address.startsWith("127."));

/**
 * Returns the canonical form of an address: no zone, IPv4 for a mapped IPv6 address; null when it is invalid.
 */
export function plainAddress(text: string): string | null {
  const address = text.replace(/%.*$/, "");
  if (isIPv4(address)) return address;
  if (isIP(address) !== 6) return null;
  const short = new URL(`http://[${address}]`).hostname.slice(1, -1);
  const mapped = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(short);
  if (!mapped) return short;
  const [high, low] = mapped.slice(1).map((part) => Number.parseInt(part, 16)) as [number, number];
  return [high >> 8, high & 255, low >> 8, low & 255].join(".");
}

/** Removes the port that some proxies add: `192.0.2.1:4711`, `[2001:db8::1]:4711`. */
function withoutPort(hop: string): string {
  return /^\[(.+)\](?::\d+)?$/.exec(hop)?.[1] ?? /^(\d+\.\d+\.\d+\.\d+):\d+$/.exec(hop)?.[1] ?? hop;
}

const isTrusted = (address: string, trusted: TrustedProxies) =>
  trusted.check(address, isIPv4(address) ? "ipv4" : "ipv6");
