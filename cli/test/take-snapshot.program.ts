// Takes a snapshot of a folder, for tests that kill it or run it as another user. Arguments: the folder, the
// user's crowdAI folder. Prints the snapshot, or the error.
import { join } from "node:path";
import { CrowdaiError } from "@crowdai/shared";
import { DEFAULT_CAPS } from "../src/snapshot/filters/caps.ts";
import { openStore } from "../src/snapshot/store/snapshot-store.ts";
import { takeSnapshot } from "../src/snapshot/take-snapshot.ts";

const [, , folder = "", config = ""] = process.argv;
const store = await openStore(join(config, "code"), folder, process.env);
try {
  const { files, leftOut, notes } = await takeSnapshot({
    store,
    folder,
    env: process.env,
    caps: DEFAULT_CAPS,
  });
  console.log(
    JSON.stringify({
      files: files.map(({ path }) => path),
      leftOut: Object.fromEntries(leftOut.map(({ path, reason }) => [path, reason])),
      notes,
    }),
  );
} catch (error) {
  if (!(error instanceof CrowdaiError)) throw error;
  console.log(JSON.stringify({ error: { code: error.code, message: error.message } }));
} finally {
  store.close();
}
