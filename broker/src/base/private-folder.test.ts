import { join } from "node:path";
import { createFolderStore } from "@crowdai/shared/objects";
import { expect, it } from "vitest";
import { writeSite } from "../commands/init/write-site.ts";
import { createPrivateFolder } from "./private-file.ts";

it.runIf(process.platform === "linux")(
  "a folder where a file system takes none is an error, and no endless attempt",
  async () => {
    const folder = "/proc/x/y";
    expect(() => createPrivateFolder(folder)).toThrow("ENOENT");
    await expect(writeSite(folder, null)).rejects.toThrow("ENOENT");
    await expect(
      createFolderStore({ folder: join(folder, "objects"), baseUrl: () => "", secret: "-" }),
    ).rejects.toThrow("ENOENT");
  },
);
