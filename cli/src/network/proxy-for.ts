import { BlockList, isIP } from "node:net";

type Env = Readonly<Record<string, string | undefined>>;

/** The proxy that the environment names for a URL. */
export interface NamedProxy {
  /** The variable that names it. */
  variable: string;
  /**
   * Its address, always with scheme and port; null for a kind of proxy that is not supported, such as SOCKS.
   */
  address: string | null;
}

/**
 * Returns the proxy for a URL, or null to connect directly. curl, git and Node.js read the variables
 * differently; the client reads them once, for HTTP and for git: `http_proxy`, `https_proxy`, `all_proxy` and
 * `no_proxy`, in lower case before upper case.
 */
export function proxyFor(url: URL, env: Env): NamedProxy | null {
  if (isExcluded(url, env.no_proxy || env.NO_PROXY || "")) return null;
  const own = `${url.protocol.slice(0, -1)}_proxy`;
  const variable = [own, own.toUpperCase(), "all_proxy", "ALL_PROXY"].find((name) => env[name]);
  return variable === undefined ? null : { variable, address: addressOf(env[variable] as string) };
}

const PORTS: Readonly<Record<string, string>> = { "http:": "80", "https:": "443" };

function addressOf(value: string): string | null {
  const text = value.trim();
  const address = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`;
  if (!URL.canParse(address)) return null;
  const { protocol, username, password, hostname, port } = new URL(address);
  const usual = PORTS[protocol];
  if (usual === undefined) return null;
  const login = username && `${username}${password && `:${password}`}@`;
  // With the port: curl and Node.js assume different ones.
  return `${protocol}//${login}${hostname}:${port || usual}`;
}

/** Whether one of the entries, separated by commas or white space, stands for the host of a URL. */
function isExcluded(url: URL, entries: string): boolean {
  const host = plainHost(url.hostname);
  const port = url.port || PORTS[url.protocol];
  return entries.split(/[\s,]+/).some((entry) => entry !== "" && matches(entry.toLowerCase(), host, port));
}

function matches(entry: string, host: string, port: string | undefined): boolean {
  if (entry === "*") return true;
  if (/[/-]/.test(entry) && isIP(host) && isInRange(entry, host)) return true;
  const [, name = entry, ofPort] = /^(\[[^\]]+\]|[^:]+):(\d+)$/.exec(entry) ?? [];
  if (ofPort !== undefined && ofPort !== port) return false;
  const domain = plainHost(name.replace(/^\*?\./, ""));
  return host === domain || (!isIP(host) && host.endsWith(`.${domain}`));
}

/** Whether an address is in `10.0.0.0/8` or `10.0.0.1-10.0.0.9`. */
function isInRange(entry: string, host: string): boolean {
  const familyOf = (address: string) => (isIP(address) === 6 ? "ipv6" : "ipv4");
  const [network = "", bits] = entry.replace(/[[\]]/g, "").split("/");
  if (familyOf(network.split("-")[0] as string) !== familyOf(host)) return false;
  const list = new BlockList();
  try {
    if (bits !== undefined) list.addSubnet(network, Number(bits), familyOf(network));
    else list.addRange(...(network.split("-") as [string, string]), familyOf(host));
    return list.check(host, familyOf(host));
  } catch {
    return false;
  }
}

/** Returns a host without brackets and final dot, IPv6 addresses in their canonical form. */
function plainHost(host: string): string {
  const plain = host.replace(/^\[|\]$/g, "").replace(/\.$/, "");
  return isIP(plain) === 6 ? new URL(`http://[${plain}]`).hostname.slice(1, -1) : plain.toLowerCase();
}
