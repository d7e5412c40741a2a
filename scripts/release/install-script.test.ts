import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { onPath } from "../lib/find-program.ts";
import { root } from "../lib/root.ts";

const GOOD = '#!/bin/sh\necho "1.2.3"\n';
const TOOLS = [
  "uname",
  "mkdir",
  "mktemp",
  "rm",
  "awk",
  "grep",
  "chmod",
  "mv",
  "sha256sum",
  "sh",
  "ldd",
  "cat",
  "id",
];

describe.each(["curl", "wget"])("install.sh with %s", (downloader) => {
  let folder: string;
  let server: Server;
  let files: Record<string, string>;
  let truncated: string | undefined;
  let requested: string[];

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "crowdai-install-"));
    mkdirSync(join(folder, "tools"));
    for (const tool of [...TOOLS, downloader]) {
      const path = onPath(tool);
      if (path) symlinkSync(path, join(folder, "tools", tool));
    }
    [requested, truncated] = [[], undefined];
    serve(GOOD);
    server = createServer((request, response) => {
      const name = request.url!.slice(1);
      requested.push(name);
      const text = files[name];
      if (text === undefined) return response.writeHead(404).end("no such file");
      response.writeHead(200, { "content-length": text.length });
      if (name !== truncated) return response.end(text);
      response.write(text.slice(0, text.length / 2), () => response.socket!.destroy());
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  });
  afterEach(() => {
    server.closeAllConnections();
    server.close();
    rmSync(folder, { recursive: true });
  });

  /** Serves `text` as the executable of every platform, with the checksums of `summed`. */
  function serve(text: string, summed = text): void {
    const names = ["linux", "darwin"].flatMap((system) =>
      ["x64", "arm64", "x64-musl", "arm64-musl"].map((machine) => `crowdai-${system}-${machine}`),
    );
    const sum = createHash("sha256").update(summed).digest("hex");
    files = Object.fromEntries(names.map((name) => [name, text]));
    files.SHA256SUMS = names.map((name) => `${sum}  ${name}\n`).join("");
  }

  function install(env: NodeJS.ProcessEnv = {}) {
    const { port } = server.address() as AddressInfo;
    const options = {
      env: {
        HOME: join(folder, "home"),
        PATH: join(folder, "tools"),
        CROWDAI_DOWNLOAD_URL: `http://127.0.0.1:${port}/`,
        ...env,
      },
    };
    const script = join(root, "scripts/install.sh");
    return new Promise<{ code: number; stdout: string; stderr: string }>((resolve) =>
      execFile("/bin/sh", [script], options, (error, stdout, stderr) =>
        resolve({ code: error ? Number(error.code) : 0, stdout, stderr }),
      ),
    );
  }

  const bin = () => join(folder, "home/.local/bin");
  const installed = () => (existsSync(bin()) ? readdirSync(bin()) : []);

  it("installs the executable whose checksum is right, and names the line for the profile", async () => {
    const done = await install();
    expect(done, done.stderr).toMatchObject({ code: 0, stderr: "" });
    expect(done.stdout).toContain(`Installed crowdai 1.2.3 as ${bin()}/crowdai`);
    expect(done.stdout).toContain(`export PATH="${bin()}:$PATH"`);
    expect(installed()).toEqual(["crowdai"]);
    expect(readdirSync(join(folder, "home"))).toEqual([".local"]);
    const again = await install({ PATH: `${bin()}:${join(folder, "tools")}` });
    expect(again.stdout).not.toContain("PATH");
  });

  it("installs into another folder", async () => {
    const other = join(folder, "with a space");
    expect(await install({ CROWDAI_INSTALL_DIR: other, HOME: undefined })).toMatchObject({ code: 0 });
    expect(readFileSync(join(other, "crowdai"), "utf8")).toBe(GOOD);
  });

  it.each([
    {
      what: "a wrong download",
      prepare: () => serve("something else", GOOD),
      says: "does not have the checksum",
    },
    { what: "a truncated download", prepare: () => cut("crowdai"), says: "Nothing was installed" },
    { what: "truncated checksums", prepare: () => cut("SHA256SUMS"), says: "Nothing was installed" },
    { what: "a page in place of the checksums", prepare: page, says: "has no checksum of" },
    { what: "a missing release", prepare: serveNothing, says: "cannot be downloaded" },
    { what: "an executable that does not run", prepare: () => serve("#!/nowhere\n"), says: "does not run" },
  ])("installs nothing after $what, and leaves the installed one", async ({ prepare, says }) => {
    mkdirSync(bin(), { recursive: true });
    writeFileSync(join(bin(), "crowdai"), "the earlier one");
    prepare();
    const done = await install();
    expect(done).toMatchObject({ code: 1, stderr: expect.stringContaining(says) });
    expect(installed()).toEqual(["crowdai"]);
    expect(readFileSync(join(bin(), "crowdai"), "utf8")).toBe("the earlier one");
  });

  function cut(name: string): void {
    truncated = name === "crowdai" ? Object.keys(files).find((file) => file === own()) : name;
  }
  function serveNothing(): void {
    files = {};
  }
  const own = () => `crowdai-${process.platform}-${process.arch}`;
  function page(): void {
    files.SHA256SUMS = "<html>Sign in to the network</html>";
  }
});

it("does nothing when the script was cut off in transfer", async () => {
  const text = readFileSync(join(root, "scripts/install.sh"), "utf8");
  const folder = mkdtempSync(join(tmpdir(), "crowdai-install-"));
  for (const part of [0.3, 0.6, 0.9]) {
    const script = text.slice(0, text.length * part);
    await new Promise((resolve) =>
      execFile("/bin/sh", ["-c", script], { env: { HOME: folder, PATH: process.env.PATH } }, resolve),
    );
  }
  expect(readdirSync(folder)).toEqual([]);
  rmSync(folder, { recursive: true });
});
