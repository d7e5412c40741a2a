import { afterEach, expect } from "vitest";
import { Challenge, CrowdaiError, type OpenOptions } from "../src/index.ts";
import { type BrokerAndFolder, useBrokerAndFolder } from "./broker-and-folder.ts";

/** The library, as programs use it. */
export interface Library extends BrokerAndFolder {
  /** Opens the challenge "iris" and closes it after the test. */
  open(options?: OpenOptions): Promise<Challenge>;
}

export function useLibrary(): Library {
  const own = useBrokerAndFolder();
  const opened: Challenge[] = [];
  afterEach(async () => {
    for (const challenge of opened.splice(0)) await challenge.close();
  });
  return Object.assign(own, {
    async open(options: OpenOptions = {}) {
      const { key, url } = own.broker;
      const challenge = await Challenge.open("iris", { apiKey: key, broker: url, ...options });
      opened.push(challenge);
      return challenge;
    },
  });
}

/** Returns the error with which the work fails. */
export function failure(work: Promise<unknown>): Promise<CrowdaiError> {
  return work.then(
    () => expect.fail("it should have failed"),
    (error) => {
      expect(error).toBeInstanceOf(CrowdaiError);
      return error;
    },
  );
}
