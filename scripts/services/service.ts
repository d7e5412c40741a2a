import type { Daemon } from "./daemon.ts";

export interface ServiceOptions {
  /**
   * Where its state and log live: started again on the same folder, it has what it had. Made when missing.
   */
  folder: string;
  /** A free one by default. */
  port?: number;
  /** More arguments for its program. */
  args?: readonly string[];
  /** Lets it outlive this process. */
  detached?: boolean;
}

/** A test service on loopback. It keeps its port and its state when it is killed and started again. */
export interface Service extends Daemon {
  readonly url: string;
  readonly port: number;
  /** All its processes that run now. */
  readonly pids: readonly number[];
}

export function asService(url: string, port: number, daemon: Daemon): Service {
  return {
    url,
    port,
    get pid() {
      return daemon.pid;
    },
    get pids() {
      return [daemon.pid];
    },
    ended: daemon.ended,
    kill: daemon.kill,
    restart: daemon.restart,
    stop: daemon.stop,
  };
}
