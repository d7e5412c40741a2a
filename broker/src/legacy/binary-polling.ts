import type { IncomingMessage, ServerResponse } from "node:http";
import type { Transport } from "engine.io";
import { isWellFramed } from "./binary-framing.ts";

type Packet = { type: string; data?: unknown };
type EngineRequest = IncomingMessage & { res: ServerResponse | null };

/** A polling transport of protocol 3, with engine.io's internal members. */
interface PollingTransport {
  maxHttpBufferSize: number;
  parser: {
    encodePayload(packets: Packet[], supportsBinary: boolean, done: (payload: string | Buffer) => void): void;
    encodePayloadAsBinary(packets: Packet[], done: (payload: Buffer) => void): void;
    decodePayload(payload: string | Buffer, each: (packet: Packet) => void): void;
  };
  onRequest(request: EngineRequest): void;
  onPacket(packet: Packet): void;
  onError(message: string): void;
  onClose(): void;
}

const BAD_REQUEST = { code: 3, message: "Bad request" };

/**
 * Makes a polling transport of protocol 3 answer in binary framing, the only one that the published Python
 * client reads; engine.io would answer in text unless a packet contains bytes. Must be called before the
 * handshake is answered.
 *
 * It also handles posts: malformed framing is answered with 400 and ends the session, where engine.io would
 * reset the connection.
 */
export function speakBinary(engineTransport: Transport): void {
  const transport = engineTransport as unknown as PollingTransport;
  const { parser } = transport;
  transport.parser = {
    ...parser,
    encodePayload: (packets, _supportsBinary, done) => parser.encodePayloadAsBinary(packets, done),
  };
  const poll = transport.onRequest.bind(transport);
  let posting = false;

  transport.onRequest = (request) => {
    if (request.method !== "POST") return poll(request);
    const response = request.res as ServerResponse;
    request.res = null;
    if (posting) return refuse(response, 400, "posts overlap");
    posting = true;
    take(request, response)
      .catch(() => transport.onError("a post ended too early"))
      .finally(() => {
        posting = false;
      });
  };

  async function take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of request) {
      size += chunk.length;
      if (size > transport.maxHttpBufferSize) return refuse(response, 413, "a post is too large");
      chunks.push(chunk);
    }
    const packets = decode(
      Buffer.concat(chunks),
      request.headers["content-type"] === "application/octet-stream",
    );
    if (!packets) return refuse(response, 400, "broken framing");
    response.writeHead(200, { "content-type": "text/html", "cache-control": "no-store" }).end("ok");
    for (const packet of packets)
      if (packet.type === "close") return transport.onClose();
      else transport.onPacket(packet);
  }

  function decode(body: Buffer, binary: boolean): Packet[] | null {
    if (binary && !isWellFramed(body)) return null;
    const packets: Packet[] = [];
    parser.decodePayload(binary ? body : body.toString("utf8"), (packet) => packets.push(packet));
    return packets.some(({ type }) => type === undefined || type === "error") ? null : packets;
  }

  function refuse(response: ServerResponse, status: number, reason: string): void {
    const headers = { "content-type": "application/json", connection: "close" };
    response.writeHead(status, headers).end(JSON.stringify(BAD_REQUEST));
    transport.onError(reason);
  }
}
