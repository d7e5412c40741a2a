import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { allowedMs } from "../../../test/allowed-ms.ts";
import { startBroker, type TestBroker } from "../support/test-broker.ts";

const CLIENT = join(import.meta.dirname, "../support/flooding-client.ts");
const FLOOD = 40_000;

interface Flooded {
  codes: Record<string, number>;
  last: unknown;
}

describe("a session that sends far more than anyone needs", () => {
  let test: TestBroker;
  beforeAll(async () => {
    test = await startBroker({ withGrader: false });
  });
  afterAll(() => test.close());

  /** Sends a flood from another process, and returns the answers until the session was ended. */
  async function flood(key: string, name: string, message: unknown): Promise<Flooded> {
    const args = [CLIENT, test.broker.url, key, name, JSON.stringify(message), String(FLOOD)];
    const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 300_000 });
    return JSON.parse(stdout);
  }

  it("is refused with a typed answer, then ended, while others are served", async () => {
    const [greedy, other] = [await test.addParticipant("greedy"), await test.addParticipant("other")];
    const client = await test.connect({ key: greedy });
    const bystander = await test.connect({ key: other });
    const input = { kind: "inline" as const, data: { score: 1 } };
    const { submission } = await client.submit({ input });
    const own = await bystander.submit({ input });
    const waits: number[] = [];
    let over = false;
    const flooding = flood(greedy, "watch", { id: submission.id }).finally(() => {
      over = true;
    });
    while (!over) {
      const began = performance.now();
      await bystander.ask("watch", { id: own.submission.id });
      waits.push(performance.now() - began);
    }
    const { codes, last } = await flooding;
    expect(codes.too_many_requests).toBeGreaterThan(50);
    expect(last).toMatchObject({ error: { code: "too_many_requests", details: { retry_after_seconds: 1 } } });
    expect(codes.ok ?? 0).toBeLessThan(10_000);
    expect(Math.max(...waits)).toBeLessThan(allowedMs(2500));
    // Her other session, which was quiet, continues.
    expect(client.socket.connected).toBe(true);
  });

  it("ends a connection of an older client as well", async () => {
    const address = `${test.broker.url.replace(/^http/, "ws")}/socket.io/?EIO=3&transport=websocket`;
    const socket = new WebSocket(address);
    let answers = 0;
    socket.onmessage = ({ data }) => {
      if (data === "40") for (let i = 0; i < 7000; i++) socket.send(`42${i}["authenticate",{}]`);
      if (String(data).startsWith("43")) answers++;
    };
    await new Promise((resolve) => {
      socket.onclose = resolve;
    });
    expect(answers).toBeLessThan(5000);
  });

  it("counts events that the broker does not know, and answers them", async () => {
    const key = await test.addParticipant("curious");
    const client = await test.connect({ key });
    await expect(client.ask("nonsense", {})).rejects.toMatchObject({ code: "usage" });
    const { codes } = await flood(key, "nonsense", {});
    expect(codes.too_many_requests).toBeGreaterThan(50);
  });
});
