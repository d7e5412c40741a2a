/**
 * Returns whether a broker is at one of the trusted addresses: same protocol, host and port. An address may
 * be a bare host; it then stands for HTTPS, and on this machine for HTTP too.
 */
export function isTrustedBroker(broker: string, addresses: readonly string[]): boolean {
  const { origin } = new URL(broker);
  return addresses.some((address) => originsOf(address).includes(origin));
}

/** Returns the addresses in the value of CROWDAI_API_KEY_FOR, which commas or spaces separate. */
export function addressesIn(value: string | undefined): string[] {
  return value?.split(/[\s,]+/).filter(Boolean) ?? [];
}

function originsOf(address: string): string[] {
  if (address.includes("://")) return URL.canParse(address) ? [new URL(address).origin] : [];
  const secure = `https://${address}`;
  if (!URL.canParse(secure)) return [];
  const { hostname, origin } = new URL(secure);
  return LOOPBACK.test(hostname) ? [origin, new URL(`http://${address}`).origin] : [origin];
}

const LOOPBACK = /^(localhost|127(\.\d+){3}|\[::1\])$/;
