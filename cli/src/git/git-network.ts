import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { caBundle } from "../network/ca-bundle.ts";
import { proxyFor } from "../network/proxy-for.ts";

type Env = Readonly<Record<string, string | undefined>>;

export interface GitNetwork {
  /** Variables for git. */
  env: Record<string, string>;
  /** Settings for git, by name. */
  settings: [name: string, value: string][];
}

/** A slower transfer is aborted: a server that sends a byte a second must not hold a command for ever. */
const SLOW_TRANSFERS: [name: string, value: string][] = [
  ["http.lowSpeedLimit", "256"],
  ["http.lowSpeedTime", "120"],
];

/**
 * Returns what makes git reach a URL as the client's own requests do: through the same proxy, and trusting
 * the same certificates, which are written to `folder`.
 */
export function gitNetwork(url: URL, env: Env, folder: string): GitNetwork {
  const proxy = proxyFor(url, env)?.address;
  const network: GitNetwork = {
    env: proxy ? { http_proxy: proxy, https_proxy: proxy } : {},
    settings: [...SLOW_TRANSFERS],
  };
  const certificates = url.protocol === "https:" ? caBundle(env) : null;
  if (certificates !== null) {
    network.env.GIT_SSL_CAINFO = join(folder, "certificates.pem");
    writeFileSync(network.env.GIT_SSL_CAINFO, certificates, { mode: 0o600 });
    network.settings.push(["http.schannelUseSSLCAInfo", "true"]);
  }
  if (env.NODE_TLS_REJECT_UNAUTHORIZED === "0") network.env.GIT_SSL_NO_VERIFY = "1";
  return network;
}
