import { z } from "zod";
import { CrowdaiError } from "../protocol/errors.ts";

/** The location of an S3 bucket and its credentials. */
export interface S3Settings {
  bucket: string;
  region: string;
  /** Amazon S3 when absent. */
  endpoint?: string | undefined;
  /** The role or profile of the machine when absent. */
  accessKeyId?: string | undefined;
  secretAccessKey?: string | undefined;
  sessionToken?: string | undefined;
  /**
   * Whether the bucket is in the path instead of the host name. By default when the endpoint's host cannot
   * have subdomains.
   */
  pathStyle?: boolean | undefined;
}

const truth = z.enum(["true", "false", "1", "0"]).transform((text) => text === "true" || text === "1");

/** The environment variables of an S3 object store. */
export const s3EnvironmentSchema = z
  .object({
    S3_ENDPOINT: z.url({ protocol: /^https?$/, error: "expected http://host or https://host" }).optional(),
    S3_BUCKET: z
      .string()
      .regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, "expected 3 to 63 lowercase letters, digits, . or -")
      .optional(),
    S3_REGION: z.string().min(1).optional(),
    S3_FORCE_PATH_STYLE: truth.optional(),
    AWS_ACCESS_KEY_ID: z.string().min(1).optional(),
    AWS_SECRET_ACCESS_KEY: z.string().min(1).optional(),
    AWS_SESSION_TOKEN: z.string().min(1).optional(),
  })
  .refine((env) => env.S3_BUCKET !== undefined || env.S3_ENDPOINT === undefined, {
    path: ["S3_BUCKET"],
    error: "required when S3_ENDPOINT is set",
  })
  // Without a bucket, the AWS keys may belong to another program.
  .refine(
    (env) =>
      !env.S3_BUCKET || (env.AWS_ACCESS_KEY_ID === undefined) === (env.AWS_SECRET_ACCESS_KEY === undefined),
    { path: ["AWS_ACCESS_KEY_ID"], error: "must be set together with AWS_SECRET_ACCESS_KEY" },
  );

/** Returns the settings in a parsed environment; null when it names no bucket. */
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

/** Reads the settings from the environment. Throws config_invalid with all errors at once. */
export function readS3Settings(env: Readonly<Record<string, string | undefined>>): S3Settings | null {
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ""));
  const known = s3EnvironmentSchema.safeParse(given);
  if (known.success) return s3SettingsOf(known.data);
  const problems = known.error.issues.map((issue) => `  ${issue.path.join(".")}: ${issue.message}`);
  throw new CrowdaiError("config_invalid", `The settings are invalid:\n${problems.join("\n")}`);
}

/** An IP address or localhost cannot have a subdomain for the bucket. */
export function needsPathStyle({ endpoint, pathStyle }: S3Settings): boolean {
  if (pathStyle !== undefined) return pathStyle;
  if (endpoint === undefined) return false;
  const { hostname } = new URL(endpoint);
  return hostname === "localhost" || hostname.startsWith("[") || /^\d+(\.\d+){3}$/.test(hostname);
}
