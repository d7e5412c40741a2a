import { codeHostContract } from "./code-host.contract.ts";
import { createLocalHost } from "./local.ts";

codeHostContract("the broker itself", async () => ({
  host: createLocalHost(() => "http://localhost:8420"),
  seenByMember: async () => null,
  seenByStranger: async () => null,
  async close() {},
}));
