import { spawn } from "node:child_process";
import { CrowdaiError } from "@crowdai/shared";

/** Settings of a connection that pg_dump and pg_restore understand, too. */
const UNDERSTOOD = ["sslmode", "sslrootcert", "sslcert", "sslkey", "host", "application_name", "options"];

/** Writes the database to a file, as of one moment. */
export const dumpPostgres = (url: string, file: string, path: string): Promise<void> =>
  run("pg_dump", ["--format=custom", "--no-owner", "--no-privileges", `--file=${file}`], url, path);

/** Restores the file into an empty database: all of it or, after an error, nothing. */
export const restorePostgres = (url: string, file: string, path: string): Promise<void> =>
  run(
    "pg_restore",
    ["--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges", file],
    url,
    path,
  );

async function run(program: string, args: readonly string[], url: string, path: string): Promise<void> {
  const { address, password } = connection(url);
  // Other users of this machine can read a command line.
  const env = { PATH: path, ...(password === null ? {} : { PGPASSWORD: password }) };
  // PostgreSQL's programs look for certificates and .pgpass there.
  const home = process.env.HOME ? { HOME: process.env.HOME } : {};
  const child = spawn(program, [...args, "--no-password", `--dbname=${address}`], {
    env: { ...home, ...env },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let said = "";
  child.stderr.on("data", (chunk) => {
    said = (said + chunk).slice(-4000);
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "ENOENT") return reject(error);
      reject(
        new CrowdaiError("usage", `${program} is not installed on this machine.`, {
          next: "Install the client programs of PostgreSQL, at least as new as the server.",
        }),
      );
    });
    child.once("close", resolve);
  });
  if (code === 0) return;
  throw new CrowdaiError("usage", `${program} failed: ${said.trim() || `exit code ${code}`}`, {
    next: "Correct what it names, then try again.",
  });
}

/** Splits DATABASE_URL into an address without a password and the password. */
export function connection(url: string): { address: string; password: string | null } {
  const parsed = new URL(url);
  const password = parsed.searchParams.get("password") ?? decodeURIComponent(parsed.password);
  parsed.password = "";
  for (const name of [...parsed.searchParams.keys()])
    if (!UNDERSTOOD.includes(name)) parsed.searchParams.delete(name);
  return { address: parsed.href, password: password === "" ? null : password };
}
