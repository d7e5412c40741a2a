import { webappContract } from "../../src/background/webapp/webapp.contract.ts";
import { startWebapp } from "../webapp-api/webapp-api-client.ts";
import { underTest } from "./webapp-proxy.ts";

webappContract("the broker itself", async (rounds) => {
  const test = await startWebapp({ withGrader: true, challenges: [{ rounds }] });
  return underTest({ broker: test, webapp: test, close: () => test.close() });
});
