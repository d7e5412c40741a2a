import { readFileSync } from "node:fs";

type Env = Readonly<Record<string, string | undefined>>;

/** Where systems keep their certificates. */
const SYSTEM_BUNDLES = [
  "/etc/ssl/certs/ca-certificates.crt",
  "/etc/pki/tls/certs/ca-bundle.crt",
  "/etc/ssl/ca-bundle.pem",
  "/etc/ssl/cert.pem",
];

/**
 * Returns the certificates that git has to trust so that it trusts what Node.js does with
 * NODE_EXTRA_CA_CERTS, in PEM; null if that is not set or cannot be read. git takes one list instead of an
 * addition, so this holds its own certificates, too.
 */
export function caBundle(env: Env): string | null {
  const extra = env.NODE_EXTRA_CA_CERTS && read(env.NODE_EXTRA_CA_CERTS);
  if (!extra) return null;
  const own = env.GIT_SSL_CAINFO || env.SSL_CERT_FILE;
  const { rootCertificates } = process.getBuiltinModule("node:tls");
  const lists = [extra, own ? read(own) : SYSTEM_BUNDLES.map(read).find(Boolean), ...rootCertificates];
  return lists.filter(Boolean).join("\n");
}

function read(file: string): string | null {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return null;
  }
}
