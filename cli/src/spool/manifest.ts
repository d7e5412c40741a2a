import { CrowdaiError, MAX_MODELS, SUBMISSION_ID } from "@crowdai/shared";
import { z } from "zod";

/** The version of the format that docs/offline.md describes. */
export const SPOOL_VERSION = 1;
/** The folder of `submit --spool` and `sync` where none is named. */
export const DEFAULT_SPOOL = "crowdai-spool";
export const MANIFEST = "manifest.json";
/** Digests of all files of an entry, as sha256sum writes and checks them. */
export const SEAL = "seal.sha256";

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const objectName = z.string().regex(/^([0-9a-f]{40}|[0-9a-f]{64})$/);
/** Entries are flat, and no manifest chooses a path: these are all the names there are. */
const file = z.object({
  file: z.string().regex(/^(input|value\.json|code\.bundle|model-\d{1,3})$/, "the name of a sealed file"),
  size: z.int().min(1),
  sha256,
});
export type SealedFile = z.infer<typeof file>;

const manifestSchema = z.object({
  crowdai_spool: z.literal(SPOOL_VERSION),
  id: z.string().regex(SUBMISSION_ID),
  broker: z.string().nullable(),
  challenge: z.string().min(1).max(100),
  round: z.string().max(100).nullable(),
  message: z.string().max(10_000).nullable(),
  publish: z.boolean(),
  sealed_at: z.iso.datetime({ offset: true }),
  client: z.string().max(200),
  input: z
    .discriminatedUnion("from", [
      z.object({ from: z.literal("file"), name: z.string().min(1).max(255), ...file.shape }),
      z.object({ from: z.literal("stdin"), ...file.shape }),
      z.object({ from: z.literal("json"), ...file.shape }),
    ])
    .nullable(),
  code: z
    .object({
      ...file.shape,
      commit: objectName,
      tree: objectName,
      files: z.int().min(0).max(10_000_000),
      bytes: z.int().min(0),
      command: z.array(z.string().min(1)).nullable(),
      because: z.enum(["asked", "config", "required"]),
    })
    .nullable(),
  models: z.array(z.object({ name: z.string().min(1).max(255), ...file.shape })).max(MAX_MODELS),
});
/** The content of manifest.json. */
export type Manifest = z.infer<typeof manifestSchema>;

/** Returns the sealed files of an entry, without the manifest and the seal. */
export function sealedFiles({ input, code, models }: Manifest): SealedFile[] {
  return [...(input ? [input] : []), ...(code ? [code] : []), ...models];
}

/** Reads a manifest. Throws spool_version for another version of the format, and spool_damaged. */
export function parseManifest(entry: string, text: string): Manifest {
  let raw: unknown;
  try {
    raw = JSON.parse(text);
  } catch (cause) {
    throw damaged(entry, `${MANIFEST} is not JSON`, { cause });
  }
  const { crowdai_spool: version, client } = (raw ?? {}) as Record<string, unknown>;
  if (typeof version === "number" && version !== SPOOL_VERSION) {
    const by = typeof client === "string" ? client.split(" ")[0]!.replace("/", " ").slice(0, 100) : null;
    throw new CrowdaiError(
      "spool_version",
      `${entry} has version ${version} of the spool format; this client reads version ${SPOOL_VERSION}.`,
      {
        next: by ? `It was sealed by ${by}: sync it with that version or a newer one.` : undefined,
        details: { entry, version, client: by },
      },
    );
  }
  const read = manifestSchema.safeParse(raw);
  if (read.success) return read.data;
  const { path, message } = read.error.issues[0]!;
  throw damaged(entry, `${MANIFEST} is invalid at ${path.join(".") || "the top level"}: ${message}`);
}

/** The error for an entry that is not as it was sealed. */
export function damaged(
  entry: string,
  problem: string,
  options: { file?: string; cause?: unknown } = {},
): CrowdaiError {
  const { file: name, cause } = options;
  return new CrowdaiError("spool_damaged", `${entry} is not as it was sealed: ${problem}.`, {
    details: { entry, ...(name === undefined ? {} : { file: name }) },
    cause,
  });
}
