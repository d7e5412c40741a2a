import { randomUUID } from "node:crypto";

// engine.io protocol 3 and socket.io protocol 4 of the 2.x era, as the published Python client uses them: XHR
// polling in binary framing, then WebSocket.

interface Opened {
  sid: string;
  upgrades: string[];
  pingInterval: number;
  pingTimeout: number;
}

export interface LegacyConnection {
  readonly opened: Opened;
  /**
   * Sends an event; resolves with the first argument of its acknowledgement. Rejects when the connection ends
   * first.
   */
  emit(event: string, message?: unknown): Promise<unknown>;
  /** Sends several events at once, in one request when polling. */
  emitAll(events: [event: string, message: unknown][]): Promise<unknown[]>;
  on(event: string, listen: (argument: unknown) => void): void;
  /** Sends a ping; resolves at its answer. */
  ping(): Promise<void>;
  readonly ended: Promise<string>;
  close(): void;
}

export interface LegacyOptions {
  /** Stays with polling, or upgrades to WebSocket as the client prefers. */
  transport?: "polling" | "websocket";
}

/**
 * Decodes binary framing and rejects any other: for each packet 0, its length in digits of a byte each, 255,
 * and the packet.
 */
export function decodeBinary(payload: Uint8Array): string[] {
  const packets: string[] = [];
  for (let at = 0; at < payload.length; ) {
    if (payload[at] !== 0)
      throw new Error(`not in binary framing: ${Buffer.from(payload).toString("latin1")}`);
    const end = payload.indexOf(255, at);
    const length = Number(payload.subarray(at + 1, end).join(""));
    packets.push(Buffer.from(payload.subarray(end + 1, end + 1 + length)).toString("utf8"));
    at = end + 1 + length;
  }
  return packets;
}

export function encodeBinary(packets: string[]): Buffer {
  return Buffer.concat(
    packets.flatMap((packet) => {
      const bytes = Buffer.from(packet);
      return [Buffer.from([0, ...String(bytes.length)].map(Number)), Buffer.from([255]), bytes];
    }),
  );
}

/** Opens a connection; rejects with the broker's message when it is refused. */
export async function connectLegacy(
  url: string,
  { transport = "websocket" }: LegacyOptions = {},
): Promise<LegacyConnection> {
  const address = `${url}/socket.io/?EIO=3&transport=polling`;
  const poll = async (sid = ""): Promise<string[]> => {
    const answer = await fetch(`${address}&t=${randomUUID()}${sid && `&sid=${sid}`}`);
    const body = new Uint8Array(await answer.arrayBuffer());
    if (!answer.ok) throw new Error(`${answer.status} ${Buffer.from(body)}`);
    return decodeBinary(body);
  };
  const [first, ...rest] = await poll();
  if (!first?.startsWith("0")) throw new Error(`expected an open packet, got ${first}`);
  const opened = JSON.parse(first.slice(1)) as Opened;

  const listeners = new Map<string, Set<(argument: unknown) => void>>();
  const acknowledgements = new Map<number, PromiseWithResolvers<unknown>>();
  const pings: (() => void)[] = [];
  const connected = Promise.withResolvers<void>();
  const over = Promise.withResolvers<string>();
  let ids = 0;
  let isOver = false;
  let send: (packets: string[]) => Promise<void>;
  let stop = (): void => {};

  function end(reason: string): void {
    if (isOver) return;
    isOver = true;
    stop();
    const error = new Error(`the connection ended: ${reason}`);
    for (const { reject } of acknowledgements.values()) reject(error);
    connected.reject(error);
    over.resolve(reason);
  }

  function take(packet: string): void {
    const [, kind, id, body] = /^4([23])(\d*)(\[.*)$/s.exec(packet) ?? [];
    if (packet.startsWith("3")) pings.shift()?.();
    else if (packet.startsWith("1") || packet.startsWith("41")) end("closed by the broker");
    else if (packet.startsWith("44")) end(packet.slice(2));
    else if (packet.startsWith("40")) connected.resolve();
    else if (kind === "2") {
      const [event, argument] = JSON.parse(body!) as [string, unknown];
      for (const listen of listeners.get(event) ?? []) listen(argument);
    } else if (kind === "3") acknowledgements.get(Number(id))?.resolve((JSON.parse(body!) as unknown[])[0]);
  }

  if (transport === "websocket") {
    const socket = await upgrade(url, opened);
    socket.onmessage = ({ data }) => take(String(data));
    socket.onclose = () => end("websocket closed");
    stop = () => socket.close();
    send = async (packets) => {
      for (const packet of packets) socket.send(packet);
    };
  } else {
    // One request at a time, as the client sends them.
    let turn: Promise<unknown> = Promise.resolve();
    send = (packets) => {
      const mine = turn.then(async () => {
        const answer = await fetch(`${address}&t=${randomUUID()}&sid=${opened.sid}`, {
          method: "POST",
          headers: { "content-type": "application/octet-stream" },
          body: encodeBinary(packets),
        });
        if (!answer.ok) end(`${answer.status} ${await answer.text()}`);
      });
      turn = mine;
      return mine;
    };
    (async () => {
      while (!isOver) for (const packet of await poll(opened.sid)) take(packet);
    })().catch((error) => end(String(error.message)));
  }
  for (const packet of rest) take(packet);
  await connected.promise;

  const connection: LegacyConnection = {
    opened,
    emit: async (event, message) => (await connection.emitAll([[event, message]]))[0],
    async emitAll(events) {
      const waiting = events.map(([event, message]) => {
        const id = ids++;
        const acknowledged = Promise.withResolvers<unknown>();
        acknowledgements.set(id, acknowledged);
        const sent = message === undefined ? [event] : [event, message];
        return { packet: `42${id}${JSON.stringify(sent)}`, acknowledged };
      });
      const answers = Promise.all(waiting.map(({ acknowledged }) => acknowledged.promise));
      answers.catch(() => {});
      if (isOver) throw new Error("the connection has ended");
      await send(waiting.map(({ packet }) => packet));
      return answers;
    },
    on(event, listen) {
      listeners.set(event, (listeners.get(event) ?? new Set()).add(listen));
    },
    async ping() {
      const answered = new Promise<void>((resolve) => pings.push(resolve));
      await send(["2"]);
      await answered;
    },
    ended: over.promise,
    close() {
      if (transport === "polling" && !isOver) send(["1"]).catch(() => {});
      end("closed by the client");
    },
  };
  return connection;
}

async function upgrade(url: string, { sid, upgrades }: Opened): Promise<WebSocket> {
  if (!upgrades.includes("websocket")) throw new Error("no upgrade to websocket is offered");
  const socket = new WebSocket(
    `${url.replace(/^http/, "ws")}/socket.io/?EIO=3&transport=websocket&sid=${sid}`,
  );
  await new Promise((resolve, reject) => {
    socket.onopen = resolve;
    socket.onerror = () => reject(new Error("no websocket"));
  });
  const probed = new Promise((resolve) => {
    socket.onmessage = resolve;
  });
  socket.send("2probe");
  const { data } = (await probed) as MessageEvent;
  if (data !== "3probe") throw new Error(`expected the probe's answer, got ${data}`);
  socket.send("5");
  return socket;
}
