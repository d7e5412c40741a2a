// Takes a snapshot of a folder, for tests that kill it meanwhile: folder, then the user's crowdAI folder.
import { join } from "node:path";
import { DEFAULT_CAPS } from "../src/snapshot/caps.ts";
import { openStore } from "../src/snapshot/store.ts";
import { takeSnapshot } from "../src/snapshot/take-snapshot.ts";

const [, , folder = "", config = ""] = process.argv;
const store = await openStore(join(config, "code"), folder, process.env);
await takeSnapshot({ store, folder, env: process.env, caps: DEFAULT_CAPS });
store.close();
