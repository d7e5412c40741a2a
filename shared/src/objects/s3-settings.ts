import { z } from "zod";
import { CrowdaiError } from "../protocol/errors.ts";

/** Where the objects are, and how they are reached. */
export interface S3Settings {
  bucket: string;
  region: string;
  /** Absent means Amazon's own. */
  endpoint?: string | undefined;
  /** Absent means what the machine's role or profile gives. */
  accessKeyId?: string | undefined;
  secretAccessKey?: string | undefined;
  sessionToken?: string | undefined;
  /** The bucket in the path instead of in the host's name. Default: where the endpoint has no name that could be extended. */
  pathStyle?: boolean | undefined;
}

const truth = z.enum(["true", "false", "1", "0"]).transform((text) => text === "true" || text === "1");

/** The variables that name an object store on S3. */
export const s3EnvironmentSchema = z
  .object({
    S3_ENDPOINT: z.url({ protocol: /^https?$/, error: "expected http://host or https://host" }).optional(),
    S3_BUCKET: z
      .string()
      .regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, "expected 3 to 63 lower-case letters, digits, . or -")
      .optional(),
    S3_REGION: z.string().min(1).optional(),
    S3_FORCE_PATH_STYLE: truth.optional(),
    AWS_ACCESS_KEY_ID: z.string().min(1).optional(),
    AWS_SECRET_ACCESS_KEY: z.string().min(1).optional(),
    AWS_SESSION_TOKEN: z.string().min(1).optional(),
  })
  .refine((env) => env.S3_BUCKET !== undefined || env.S3_ENDPOINT === undefined, {
    path: ["S3_BUCKET"],
    error: "S3_ENDPOINT is set and the bucket is not named",
  })
  // Without a bucket the keys are somebody else's business.
  .refine(
    (env) =>
      !env.S3_BUCKET || (env.AWS_ACCESS_KEY_ID === undefined) === (env.AWS_SECRET_ACCESS_KEY === undefined),
    { path: ["AWS_ACCESS_KEY_ID"], error: "it goes together with AWS_SECRET_ACCESS_KEY" },
  );

/** The store that the environment names; null when it names none. */
export function s3SettingsOf(env: z.infer<typeof s3EnvironmentSchema>): S3Settings | null {
  if (env.S3_BUCKET === undefined) return null;
  return {
    bucket: env.S3_BUCKET,
    region: env.S3_REGION ?? "us-east-1",
    endpoint: env.S3_ENDPOINT,
    accessKeyId: env.AWS_ACCESS_KEY_ID,
    secretAccessKey: env.AWS_SECRET_ACCESS_KEY,
    sessionToken: env.AWS_SESSION_TOKEN,
    pathStyle: env.S3_FORCE_PATH_STYLE,
  };
}

/** The same, from the environment as it is. Throws config_invalid with every mistake at once. */
export function readS3Settings(env: Readonly<Record<string, string | undefined>>): S3Settings | null {
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ""));
  const known = s3EnvironmentSchema.safeParse(given);
  if (known.success) return s3SettingsOf(known.data);
  const mistakes = known.error.issues.map((issue) => `  ${issue.path.join(".")}: ${issue.message}`);
  throw new CrowdaiError("config_invalid", `The settings have mistakes:\n${mistakes.join("\n")}`);
}

/** A host that is an address, or this machine, has no names below it. */
export function needsPathStyle({ endpoint, pathStyle }: S3Settings): boolean {
  if (pathStyle !== undefined) return pathStyle;
  if (endpoint === undefined) return false;
  const { hostname } = new URL(endpoint);
  return hostname === "localhost" || hostname.startsWith("[") || /^\d+(\.\d+){3}$/.test(hostname);
}
