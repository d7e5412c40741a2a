import { devNull } from "node:os";
import { delimiter } from "node:path";
import { safePath } from "./find-git.ts";

type Env = Readonly<Record<string, string | undefined>>;

/**
 * The only variables of the caller's environment that git gets: no GIT_*, no HOME, no editor, no tracing, no
 * proxy.
 */
const PASSED_VARIABLES = [
  "TMPDIR",
  "TEMP",
  "TMP",
  "SystemRoot",
  "SSL_CERT_FILE",
  "SSL_CERT_DIR",
  "GIT_SSL_CAINFO",
  "GIT_SSL_CAPATH",
];

/** Returns an environment in which git reads the configuration of `repository` and nothing else. */
export function cleanEnvironment(repository: string, env: Env): Record<string, string> {
  const passed = PASSED_VARIABLES.flatMap((name) => (env[name] ? [[name, env[name]] as const] : []));
  return {
    ...Object.fromEntries(passed),
    PATH: safePath(env.PATH ?? env.Path ?? "", repository).join(delimiter),
    // No ~/.netrc, no ~/.gitconfig, no ~/.config/git.
    HOME: repository,
    XDG_CONFIG_HOME: repository,
    LC_ALL: "C",
    GIT_DIR: repository,
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_CONFIG_SYSTEM: devNull,
    GIT_CONFIG_GLOBAL: devNull,
    GIT_ATTR_NOSYSTEM: "1",
    GIT_OPTIONAL_LOCKS: "0",
    GIT_NO_LAZY_FETCH: "1",
    GIT_NO_REPLACE_OBJECTS: "1",
    GIT_TERMINAL_PROMPT: "0",
    GIT_ASKPASS: "",
    SSH_ASKPASS: "",
    GIT_ALLOW_PROTOCOL: "http:https",
    GIT_PROTOCOL_FROM_USER: "0",
  };
}
