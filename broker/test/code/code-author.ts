import type { Submission } from "@crowdai/shared";
import { agree } from "../../src/domain/agreements/agreements.ts";
import { MIT_DIGEST } from "../../src/domain/agreements/mit-license.ts";
import type { TestBroker } from "../support/test-broker.ts";
import { until } from "../support/until.ts";
import { type PlainGit, submitWithCode } from "./plain-git.ts";

/** Actions of a participant before a challenge closes. */
export interface Author {
  key: string;
  /** Submits the files, pushes them, and waits until their commit is made. Returns the id. */
  handIn(files: Record<string, string>, options?: { score?: number }): Promise<string>;
  post(path: string): Promise<{ status: number; body: Partial<Submission> }>;
  view(id: string): Promise<Submission>;
}

export function author(broker: TestBroker, git: PlainGit, key = broker.key, challenge = "test"): Author {
  const view = async (id: string) =>
    (await (await broker.fetch(`/api/v1/submissions/${id}`, { key })).json()) as Submission;
  return {
    key,
    view,
    async handIn(files, { score = 0.5 } = {}) {
      const snapshot = await git.snapshot(files);
      const { submission, code } = await submitWithCode(broker, snapshot, {
        key,
        challenge,
        data: { score },
      });
      await git.must(["push", "-q", code!.url, `${snapshot.commit}:${code!.ref}`], { key });
      await until(async () => (await view(submission.id)).code?.tag);
      return submission.id;
    },
    async post(path) {
      const answer = await broker.fetch(path, { key, method: "POST", body: {} });
      return { status: answer.status, body: (await answer.json()) as Submission };
    },
  };
}

/** Records an agreement as if the participant had agreed in a terminal. */
export async function agreed(broker: TestBroker, participantId = 1): Promise<void> {
  const given = { digest: MIT_DIGEST, where: "terminal" as const, ip: "127.0.0.1", userAgent: "test" };
  await agree({ records: broker.records, clock: () => new Date() }, { id: participantId }, given);
}
