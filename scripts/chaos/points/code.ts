import { addParticipant } from "../../../broker/src/domain/participants/api-keys.ts";
import type { Snapshot } from "../../../broker/test/code/plain-git.ts";
import { createSubmissionId } from "../../../shared/src/index.ts";
import {
  request,
  type Scenario,
  type Stop,
  submissionThat,
  submitValue,
  until,
  type World,
} from "./world.ts";

/** Where submissions that were chosen are public at once. */
export const CLOSED = "closed";

/** Submits code and pushes it until it is there. Resolves with the id, once its commit is made. */
async function handIn(world: World, key: string, challenge: string, text: string): Promise<string> {
  const id = createSubmissionId();
  const code: Snapshot = await world.git.snapshot({ "model.py": `# ${text}\n` });
  const submit = () => submitValue(world, key, { id, challenge, data: { score: 1 }, code });
  // Sent twice, as after a lost answer.
  await submit();
  await until(world, async () => {
    const { body } = await submit();
    if (body.code.have) return true;
    const pushed = await world.git.run(["push", "-q", body.code.url, `${code.commit}:${body.code.ref}`], {
      key,
    });
    return pushed.code === 0;
  });
  await submissionThat(world, key, id, (submission) => submission.code?.tag);
  return id;
}

const personOf = (world: World, { n }: Stop) =>
  addParticipant(world.records, `author ${n}`, new Date().toISOString());

/** Every submission has one commit, in the order of the submissions. */
const PUSHED: Scenario = {
  steps: [
    "upload.tree",
    "commit.record-stored-code",
    "commit.finalize-code",
    "commit.repeated",
    "refs.received",
  ],
  async run(world, stop) {
    const key = await personOf(world, stop);
    const id = await handIn(world, key, "coded", `${stop.n}`);
    const url = `${world.url}/code/coded/author-${stop.n}.git`;
    const tags = await until(world, async () => {
      const { code, stdout } = await world.git.run(["ls-remote", url], { key });
      return code === 0 && stdout;
    });
    const commits = new Set(tags.split("\n").map((line) => line.split("\t")[0]));
    if (!tags.includes(`refs/tags/submission-${id}`) || commits.size !== 1)
      throw new Error(`${id}: its repository has ${tags}`);
  },
};

/** The code of a closed challenge becomes public as soon as its author chooses so. */
const PUBLISHED: Scenario = {
  steps: [
    "commit.set-publish",
    "commit.publish-due",
    "commit.challenge-repository",
    "refs.public",
    "refs.challenge",
    "commit.agreements",
  ],
  async run(world, stop) {
    const key = await personOf(world, stop);
    const license = await request(world, "GET", "/api/v1/agreements/mit", { key });
    await request(world, "POST", "/api/v1/agreements/mit", {
      key,
      body: { digest: license.body.digest, where: "terminal" },
    });
    const id = await handIn(world, key, CLOSED, `${stop.n}`);
    await request(world, "POST", `/api/v1/submissions/${id}/publish`, { key, body: {} });
    await submissionThat(world, key, id, ({ published_at }) => published_at);
    for (const path of [`${CLOSED}/author-${stop.n}`, CLOSED])
      await until(world, async () => {
        const { code, stdout } = await world.git.run(["ls-remote", `${world.url}/code/${path}.git`]);
        return code === 0 && stdout.includes("refs/heads/main");
      });
  },
};

export const ABOUT_CODE: readonly Scenario[] = [PUSHED, PUBLISHED];
