import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { temporaryFolder } from "../../test/run-cli.ts";
import { projectFolder } from "./find-project.ts";
import { resolveSettings } from "./settings.ts";

describe.skipIf(process.platform !== "linux")("a folder whose path is not UTF-8", () => {
  it.each(["caf\ufffd", "caf\ufffd/below"])(
    "is refused as the folder of the code, with the reason: %s",
    async (named) => {
      await using folder = await temporaryFolder();
      const path = Buffer.concat([Buffer.from(`${folder.path}/`), Buffer.from("caf\xe9/below", "latin1")]);
      await mkdir(path, { recursive: true });
      expect(() => projectFolder(named, folder.path, {})).toThrow(
        `The path ${join(folder.path, named)} is not UTF-8, so no code can be taken from it.`,
      );
      // A command in that folder reads no crowdai.json, and says so.
      const { project, warnings } = resolveSettings({ env: {}, cwd: join(folder.path, named) });
      expect(project).toBeNull();
      expect(warnings).toEqual([
        `The path ${join(folder.path, named)} is not UTF-8, so no crowdai.json is read in it.`,
      ]);
    },
  );

  it("may have the replacement character as its name", async () => {
    await using folder = await temporaryFolder();
    await mkdir(join(folder.path, "caf\ufffd"));
    expect(projectFolder("caf\ufffd", folder.path, {})).toBe(join(folder.path, "caf\ufffd"));
    expect(resolveSettings({ env: {}, cwd: join(folder.path, "caf\ufffd") }).warnings).toEqual([]);
  });
});
