import { CrowdaiError } from "@crowdai/shared";
import { type Context, Hono } from "hono";
import { agree, findAgreement, hasAgreed } from "../../domain/agreements/agreements.ts";
import { MIT_DIGEST, MIT_TEXT } from "../../domain/agreements/mit-license.ts";
import { type PublishChoiceNeeds, setPublish } from "../../domain/submissions/set-publish.ts";
import type { HttpNeeds } from "../requests/http-services.ts";
import { requestAddress } from "../requests/request-address.ts";
import { seenSubmission } from "./access.ts";
import { AgreementPage } from "./agreement.tsx";
import { ForkPage, PublishQuestion } from "./code-forms.tsx";
import { localPath } from "./local-path.ts";
import type { PageContext } from "./page-context.ts";
import { readForm } from "./read-form.ts";
import { foreignForm } from "./same-origin.ts";
import { isFormToken, type Visit } from "./session/sessions.ts";
import { readVisibleCode } from "./visible-code.ts";

/** Pages to publish code, withdraw it and fork it, and the agreement that publishing needs. */
export function codePages({
  context,
  sessions,
  renderPage,
  code,
}: PageContext<PublishChoiceNeeds & HttpNeeds<"catalog" | "trustedProxies">>): Hono {
  const routes = new Hono();

  async function own(c: Context, visit: Visit) {
    if (!visit.caller) throw new CrowdaiError("no_key");
    const { row, access } = await seenSubmission(context(), visit.caller, c.req.param("id") ?? "");
    if (access !== "own")
      throw new CrowdaiError("not_allowed", "Only the author can publish or withdraw this code.");
    return { caller: visit.caller, row };
  }

  for (const verb of ["publish", "unpublish"] as const) {
    routes.get(`/submissions/:id/${verb}`, async (c) => {
      const visit = await sessions.read(c);
      const { caller, row } = await own(c, visit);
      const agreed = await hasAgreed(context().records.db, caller);
      const title = verb === "publish" ? "Publish" : "Withdraw";
      return renderPage(
        c,
        visit,
        { title },
        <PublishQuestion id={row.id} verb={verb} visit={visit} agreed={agreed} />,
      );
    });
    routes.post(`/submissions/:id/${verb}`, async (c) => {
      const visit = await sessions.read(c);
      const { caller, row } = await own(c, visit);
      if (!isFormToken((await readForm(c)).token, visit)) throw foreignForm();
      await setPublish(context(), caller, row.id, verb === "publish");
      return c.redirect(`/submissions/${row.id}#code`, 303);
    });
  }

  routes.get("/submissions/:id/fork", async (c) => {
    const visit = await sessions.read(c);
    const seen = await readVisibleCode(code(), visit.caller, c.req.param("id"), null);
    if (!seen)
      throw new CrowdaiError(
        "code_unavailable",
        "You may not read the code of this submission, or it has none.",
        {
          next: visit.caller ? "Ask its author to publish it." : "Sign in to see your own code.",
        },
      );
    return renderPage(
      c,
      visit,
      { title: "Fork" },
      <ForkPage place={seen.place} broker={context().baseUrl()} />,
    );
  });

  routes.get("/agreement/mit", async (c) => {
    const visit = await sessions.read(c);
    return renderPage(
      c,
      visit,
      { title: "MIT agreement" },
      await agreementPage(visit, localPath(c.req.query("next"))),
    );
  });
  routes.post("/agreement/mit", async (c) => {
    const visit = await sessions.read(c);
    if (!visit.caller) throw new CrowdaiError("no_key");
    const form = await readForm(c);
    if (!isFormToken(form.token, visit)) throw foreignForm();
    if (visit.caller.kind !== "participant")
      throw new CrowdaiError("not_allowed", "Only participants publish code and agree to its license.");
    const next = localPath(form.next);
    if (form.agree !== "yes")
      return renderPage(
        c,
        visit,
        { title: "MIT agreement", status: 422 },
        await agreementPage(visit, next, true),
      );
    await agree(context(), visit.caller, {
      digest: typeof form.digest === "string" ? form.digest : "",
      where: "page",
      ip: requestAddress(c, context().trustedProxies),
      userAgent: c.req.header("user-agent"),
    });
    return c.redirect(`/agreement/mit${next === "/" ? "" : `?next=${encodeURIComponent(next)}`}`, 303);
  });

  async function agreementPage(visit: Visit, next: string, forgotten = false) {
    const { caller } = visit;
    const given = caller?.kind === "participant" ? await findAgreement(context().records.db, caller) : null;
    return (
      <AgreementPage
        license={{ text: MIT_TEXT, digest: MIT_DIGEST }}
        agreedAt={given?.agreed_at ?? null}
        visit={visit}
        next={next}
        forgotten={forgotten}
      />
    );
  }
  return routes;
}
