import { CrowdaiError } from "@crowdai/shared";
import { Hono } from "hono";
import { isFinalShown, readFinals } from "../../domain/leaderboard/final-shown.ts";
import type { SubmissionAccess } from "../../domain/rules/visibility.ts";
import { type SelectionNeeds, selectFinal, unfit } from "../../domain/submissions/select-final.ts";
import type { SubmissionRow } from "../../records/tables.ts";
import { seenSubmission } from "./access.ts";
import type { PageContext } from "./page-context.ts";
import { readForm } from "./read-form.ts";
import { foreignForm } from "./same-origin.ts";
import { isFormToken } from "./session/sessions.ts";

/** Returns whether the reader of a submission is offered to select it for the final ranking. */
export async function maySelect(
  { records: { db }, catalog, clock }: SelectionNeeds,
  row: SubmissionRow,
  access: SubmissionAccess,
): Promise<boolean> {
  const config = catalog.all().get(row.challenge)?.config;
  if (access !== "own" || !config || unfit(row) !== null) return false;
  const hasFinals = config.final !== null || (await readFinals(db, row)) > 0;
  return hasFinals && !(await isFinalShown(db, config, row.round, clock()));
}

/** The forms that select submissions for the final ranking of a round. */
export function selectionPages({ context, sessions }: PageContext<SelectionNeeds>): Hono {
  const routes = new Hono();
  for (const verb of ["select", "unselect"] as const)
    routes.post(`/submissions/:id/${verb}`, async (c) => {
      const visit = await sessions.read(c);
      if (!visit.caller) throw new CrowdaiError("no_key");
      const { row, access } = await seenSubmission(context(), visit.caller, c.req.param("id"));
      if (access !== "own")
        throw new CrowdaiError("not_allowed", "Only its participant can select this submission.");
      if (!isFormToken((await readForm(c)).token, visit)) throw foreignForm();
      await selectFinal(context(), visit.caller, row.id, verb === "select");
      return c.redirect(`/submissions/${row.id}`, 303);
    });
  return routes;
}
