import type { PublicChallenge } from "@crowdai/shared";
import { afterEach, beforeEach } from "vitest";
import { startContractBroker } from "./contract-broker.ts";
import type { ContractBroker } from "./contract-types.ts";
import { temporaryFolder } from "./run-cli.ts";

/** A broker that follows the contract and a working folder, new for each test. */
export interface BrokerAndFolder {
  readonly broker: ContractBroker;
  readonly folder: string;
}

export function useBrokerAndFolder(challenge: Partial<PublicChallenge> = {}): BrokerAndFolder {
  let broker: ContractBroker;
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  beforeEach(async () => {
    broker = await startContractBroker(challenge);
    folder = await temporaryFolder();
  });
  afterEach(async () => {
    await broker.close();
    await folder[Symbol.asyncDispose]();
  });
  return {
    get broker() {
      return broker;
    },
    get folder() {
      return folder.path;
    },
  };
}
