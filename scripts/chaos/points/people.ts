import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { addParticipant } from "../../../broker/src/domain/participants/api-keys.ts";
import {
  confirmDeviceLogin,
  findDeviceLogin,
} from "../../../broker/src/domain/participants/device-logins.ts";
import { createJoinLink } from "../../../broker/src/domain/participants/join-links.ts";
import { openChallenge } from "../../../broker/test/legacy/legacy-challenge.ts";
import { createSubmissionId } from "../../../shared/src/index.ts";
import { githubClaims } from "../../../test/ci-issuer.ts";
import { writeFinalChallenge } from "./challenges.ts";
import { png } from "./image.ts";
import {
  request,
  type Scenario,
  type Stop,
  submissionThat,
  submitValue,
  until,
  type World,
} from "./world.ts";

const ADMIN_KEY = "admin-key-of-the-webapp-api-0123456789";
/**
 * For an older client whose broker has ended. It grows with each try, for a machine on which all takes
 * longer.
 */
const PATIENCE_MS = 5000;
const MAX_PATIENCE_MS = 120_000;
/** Settings of the broker that this work needs. */
export const settingsOf = ({ url }: World["issuer"]) => ({
  ...{ CI_ISSUERS: `github=${url}`, CI_LOOPBACK_ISSUERS: "on", WEBAPP_TOKEN: ADMIN_KEY },
  ...{ WEBHOOK_HOSTS: "127.0.0.1", LEGACY_CLIENTS: "on" },
});

const newPerson = (world: World, { n }: Stop, what: string) =>
  addParticipant(world.records, `${what} ${n}`, new Date().toISOString());
const idOf = async ({ records }: World, name: string) =>
  (
    await records.db
      .selectFrom("participants")
      .select("id")
      .where("name", "=", name)
      .executeTakeFirstOrThrow()
  ).id;

const JOINED: Scenario = {
  steps: ["commit.join-links"],
  async run(world, stop) {
    const key = await newPerson(world, stop, "joining");
    const link = { challenges: ["chaos"], uses: 1, now: new Date(), lifetimeMs: 3_600_000 };
    const { code } = await createJoinLink(world.records, link);
    await request(world, "POST", "/api/v1/join", { key, body: { code } });
  },
};

const DEVICE: Scenario = {
  steps: ["commit.device-logins"],
  once: true,
  async run(world, stop) {
    await newPerson(world, stop, "device");
    const begun = await request(world, "POST", "/api/v1/device-logins", { body: { client: "chaos" } });
    const { device_code, user_code } = begun.body;
    const { db } = world.records;
    const found = await findDeviceLogin(db, user_code, new Date());
    await confirmDeviceLogin(db, found!, { id: await idOf(world, `device ${stop.n}`) });
    // The key is given once: when its answer is lost, one signs in again.
    const { status, body } = await request(world, "POST", "/api/v1/device-logins/key", {
      ...{ body: { device_code }, accepted: [200, 400, 401, 403, 404, 410] },
    });
    if (status === 200) await request(world, "GET", "/api/v1/me", { key: body.key });
    else if (!stop.isAfter) throw new Error(`no key: ${JSON.stringify(body)}`);
  },
};

const PROFILE: Scenario = {
  steps: ["upload.picture", "commit.replace-picture", "commit.clear-profile"],
  async run(world, stop) {
    const key = await newPerson(world, stop, "shown");
    await request(world, "PUT", "/api/v1/profile/picture", { key, bytes: png() });
    const { body } = await request(world, "GET", "/api/v1/profile", { key });
    await request(world, "GET", body.picture);
    await request(world, "DELETE", "/api/v1/profile", { key, accepted: [200, 204] });
    const { body: after } = await request(world, "GET", "/api/v1/profile", { key });
    if (after.picture !== null) throw new Error("the picture is still there");
  },
};

const CI: Scenario = {
  steps: ["commit.add-trust", "commit.ci-sessions", "commit.withdraw-trust"],
  once: true,
  async run(world, stop) {
    const key = await newPerson(world, stop, "tested");
    const repository = `octo/r${stop.n}`;
    const subject = `github:${repository}@main`;
    await request(world, "POST", "/api/v1/ci/trusts", { key, body: { subject } });
    const { url: audience } = JSON.parse(await readFile(join(world.fleet.data, "broker.json"), "utf8"));
    // A token is exchanged once: when the answer is lost, the job requests another one.
    for (let status = 401; status !== 200; ) {
      const token = await world.issuer.sign(audience, githubClaims(repository));
      const exchanged = await request(world, "POST", "/api/v1/ci/token", {
        body: { token },
        accepted: [200, 401],
      });
      status = exchanged.status;
      if (status !== 200 && exchanged.body.error.code !== "ci_token_used")
        throw new Error(JSON.stringify(exchanged.body));
    }
    // When the answer is lost, there is nothing left to withdraw.
    await request(world, "POST", "/api/v1/ci/trusts/withdraw", {
      ...{ key, body: { subject } },
      accepted: stop.isAfter ? [200, 400] : [200],
    });
    const { body } = await request(world, "GET", "/api/v1/ci/trusts", { key });
    if (body.trusts.length > 0) throw new Error("the trust is still there");
  },
};

/** The number of submissions that may be selected changes, and a submission is selected. */
const FINALS: Scenario = {
  steps: ["commit.reveal-finals", "commit.select-final"],
  async run(world, stop) {
    const key = await newPerson(world, stop, "final");
    const id = createSubmissionId();
    await submitValue(world, key, { id, challenge: "final", data: { score: 1, final: 0.5 } });
    await submissionThat(world, key, id, ({ state }) => state === "graded");
    await request(world, "POST", `/api/v1/submissions/${id}/select`, { key, body: {} });
    if (stop.step !== "commit.reveal-finals") return;
    const select = 3 + stop.n;
    await writeFinalChallenge(world.challenges, (select % 17) + 2);
    await until(world, async () => {
      const row = await world.records.db
        .selectFrom("board_rounds")
        .select("finals")
        .where("challenge", "=", "final")
        .executeTakeFirst();
      return row?.finals === (select % 17) + 2;
    });
  },
};

/** An external grader writes a grade, and changes it. */
const WEBAPP_API: Scenario = {
  steps: ["commit.create-submission", "commit.update-submission"],
  async run(world, stop) {
    const key = await newPerson(world, stop, "outside");
    const query = new URLSearchParams({
      ...{ api_key: key, challenge_client_name: "chaos", grading_status: "submitted" },
    });
    const made = await request(world, "POST", `/api/external_graders?${query}`, {
      ...{ token: ADMIN_KEY, accepted: [202] },
    });
    const path = `/api/external_graders/${made.body.submission_id}`;
    const graded = new URLSearchParams({ grading_status: "graded", score: "0.25" });
    await request(world, "PATCH", `${path}?${graded}`, { token: ADMIN_KEY, accepted: [200, 202] });
    // This interface knows no repetition: each answer that was lost leaves a submission that is never graded.
    const rows = await world.records.db
      .selectFrom("submissions")
      .select(["number", "state", "score"])
      .where("participant_id", "=", await idOf(world, `outside ${stop.n}`))
      .execute();
    const mine = rows.filter(({ number }) => number === made.body.submission_id);
    const others = rows.filter(({ number }) => number !== made.body.submission_id);
    if (mine[0]?.score !== 0.25 || others.some(({ state }) => state !== "submitted"))
      throw new Error(`after the grade, the records have ${JSON.stringify(rows)}`);
  },
};

/**
 * A client of the first release uploads a file and has it graded. It knows no repetition: what a stopped
 * broker left is cancelled.
 */
const OLDER_CLIENT: Scenario = {
  steps: ["upload.older-client", "upload.sent-input"],
  async run(world, stop) {
    const key = await newPerson(world, stop, "older");
    let patienceMs = PATIENCE_MS;
    await until(world, async () => {
      const client = await openChallenge(world.url, key, "large").catch(() => null);
      if (!client) return false;
      const graded = client.submit("{}").then(
        ({ answer }) => answer.length > 0,
        () => false,
      );
      patienceMs = Math.min(patienceMs * 1.5, MAX_PATIENCE_MS);
      return Promise.race([graded, sleep(patienceMs, false)]).finally(() => client.connection.close());
    });
    const { body } = await request(world, "GET", "/api/v1/challenges/large/submissions?participant=me", {
      key,
    });
    for (const { id, state } of body.submissions)
      if (state === "initiated")
        await request(world, "POST", `/api/v1/submissions/${id}/cancel`, { key, body: {} });
  },
};

export const ABOUT_PEOPLE: readonly Scenario[] = [
  ...[JOINED, DEVICE, PROFILE, CI, FINALS, WEBAPP_API, OLDER_CLIENT],
];
