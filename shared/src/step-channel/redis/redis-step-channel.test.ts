import { randomUUID } from "node:crypto";
import { describe } from "vitest";
import { withoutService } from "../../../../scripts/services/programs.ts";
import { sharedService } from "../../../../test/shared-services.ts";
import { connectionsTo } from "../../queue/redis/redis-url.ts";
import { stepChannelContract } from "../step-channel.contract.ts";
import type { StepChannel } from "../step-channel.ts";
import { createRedisStepChannel } from "./redis-step-channel.ts";

const log = { info() {}, warn() {}, error() {} };

describe.skipIf(withoutService("redis"))("Redis lists", () => {
  stepChannelContract("the step channel on Redis", async () => {
    const { url } = await sharedService("redis");
    const prefix = randomUUID();
    const channels: StepChannel[] = [];
    return {
      async open() {
        const channel = createRedisStepChannel({ redis: connectionsTo(url).connect, prefix, log });
        channels.push(channel);
        return channel;
      },
      async close() {
        for (const channel of channels) await channel.close();
      },
    };
  });
});
