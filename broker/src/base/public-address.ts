import { BlockList, isIP } from "node:net";
import { plainAddress } from "./client-address.ts";

/** Networks that are not the public Internet (IANA's special-purpose registries). */
const PRIVATE_NETWORKS = [
  ...["0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"],
  ...["192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15"],
  ...["198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"],
  // Below 2000::/3 there is nothing but special networks; those inside it that are not public:
  ...["2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"],
];

const PRIVATE = new BlockList();
for (const network of PRIVATE_NETWORKS) {
  const [address = "", bits] = network.split("/");
  PRIVATE.addSubnet(address, Number(bits), isIP(address) === 4 ? "ipv4" : "ipv6");
}
const GLOBAL_IPV6 = new BlockList();
GLOBAL_IPV6.addSubnet("2000::", 3, "ipv6");

/**
 * Returns whether an address belongs to the public Internet. Addresses of this machine, of local networks,
 * for documentation and of tunnels do not, also as an IPv4 address mapped into IPv6.
 */
export function isPublicAddress(text: string): boolean {
  const address = plainAddress(text);
  if (!address) return false;
  if (isIP(address) === 4) return !PRIVATE.check(address, "ipv4");
  return GLOBAL_IPV6.check(address, "ipv6") && !PRIVATE.check(address, "ipv6");
}
