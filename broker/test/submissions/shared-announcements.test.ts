import { Redis } from "ioredis";
import { expect, it, onTestFinished } from "vitest";
import { withoutService } from "../../../scripts/services/programs.ts";
import { startRedisBroker } from "../support/redis-broker.ts";
import { until } from "../support/until.ts";

const SUBMISSIONS = 64;

it.skipIf(withoutService("redis"))(
  "events of submissions that are written together reach other brokers in a few messages",
  async () => {
    const stage = await startRedisBroker([{ rounds: [{ id: "1", parallel_limit: null }] }]);
    onTestFinished(() => stage.close());
    const client = await stage.test.connect();
    const listener = new Redis(stage.url);
    onTestFinished(() => listener.disconnect());
    const announced = new Set<string>();
    let messages = 0;
    const ids = Array.from({ length: SUBMISSIONS }, (_, at) => `together-${at}`);
    listener.on("pmessage", (_pattern, _channel, message: string) => {
      const found = ids.filter((id) => message.includes(`"${id}"`));
      if (found.length > 0) messages++;
      for (const id of found) announced.add(id);
    });
    await listener.psubscribe("socket.io-request*");
    const input = { kind: "inline" as const, data: { score: 1 } };
    await Promise.all(ids.map((id) => client.submit({ id, input })));
    await until(async () => announced.size === SUBMISSIONS);
    expect(messages).toBeLessThan(SUBMISSIONS / 2);
  },
);
