import { describe } from "vitest";
import { cancellingContract } from "./cancelling.contract.ts";
import { deliveryContract } from "./delivery.contract.ts";
import { fairnessContract } from "./fairness.contract.ts";
import { type QueueUnderTest, setStage } from "./queue-stage.ts";
import { reportsContract } from "./reports.contract.ts";
import { jobOf } from "./samples.ts";
import { stoppingContract } from "./stopping.contract.ts";

export { jobOf, type QueueUnderTest };

/** The contract of every job queue. `create` makes an empty one, which shares nothing with earlier ones. */
export function queueContract(name: string, create: () => Promise<QueueUnderTest>): void {
  describe(`${name}, as a job queue`, () => {
    const stage = setStage(create);
    deliveryContract(stage);
    fairnessContract(stage);
    cancellingContract(stage);
    reportsContract(stage);
    stoppingContract(stage);
  });
}
