import { afterAll, beforeAll } from "vitest";
import { startBroker, type TestBroker } from "../support/test-broker.ts";
import { disqualifyContract } from "./disqualify.contract.ts";

let test: TestBroker;
beforeAll(async () => {
  test = await startBroker({ challenges: [{}, { id: "other" }] });
});
afterAll(() => test.close());

disqualifyContract(() => test);
