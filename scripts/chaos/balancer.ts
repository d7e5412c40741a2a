import { connect, createServer, type Socket } from "node:net";

/** A TCP balancer on loopback: each connection goes to the next target that answers. */
export interface Balancer {
  readonly url: string;
  /** Breaks every connection through it, and lets none be made for a while. */
  cut(outageMs?: number): void;
  close(): Promise<void>;
}

export async function startBalancer(ports: readonly number[]): Promise<Balancer> {
  const clients = new Set<Socket>();
  let nextTarget = 0;
  let outageUntil = 0;

  function join(client: Socket, tries: number): void {
    if (tries === 0 || client.destroyed) {
      client.destroy();
      return;
    }
    const server = connect(ports[nextTarget++ % ports.length]!, "127.0.0.1");
    let joined = false;
    server.on("connect", () => {
      joined = true;
      client.pipe(server).pipe(client);
    });
    server.on("error", () => {});
    server.on("close", () => {
      if (joined) client.destroy();
      else join(client, tries - 1);
    });
    client.on("close", () => server.destroy());
  }

  const listener = createServer({ pauseOnConnect: true }, (client) => {
    clients.add(client);
    client.on("error", () => {});
    client.on("close", () => clients.delete(client));
    if (performance.now() < outageUntil) client.destroy();
    else join(client, ports.length);
  });
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  const cut = (outageMs = 0) => {
    outageUntil = performance.now() + outageMs;
    for (const client of clients) client.destroy();
  };
  return {
    url: `http://127.0.0.1:${(listener.address() as { port: number }).port}`,
    cut,
    close() {
      cut();
      return new Promise((resolve) => listener.close(() => resolve()));
    },
  };
}
