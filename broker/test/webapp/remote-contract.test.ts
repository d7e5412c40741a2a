import { revokeKeys } from "../../src/participants/keys.ts";
import { webappContract } from "../../src/webapp/webapp.contract.ts";
import { startRemote } from "./stage.ts";

webappContract("a webapp elsewhere", async (rounds) => {
  const { broker, webapp, close } = await startRemote({ rounds });
  return {
    broker,
    addParticipant: webapp.addParticipant,
    revoke: async (name) => {
      await revokeKeys(webapp.records, "participant", name, new Date().toISOString());
    },
    read: async (path) => (await webapp.ask("GET", path)).body,
    close,
  };
});
