import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CrowdaiError } from "@crowdai/shared";
import { locate } from "../client/http/broker-address.ts";
import { cleanGit, GitFailure } from "../git/clean-git.ts";
import { proxyFor } from "../network/proxy-for.ts";
import type { Io } from "../terminal/io.ts";
import type { CheckOutcome } from "./check-result.ts";

const TIMEOUT_MS = 10_000;
/** Git's words for an answer of the broker: it wants a key, or has no such repository. */
const ANSWERED =
  /could not read Username|Authentication failed|repository '[^']*' not found|returned error: 40[13459]/;

/** Describes the proxy for the broker. */
export function checkProxy({ env }: Io, broker: URL): CheckOutcome {
  const named = proxyFor(broker, env);
  if (!named) return { status: "skipped", message: "none for the broker" };
  const { variable, address } = named;
  if (address === null)
    return {
      status: "warning",
      message: `${variable} is not an HTTP proxy; the client and git connect without one`,
    };
  const shown = address.replace(/\/\/[^@]*@/, "//…@");
  return { status: "ok", message: `${shown} (from ${variable}), for requests and git` };
}

/** Checks whether git reaches the broker, which sends the code of submissions. Throws broker_unreachable. */
export async function checkGitConnection({ env, cwd, signal }: Io, broker: URL): Promise<CheckOutcome> {
  const scratch = await mkdtemp(join(tmpdir(), "crowdai-doctor-"));
  try {
    const git = cleanGit(scratch, cwd, env);
    const url = locate(broker, "/code/doctor/doctor.git");
    const network = git.network(url, scratch);
    const settings = network.settings.flatMap(([name, value]) => ["-c", `${name}=${value}`]);
    await git.run([...settings, "ls-remote", url.href], {
      env: network.env,
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
    });
  } catch (failure) {
    if (failure instanceof CrowdaiError && failure.code === "git_missing")
      return { status: "skipped", message: "git was not found" };
    const answered = failure instanceof GitFailure && ANSWERED.test(failure.stderr);
    if (!answered) throw unreachable(failure);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
  return { status: "ok", message: "git reaches the broker" };
}

function unreachable(failure: unknown): CrowdaiError {
  const text = failure instanceof GitFailure ? failure.stderr : `no answer within ${TIMEOUT_MS / 1000} s`;
  const reason = /^(?:fatal|error): (.+)$/m.exec(text)?.[1] ?? text.trim();
  return new CrowdaiError("broker_unreachable", `git cannot reach the broker: ${reason}`, {
    next: "Files and values can be submitted, but not their code. Check the proxy and NODE_EXTRA_CA_CERTS.",
    cause: failure,
  });
}
