import { existsSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { disqualify } from "../../../broker/src/domain/eligibility/disqualify.ts";
import { addOrganizer, addParticipant } from "../../../broker/src/domain/participants/api-keys.ts";
import { createSubmissionId } from "../../../shared/src/index.ts";
import { writeIdleChallenge } from "./challenges.ts";
import {
  command,
  request,
  type Scenario,
  type Stop,
  submissionThat,
  submitValue,
  type World,
} from "./world.ts";

/** A command whose one commit is done entirely or not at all. */
interface OneCommit {
  step: string;
  /** Makes the records ready for it. */
  prepare?(world: World, name: string, stop: Stop): Promise<unknown>;
  args(name: string, world: World): string[] | Promise<string[]>;
  /** Whether the records have it. */
  isDone(world: World, name: string): Promise<boolean>;
}

const now = () => new Date().toISOString();
const REASON = ["--reason", "a test"];

const activeKeys = async ({ records: { db } }: World, name: string): Promise<string[]> => {
  const rows = await db
    .selectFrom("api_keys")
    .innerJoin("participants", "participants.id", "api_keys.owner_id")
    .select("hash")
    .where("owner", "=", "participant")
    .where("participants.name", "=", name)
    .where("revoked_at", "is", null)
    .execute();
  return rows.map(({ hash }) => hash);
};
const decisions = async ({ records: { db } }: World, name: string): Promise<string[]> => {
  const rows = await db
    .selectFrom("disqualifications")
    .innerJoin("participants", "participants.id", "disqualifications.participant_id")
    .select("decision")
    .where("participants.name", "=", name)
    .execute();
  return rows.map(({ decision }) => decision);
};
const person = ({ records }: World, name: string) => addParticipant(records, name, now());
const keysBefore = new Map<string, string[]>();
/** Ids of submissions by the names of stops. */
const submitted = new Map<string, string>();

const ONE_COMMIT: readonly OneCommit[] = [
  {
    step: "commit.add-participant",
    args: (name) => ["participant", "add", name],
    isDone: async (world, name) => (await activeKeys(world, name)).length === 1,
  },
  {
    step: "commit.add-people",
    async args(name, { folder }) {
      const path = join(folder, "inputs", `${name}.csv`);
      await writeFile(path, `name\n${name}\n${name} too\n`);
      return ["participant", "add", "--from", path];
    },
    async isDone(world, name) {
      const [one, other] = await Promise.all([name, `${name} too`].map((each) => activeKeys(world, each)));
      if (one!.length !== other!.length) throw new Error("one of two participants was added");
      return one!.length === 1;
    },
  },
  {
    step: "commit.replace-keys",
    async prepare(world, name) {
      await person(world, name);
      keysBefore.set(name, await activeKeys(world, name));
    },
    args: (name) => ["participant", "key", name],
    async isDone(world, name) {
      const keys = await activeKeys(world, name);
      if (keys.length !== 1) throw new Error(`${keys.length} keys are active`);
      return keys[0] !== keysBefore.get(name)![0];
    },
  },
  {
    step: "commit.revoke-keys",
    prepare: person,
    args: (name) => ["participant", "revoke", name],
    isDone: async (world, name) => (await activeKeys(world, name)).length === 0,
  },
  {
    step: "commit.disqualify",
    prepare: person,
    args: (name) => ["participant", "disqualify", name, ...REASON],
    isDone: async (world, name) => (await decisions(world, name)).length === 1,
  },
  {
    step: "commit.reinstate",
    async prepare(world, name) {
      await person(world, name);
      await disqualify(world.records, { name, challenge: null, reason: "a test", now: now() });
    },
    args: (name) => ["participant", "reinstate", name],
    isDone: async (world, name) => (await decisions(world, name)).length === 2,
  },
  {
    step: "commit.remove-profile",
    async prepare(world, name) {
      const key = await person(world, name);
      await request(world, "PATCH", "/api/v1/profile", { key, body: { affiliation: "A school" } });
    },
    args: (name) => ["participant", "clear-profile", name, ...REASON],
    async isDone({ records: { db } }, name) {
      const row = await db
        .selectFrom("profiles")
        .innerJoin("participants", "participants.id", "profiles.participant_id")
        .select("affiliation")
        .where("participants.name", "=", name)
        .executeTakeFirst();
      return (row?.affiliation ?? null) === null;
    },
  },
  {
    step: "commit.add-organizer",
    args: (name) => ["organizer", "add", name, "--challenges", "chaos"],
    isDone: async (world, name) => (await challengesOf(world, name)).length === 1,
  },
  {
    step: "commit.set-challenges",
    prepare: ({ records }, name) => addOrganizer(records, name, ["chaos"], now()),
    args: (name) => ["organizer", "set", name, "--challenges", "large,media"],
    async isDone(world, name) {
      const challenges = await challengesOf(world, name);
      if (!["chaos", "large media"].includes(challenges.join(" "))) throw new Error(`${challenges}`);
      return challenges.length === 2;
    },
  },
  {
    step: "commit.mark-baseline",
    async prepare(world, name, { n }) {
      const [id, key] = [createSubmissionId(), world.keys[n % world.keys.length]!];
      submitted.set(name, id);
      await submitValue(world, key, { id, challenge: "large", data: { score: 1 } });
      await submissionThat(world, key, id, ({ state }) => state === "graded");
    },
    args: (name) => ["submission", "baseline", submitted.get(name)!],
    async isDone({ records: { db } }, name) {
      const id = submitted.get(name)!;
      const row = await db
        .selectFrom("submissions")
        .select("baseline")
        .where("id", "=", id)
        .executeTakeFirstOrThrow();
      return row.baseline === 1;
    },
  },
  {
    step: "commit.close-challenge",
    prepare: ({ challenges }, name) => writeIdleChallenge(challenges, name),
    args: (name, { challenges }) => [
      ...["challenge", "close", name, "--force", "--no-wait", "--challenges", challenges],
    ],
    async isDone({ records: { db }, challenges }, name) {
      const row = await db
        .selectFrom("closures")
        .select("closed_at")
        .where("challenge", "=", name)
        .executeTakeFirst();
      // A broker with hundreds of challenges would start slowly.
      await rm(join(challenges, name), { recursive: true });
      return row !== undefined;
    },
  },
];

const challengesOf = async ({ records: { db } }: World, name: string): Promise<string[]> => {
  const rows = await db
    .selectFrom("organizer_challenges")
    .innerJoin("organizers", "organizers.id", "organizer_challenges.organizer_id")
    .select("challenge")
    .where("organizers.name", "=", name)
    .orderBy("challenge")
    .execute();
  return rows.map(({ challenge }) => challenge);
};

const oneCommit = ({ step, prepare, args, isDone }: OneCommit): Scenario => ({
  steps: [step],
  byCommand: true,
  async run(world, stop) {
    const name = `by-command-${stop.n}`;
    await prepare?.(world, name, stop);
    const { code, stderr } = await command(world, await args(name, world));
    if (code !== null) throw new Error(`the command ended with ${code}: ${stderr}`);
    const isDone_ = await isDone(world, name);
    if (isDone_ !== stop.isAfter) throw new Error(isDone_ ? "it was done already" : "it was not done");
  },
});

/** A challenge is added to a new broker's store; again after the command has ended. */
const ADDED: Scenario = {
  steps: ["upload.bundle", "upload.marker", "commit.add-bundle"],
  byCommand: true,
  once: true,
  async run(world, { n }) {
    const data = join(world.folder, `added-${n}`);
    const add = () => command(world, ["challenge", "add", join(world.challenges, "large")], data);
    const first = await add();
    if (first.code !== null) throw new Error(`the command ended with ${first.code}: ${first.stderr}`);
    const again = await add();
    const listed = await command(world, ["challenge", "list"], data);
    if (again.code !== 0 || !listed.stdout.includes("large")) throw new Error(again.stderr + listed.stdout);
    await rm(data, { recursive: true });
  },
};

/** A backup is restored; what a command that ended has left is removed first, as its error says. */
const RESTORED: Scenario = {
  steps: ["upload.restored"],
  byCommand: true,
  once: true,
  async run(world, { n }) {
    const backup = join(world.folder, "backup");
    if (!existsSync(backup)) {
      const made = await command(world, ["backup", backup]);
      if (made.code !== 0) throw new Error(made.stderr);
    }
    const data = join(world.folder, `restored-${n}`);
    const first = await command(world, ["restore", backup], data);
    if (first.code !== null) throw new Error(`the command ended with ${first.code}: ${first.stderr}`);
    await rm(data, { recursive: true, force: true });
    const again = await command(world, ["restore", backup], data);
    if (again.code !== 0) throw new Error(again.stderr);
    await rm(data, { recursive: true });
  },
};

export const BY_COMMAND: readonly Scenario[] = [...ONE_COMMIT.map(oneCommit), ADDED, RESTORED];
