/** Returns the name under which this client appears at the broker, such as `crowdai/0.1.0 node/26.10.0`. */
export function clientName(version: string): string {
  return `crowdai/${version} ${runtime()}`;
}

/** Returns the runtime and its version, such as `bun/1.3.0`. */
export function runtime(): string {
  return process.versions.bun ? `bun/${process.versions.bun}` : `node/${process.versions.node}`;
}
