import { connect, createServer, type Socket } from "node:net";

/** A TCP proxy on loopback before one port, whose faults a test chooses. What counts is what clients send. */
export interface HostileProxy {
  readonly url: string;
  /** Where it leads to; may be set after it was started. */
  target: number;
  /** Bytes that clients have sent through it. */
  readonly sent: number;
  /** How often it was cut. */
  readonly cuts: number;
  /** Breaks every connection now, held ones too. */
  cut(): void;
  /** Breaks every connection each time so many bytes more were sent; an empty list ends that. */
  cutAfter(bytes: number[]): void;
  /** Takes nothing more once so many bytes were sent. Resolves when that is so. */
  holdAt(bytes: number): Promise<void>;
  /** Breaks every connection at the first answer after so many bytes were sent, without any sign of it. */
  loseAnswerAfter(bytes: number): void;
  /** Turns one bit in each large chunk that a client sends, `count` times. */
  flip(count: number): void;
  /** Ends all faults and counts from 0 again. */
  calm(): void;
  close(): Promise<void>;
}

/** Only bodies come in chunks as large as this. */
const LARGE = 20_000;

export async function startHostileProxy(): Promise<HostileProxy> {
  const sockets = new Set<Socket>();
  let sent = 0;
  let cuts = 0;
  let cutPoints: number[] = [];
  let hold = Number.POSITIVE_INFINITY;
  let held: (() => void) | null = null;
  let loseAfter = Number.POSITIVE_INFINITY;
  let flips = 0;

  function cut(): void {
    cuts++;
    for (const socket of sockets) socket.destroy();
  }

  function up(chunk: Buffer): void {
    sent += chunk.length;
    if (flips > 0 && chunk.length > LARGE) {
      flips--;
      chunk[chunk.length - 1]! ^= 1;
    }
    if (cutPoints[0] !== undefined && sent >= cutPoints[0]) {
      cutPoints = cutPoints.slice(1);
      cut();
    }
  }

  const listener = createServer((client) => {
    const server = connect(proxy.target, "127.0.0.1");
    for (const socket of [client, server]) {
      sockets.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => {
        sockets.delete(socket);
        (socket === client ? server : client).destroy();
      });
    }
    client.on("data", (chunk: Buffer) => {
      if (sent >= hold) {
        client.pause();
        held?.();
        return;
      }
      up(chunk);
      if (!server.destroyed && !server.write(chunk)) {
        client.pause();
        server.once("drain", () => client.resume());
      }
    });
    server.on("data", (chunk: Buffer) => {
      if (sent >= loseAfter) {
        loseAfter = Number.POSITIVE_INFINITY;
        return cut();
      }
      client.write(chunk);
    });
  });
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));

  const proxy: HostileProxy = {
    url: `http://127.0.0.1:${(listener.address() as { port: number }).port}`,
    target: 0,
    cut,
    get sent() {
      return sent;
    },
    get cuts() {
      return cuts;
    },
    cutAfter(bytes) {
      let at = sent;
      cutPoints = bytes.map((more) => {
        at += more;
        return at;
      });
    },
    holdAt(bytes) {
      hold = bytes;
      const { promise, resolve } = Promise.withResolvers<void>();
      held = resolve;
      return promise;
    },
    loseAnswerAfter(bytes) {
      loseAfter = bytes;
    },
    flip(count) {
      flips = count;
    },
    calm() {
      sent = 0;
      cuts = 0;
      cutPoints = [];
      hold = loseAfter = Number.POSITIVE_INFINITY;
      held = null;
      flips = 0;
    },
    close() {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => listener.close(() => resolve()));
    },
  };
  return proxy;
}
