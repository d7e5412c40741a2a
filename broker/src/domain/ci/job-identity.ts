import { CrowdaiError } from "@crowdai/shared";
import { z } from "zod";
import type { CiIssuer } from "../../base/ci-issuers.ts";
import { CHANGE_REF } from "./subject.ts";

/** The claims of a verified token about the CI job that requested it. */
export interface JobIdentity {
  issuer: CiIssuer;
  /** The token's `jti`. */
  tokenId: string;
  /** In milliseconds. */
  tokenExpiresAt: number;
  repository: string;
  /** Ids that survive a rename, and that a new repository of the same name does not have. */
  repositoryId: string;
  ownerId: string;
  /** A full ref; `pull_request` or `merge_request` for a job of a proposed change. */
  ref: string;
  environment: string | null;
  /** The job's run at its CI system, for the records. */
  run: string | null;
}

const text = z.string().min(1).max(1000);
const id = z.union([text, z.number().int()]).transform(String);
const claims = { jti: text.max(500), exp: z.number(), sub: text, environment: text.nullish() };
const githubClaims = z.object({
  ...claims,
  repository: text,
  repository_id: id,
  repository_owner_id: id,
  ref: text,
  event_name: text,
  run_id: id.nullish(),
});
const gitlabClaims = z.object({
  ...claims,
  project_path: text,
  project_id: id,
  namespace_id: id,
  ref: text,
  ref_type: text,
  ref_path: text.nullish(),
  pipeline_source: text,
  job_id: id.nullish(),
});

/** Reads the claims of a token that was verified. Throws ci_token_invalid when some are missing. */
export function jobIdentity(issuer: CiIssuer, payload: unknown): JobIdentity {
  return issuer.kind === "github" ? githubJob(issuer, payload) : gitlabJob(issuer, payload);
}

function githubJob(issuer: CiIssuer, payload: unknown): JobIdentity {
  const found = read(githubClaims, payload);
  const { event_name: event } = found;
  // It runs in the context of the base branch, where its ref and subject look like that branch's own.
  if (event === "pull_request_target")
    throw new CrowdaiError("ci_not_trusted", "Jobs of the event pull_request_target are never trusted.", {
      next: "Use the event push or pull_request.",
    });
  const isChange =
    event.startsWith("pull_request") ||
    found.ref.startsWith("refs/pull/") ||
    /:pull_request(:|$)/.test(found.sub);
  return {
    issuer,
    ...common(found),
    repository: found.repository,
    repositoryId: found.repository_id,
    ownerId: found.repository_owner_id,
    ref: isChange ? CHANGE_REF.github : found.ref,
    run: found.run_id ?? null,
  };
}

// A child pipeline does not say whether a merge request started its parent.
const CHANGES = new Set(["merge_request_event", "external_pull_request_event", "parent_pipeline"]);

function gitlabJob(issuer: CiIssuer, payload: unknown): JobIdentity {
  const found = read(gitlabClaims, payload);
  const path = found.ref_path ?? `refs/${found.ref_type === "tag" ? "tags" : "heads"}/${found.ref}`;
  // The ref of a merge request is its source branch, which in a fork may have any name.
  const isChange = CHANGES.has(found.pipeline_source) || !/^refs\/(heads|tags)\//.test(path);
  return {
    issuer,
    ...common(found),
    repository: found.project_path,
    repositoryId: found.project_id,
    ownerId: found.namespace_id,
    ref: isChange ? CHANGE_REF.gitlab : path,
    run: found.job_id ?? null,
  };
}

const common = ({
  jti,
  exp,
  environment,
}: {
  jti: string;
  exp: number;
  environment?: string | null | undefined;
}) => ({
  tokenId: jti,
  tokenExpiresAt: exp * 1000,
  environment: environment ?? null,
});

function read<T>(schema: z.ZodType<T>, payload: unknown): T {
  const found = schema.safeParse(payload);
  if (found.success) return found.data;
  const names = [...new Set(found.error.issues.map(({ path }) => path.join(".")))];
  throw new CrowdaiError("ci_token_invalid", `The token has no usable ${names.join(", ")}.`);
}
