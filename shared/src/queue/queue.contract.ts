import { describe } from "vitest";
import { handingOutContract } from "./contract/handing-out.contract.ts";
import { reportsContract } from "./contract/reports.contract.ts";
import { jobOf } from "./contract/samples.ts";
import { type QueueUnderTest, setStage } from "./contract/stage.ts";
import { stoppingContract } from "./contract/stopping.contract.ts";
import { withdrawingContract } from "./contract/withdrawing.contract.ts";

export { jobOf, type QueueUnderTest };

/** What every job queue must keep to. `create` makes an empty one, which shares nothing with those before it. */
export function queueContract(name: string, create: () => Promise<QueueUnderTest>): void {
  describe(`${name}, as a job queue`, () => {
    const stage = setStage(create);
    handingOutContract(stage);
    withdrawingContract(stage);
    reportsContract(stage);
    stoppingContract(stage);
  });
}
