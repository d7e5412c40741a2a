import { revokeKeys } from "../../src/participants/keys.ts";
import { webappContract } from "../../src/webapp/webapp.contract.ts";
import { startWebapp } from "../webapp-api/stage.ts";

webappContract("the broker itself", async (rounds) => {
  const test = await startWebapp({ withGrader: true, challenges: [{ rounds }] });
  return {
    broker: test,
    addParticipant: test.addParticipant,
    revoke: async (name) => {
      await revokeKeys(test.records, "participant", name, new Date().toISOString());
    },
    read: async (path) => (await test.ask("GET", path)).body,
    close: () => test.close(),
  };
});
