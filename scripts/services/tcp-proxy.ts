import { connect, createServer, type Socket } from "node:net";

/** A TCP proxy on loopback that does to connections what networks do. */
export interface TcpProxy {
  readonly port: number;
  /**
   * Carries nothing either way, and tells neither end: what a pulled cable or a firewall does. New
   * connections hang, too.
   */
  freeze(): void;
  /** Forgets frozen connections without a word and carries new ones. */
  thaw(): void;
  /** Ends all connections at once. */
  cut(): void;
  /** The next reply ends its connection instead of arriving. */
  loseNextReply(): void;
  close(): Promise<void>;
}

export async function startTcpProxy(target: number): Promise<TcpProxy> {
  const pairs = new Set<{ client: Socket; server: Socket | null }>();
  let frozen = false;
  let losing = false;

  const listener = createServer((client) => {
    const pair: { client: Socket; server: Socket | null } = { client, server: null };
    pairs.add(pair);
    client.on("error", () => {});
    client.on("close", () => {
      pairs.delete(pair);
      pair.server?.destroy();
    });
    if (frozen) {
      client.pause();
      return;
    }
    const server = connect(target, "127.0.0.1");
    pair.server = server;
    server.on("error", () => {});
    server.on("close", () => {
      if (pairs.has(pair) && !client.isPaused()) client.destroy();
    });
    client.on("data", (data) => server.write(data));
    server.on("data", (data) => {
      if (losing) {
        losing = false;
        client.destroy();
      } else client.write(data);
    });
  });
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));

  const cut = () => {
    for (const { client, server } of pairs) {
      client.destroy();
      server?.destroy();
    }
  };
  return {
    port: (listener.address() as { port: number }).port,
    freeze() {
      frozen = true;
      for (const { client, server } of pairs) {
        client.pause();
        server?.pause();
      }
    },
    thaw() {
      frozen = false;
      // Left as they are: a client that still waits on them waits forever.
    },
    cut,
    loseNextReply() {
      losing = true;
    },
    close() {
      cut();
      return new Promise((resolve) => listener.close(() => resolve()));
    },
  };
}
