import { webappContract } from "../../src/background/webapp/webapp.contract.ts";
import { startRemote, underTest } from "./webapp-proxy.ts";

webappContract("a webapp elsewhere", async (rounds) => underTest(await startRemote({ rounds })));
