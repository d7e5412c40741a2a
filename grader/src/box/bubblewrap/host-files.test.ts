import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { hiddenFiles, imageFolders, programFolders, writeEtc } from "./host-files.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "crowdai-host-files-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe("the /etc of boxes", () => {
  it("has one user, localhost, and nothing else that the machine knows of users and networks", () => {
    const etc = join(folder, "etc");
    const umask = process.umask(0);
    writeEtc(etc);
    process.umask(umask);
    const written = ["group", "hosts", "nsswitch.conf", "passwd"];
    const copied = ["R", "alternatives", "fonts", "ld.so.cache"].filter((name) => existsSync(`/etc/${name}`));
    expect(readdirSync(etc).sort()).toEqual([...written, ...copied].sort());
    expect(readFileSync(join(etc, "passwd"), "utf8")).toBe("box:x:1000:1000::/tmp:/bin/sh\n");
    expect(readFileSync(join(etc, "hosts"), "utf8")).toContain("127.0.0.1 localhost\n");
    expect([statSync(etc).mode & 0o777, statSync(join(etc, "passwd")).mode & 0o777]).toEqual([0o755, 0o644]);
  });

  it("keeps links as they are, because they lead to programs of the box", () => {
    const etc = join(folder, "etc");
    writeEtc(etc);
    if (!existsSync("/etc/alternatives")) return;
    expect(readdirSync(join(etc, "alternatives")).sort()).toEqual(readdirSync("/etc/alternatives").sort());
    for (const name of readdirSync("/etc/alternatives")) {
      if (!lstatSync(`/etc/alternatives/${name}`).isSymbolicLink()) continue;
      expect(readlinkSync(join(etc, "alternatives", name))).toBe(readlinkSync(`/etc/alternatives/${name}`));
    }
  });
});

describe("the programs of a box", () => {
  it("are the machine's, by folders and by the links to them", () => {
    const { folders, links } = programFolders();
    expect(folders["/usr"]).toBe("/usr");
    const names = ["bin", "lib", "lib32", "lib64", "libx32", "sbin", "usr"].filter((name) =>
      existsSync(`/${name}`),
    );
    const isLink = (name: string) => lstatSync(`/${name}`).isSymbolicLink();
    const [linked, real] = [names.filter(isLink), names.filter((name) => !isLink(name))];
    expect(Object.entries(folders).sort()).toEqual(real.map((name) => [`/${name}`, `/${name}`]));
    expect(links).toEqual(linked.map((name) => [readlinkSync(`/${name}`), `/${name}`]));
  });

  it("are those of an image, without what is the box's own or what the plan brings", () => {
    for (const name of ["usr", "opt", "tmp", "proc", "sys", "dev", "out", "job", "data", "a b"])
      mkdirSync(join(folder, name));
    writeFileSync(join(folder, "file"), "");
    symlinkSync("usr/bin", join(folder, "bin"));
    symlinkSync("usr", join(folder, "code"));
    expect(imageFolders(folder, ["/data/answers.csv", "/code"])).toEqual({
      folders: { "/opt": join(folder, "opt"), "/usr": join(folder, "usr") },
      links: [["usr/bin", "/bin"]],
    });
  });
});

it("files of /proc that tell of the machine are hidden, if other users can read them", () => {
  expect(hiddenFiles()).toEqual(
    expect.arrayContaining(["/proc/cmdline", "/proc/loadavg", "/proc/stat", "/proc/vmstat"]),
  );
  for (const path of hiddenFiles()) expect([path, statSync(path).mode & 0o004]).toEqual([path, 0o004]);
  const readable = readdirSync("/proc").filter((name) => hiddenFiles().includes(`/proc/${name}`));
  expect(readable).toHaveLength(hiddenFiles().length);
});
