/**
 * Installs what /code/package-lock.json names from the tarballs of /packages into /out/node_modules, in the
 * box and without a network: each entry of the lock file is pointed to the tarball with its digest. Contains
 * no single quote: it is an argument in a shell script.
 */
export const NPM_SCRIPT = `
const { createHash } = require("node:crypto");
const { spawnSync } = require("node:child_process");
const fs = require("node:fs");
const byDigest = new Map();
const folders = fs.existsSync("/packages") ? ["/packages"] : [];
for (const folder of folders)
  for (const entry of fs.readdirSync(folder, { withFileTypes: true })) {
    const path = folder + "/" + entry.name;
    if (entry.isDirectory()) folders.push(path);
    else if (/[.]t(ar[.])?gz$/.test(entry.name)) {
      const bytes = fs.readFileSync(path);
      for (const name of ["sha512", "sha1"])
        byDigest.set(name + "-" + createHash(name).update(bytes).digest("base64"), path);
    }
  }
const lock = JSON.parse(fs.readFileSync("/code/package-lock.json", "utf8"));
const missing = [];
for (const [path, entry] of Object.entries(lock.packages ?? {})) {
  if (path === "" || entry.link || !path.includes("node_modules/")) continue;
  const tarball = String(entry.integrity ?? "").split(" ").map((digest) => byDigest.get(digest)).find(Boolean);
  if (tarball) entry.resolved = "file:" + tarball;
  else if (!entry.inBundle && !entry.optional) missing.push(path.replace(/^.*node_modules[/]/, "") + "@" + entry.version);
}
if (!lock.packages) {
  console.error("package-lock.json has no packages: write it with npm 7 or newer.");
  process.exit(1);
}
if (missing.length > 0) {
  console.error("Not among the packages of the challenge: " + missing.join(", "));
  process.exit(1);
}
fs.writeFileSync("/out/package-lock.json", JSON.stringify(lock));
fs.copyFileSync("/code/package.json", "/out/package.json");
const { status } = spawnSync("npm", ["ci", "--offline", "--omit=dev", "--no-audit", "--no-fund", "--no-update-notifier", "--cache=/tmp/npm"], { cwd: "/out", stdio: "inherit" });
fs.rmSync("/out/package-lock.json");
fs.rmSync("/out/package.json");
process.exit(status ?? 1);
`;
