import { agree } from "../../../broker/src/domain/agreements/agreements.ts";
import { MIT_DIGEST } from "../../../broker/src/domain/agreements/mit-license.ts";
import { addParticipant } from "../../../broker/src/domain/participants/api-keys.ts";
import { closeChallenge } from "../../../broker/src/domain/publishing/close-challenge.ts";
import type { Snapshot } from "../../../broker/test/code/plain-git.ts";
import { createSubmissionId } from "../../../shared/src/index.ts";
import { writeIdleChallenge } from "./challenges.ts";
import {
  request,
  type Scenario,
  type Stop,
  submissionThat,
  submitValue,
  until,
  untilOffered,
  type World,
} from "./world.ts";

/** Submissions with code to a challenge before it is closed. */
const TOGETHER = 10;

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
  addParticipant(world.records, `author-${n}`, new Date().toISOString());

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

/** Code in a closed challenge that its author has not chosen yet. */
interface Handed {
  id: string;
  key: string;
  /** `<challenge>/<author>` in addresses. */
  path: string;
}

const pools = new WeakMap<World, { handed: Handed[]; filling: Promise<unknown> }>();

/** Returns code of a closed challenge, of which it submits several at a time. */
async function takeHanded(world: World, { n }: Stop): Promise<Handed> {
  const pool = pools.get(world) ?? { handed: [], filling: Promise.resolve() };
  pools.set(world, pool);
  const mine = pool.filling.then(async () => {
    if (pool.handed.length === 0) pool.handed = await fill();
    return pool.handed.pop()!;
  });
  pool.filling = mine.catch(() => {});
  return mine;

  async function fill(): Promise<Handed[]> {
    const { records } = world;
    const challenge = `closed-${n}`;
    await writeIdleChallenge(world.challenges, challenge);
    await untilOffered(world, challenge);
    const all = await Promise.all(
      Array.from({ length: TOGETHER }, async (_, index) => {
        const name = `author-${n}-${index}`;
        const key = await addParticipant(records, name, new Date().toISOString());
        const { id } = await records.db
          .selectFrom("participants")
          .select("id")
          .where("name", "=", name)
          .executeTakeFirstOrThrow();
        const given = { digest: MIT_DIGEST, where: "terminal" as const, ip: "127.0.0.1", userAgent: "test" };
        await agree({ records, clock: () => new Date() }, { id }, given);
        const handed = await handIn(world, key, challenge, name);
        return { id: handed, key, path: `${challenge}/author-${n}-${index}` };
      }),
    );
    await closeChallenge(records, null, challenge, { force: true, now: new Date() });
    return all;
  }
}

/** The code of a closed challenge becomes public as soon as its author chooses so. */
const PUBLISHED: Scenario = {
  steps: [
    ...["commit.set-publish", "commit.publish-due", "commit.challenge-repository"],
    ...["refs.public", "refs.challenge"],
  ],
  async run(world, stop) {
    const { id, key, path } = await takeHanded(world, stop);
    await request(world, "POST", `/api/v1/submissions/${id}/publish`, { key, body: {} });
    await submissionThat(world, key, id, ({ published_at }) => published_at);
    const challenge = path.slice(0, path.indexOf("/"));
    for (const [each, wanted] of [
      [path, `refs/tags/submission-${id}`],
      [challenge, "refs/heads/main"],
    ] as const)
      await until(world, async () => {
        const { code, stdout } = await world.git.run(["ls-remote", `${world.url}/code/${each}.git`]);
        return code === 0 && stdout.includes(wanted);
      });
  },
};

const AGREED: Scenario = {
  steps: ["commit.agreements"],
  async run(world, stop) {
    const key = await personOf(world, stop);
    const license = await request(world, "GET", "/api/v1/agreements/mit", { key });
    const body = { digest: license.body.digest, where: "terminal" };
    await request(world, "POST", "/api/v1/agreements/mit", { key, body });
    const { body: after } = await request(world, "GET", "/api/v1/agreements/mit", { key });
    if (after.agreement === null) throw new Error("the agreement is not there");
  },
};

export const ABOUT_CODE: readonly Scenario[] = [PUSHED, PUBLISHED, AGREED];
