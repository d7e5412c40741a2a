import { afterEach, describe, expect, it } from "vitest";
import { startBroker, type TestBroker } from "../support/test-broker.ts";
import { openChallenge } from "./legacy-challenge.ts";
import { connectLegacy, decodeBinary } from "./legacy-client.ts";

describe("connections of protocol 3", () => {
  let test: TestBroker;
  afterEach(() => test?.close());

  const handshake = (query: string) => fetch(`${test.broker.url}/socket.io/?transport=polling&${query}`);

  it("are answered in binary framing, and modern clients in theirs", async () => {
    test = await startBroker();
    for (const query of ["EIO=3", "EIO=3&j=0", ""]) {
      const answer = await handshake(query);
      expect(answer.headers.get("content-type")).toBe("application/octet-stream");
      expect(decodeBinary(new Uint8Array(await answer.arrayBuffer()))[0]).toContain(
        '"upgrades":["websocket"]',
      );
    }
    expect(await (await handshake("EIO=4")).text()).toMatch(/^0\{"sid"/);
  });

  it.each(["polling", "websocket"] as const)("stay while the client pings, over %s", async (transport) => {
    test = await startBroker();
    const connection = await connectLegacy(test.broker.url, { transport });
    expect(connection.opened.pingTimeout).toBeGreaterThanOrEqual(5000);
    await connection.ping();
    await connection.ping();
    connection.close();
  });

  it("carry non-ASCII text both ways", async () => {
    test = await startBroker();
    for (const transport of ["polling", "websocket"] as const) {
      const challenge = await openChallenge(test.broker.url, test.key, "test", { transport });
      const { answer } = await challenge.call("submit", [{ reject: "Zürich → 数据 🦆" }]);
      expect(answer[0]?.message).toBe("Zürich → 数据 🦆");
      challenge.connection.close();
    }
  });

  it("receive no event of a modern session, and modern clients none of theirs", async () => {
    test = await startBroker();
    const challenge = await openChallenge(test.broker.url, test.key);
    const heard: unknown[] = [];
    for (const event of ["session", "event", "place"])
      challenge.connection.on(event, (argument) => heard.push([event, argument]));
    const modern = await test.connect();
    modern.socket.onAny((...event) => heard.push(event));
    await challenge.submit("0.5");
    const unanswered = challenge.connection.emit("call", {
      challenge: "test",
      function: "evaluate",
      items: [],
    });
    await challenge.connection.ping();
    challenge.connection.close();
    await expect(unanswered).rejects.toThrow("closed by the client");
    expect(heard).toEqual([]);
  });

  it("are refused, uploads too, when LEGACY_CLIENTS is off", async () => {
    test = await startBroker({ env: { LEGACY_CLIENTS: "off" } });
    await expect(connectLegacy(test.broker.url)).rejects.toThrow("Unsupported protocol version");
    const presign = await test.fetch(`/api/external_graders/${test.key}/presign`, { key: null });
    expect(presign.status).toBe(404);
    expect((await presign.text()).includes(test.key)).toBe(false);
    await test.connect();
  });

  it("end with the broker", async () => {
    test = await startBroker({ withGrader: false });
    const challenge = await openChallenge(test.broker.url, test.key);
    const waiting = challenge.call("evaluate", [{ x: 1 }]);
    waiting.catch(() => {});
    await test.restart();
    await expect(waiting).rejects.toThrow("the connection ended");
  });
});
