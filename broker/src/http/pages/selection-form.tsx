import type { Submission } from "@crowdai/shared";
import { FormToken } from "./layout.tsx";
import { pathTo } from "./path-to.tsx";
import type { Visit } from "./session/sessions.ts";

/** Selects the reader's submission for the final ranking of its round, or removes it from their selection. */
export function SelectionForm({
  submission: { id, selected },
  visit,
}: {
  submission: Pick<Submission, "id" | "selected">;
  visit: Visit;
}) {
  return (
    <form
      method="post"
      action={pathTo(`/submissions/${id}/${selected ? "unselect" : "select"}`)}
      class="panel"
    >
      <FormToken visit={visit} />
      <p>
        {selected
          ? "Hidden scores decide the final ranking of this round. This submission counts for it."
          : "Hidden scores decide the final ranking of this round. Without a selection, your best public submissions count for it."}
      </p>
      <button type="submit">{selected ? "Remove from the selection" : "Select for the final ranking"}</button>
    </form>
  );
}
