/**
 * Options of `Challenge.open`. Options that are left out come from the environment and the user's settings.
 *
 * @example
 * const options: OpenOptions = { broker: "https://crowdai.example", lostAfterMs: 10_000 };
 */
export interface OpenOptions {
  /**
   * API key. Default: CROWDAI_API_KEY, then the key that `crowdai login` stored, then the session of a CI job
   * that `crowdai ci trust` names. A broker that only a crowdai.json names gets neither this key nor the one
   * in CROWDAI_API_KEY unless CROWDAI_API_KEY_FOR names the broker too.
   */
  apiKey?: string;
  /**
   * Address of the broker. Default: CROWDAI_BROKER, the nearest crowdai.json, user settings,
   * http://localhost:8420.
   */
  broker?: string | URL;
  /** Closes the session when aborted; calls that are under way reject with `interrupted`. */
  signal?: AbortSignal;
  /**
   * How long the broker may be unreachable before waiting calls reject with `broker_lost`. Default: 60,000.
   */
  lostAfterMs?: number;
  /**
   * "auto" uses a socket, or plain requests if no socket gets through; "http" never opens a socket. Default:
   * "auto".
   */
  transport?: "auto" | "socket" | "http";
  /** Name of this program in the broker's records. Default: the library's name and version. */
  client?: string;
}
