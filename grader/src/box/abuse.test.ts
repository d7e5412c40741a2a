import { afterAll } from "vitest";
import { openTestSandbox } from "../testing/boxes.ts";
import { describeHostilePrograms } from "./abuse.contract.ts";

const sandbox = await openTestSandbox();
afterAll(() => sandbox?.[Symbol.dispose]());

describeHostilePrograms("bubblewrap", sandbox);
