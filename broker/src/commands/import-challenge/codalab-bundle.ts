import { isoTime } from "./read-yaml.ts";

type Fields = Record<string, unknown>;

/** Whether a competition.yaml is of CodaLab (version 1.5), the platform before Codabench. */
export const isCodalab = (content: Fields): boolean =>
  content.version === undefined && (isObject(content.html) || isObject(content.leaderboard));

const TASK_FIELDS = ["scoring_program", "reference_data", "input_data", "ingestion_program"];
const NOT_OF_PHASES = [...TASK_FIELDS, "phasenumber", "parent_phasenumber"];

/**
 * Returns the competition in the form of Codabench (version 2). Fields of the wrong type stay missing, and
 * are reported there.
 */
export function fromCodalab(content: Fields): Fields {
  // The competition starts with its first phase.
  const {
    html,
    phases,
    leaderboard,
    end_date,
    start_date: _start,
    competition_docker_image,
    ...rest
  } = content;
  const { terms, ...pages } = isObject(html) ? html : {};
  const ordered = valuesOf(phases)
    // The parent of parallel phases takes no submissions.
    .filter(({ is_parallel_parent }) => is_parallel_parent !== true)
    .toSorted((a, b) => Number(a.phasenumber) - Number(b.phasenumber));
  return {
    ...rest,
    ...(competition_docker_image === undefined ? {} : { docker_image: competition_docker_image }),
    ...(terms === undefined ? {} : { terms }),
    pages: Object.entries(pages).map(([name, file]) => ({ title: titleOf(name), file })),
    tasks: ordered.map((phase, index) => ({
      ...{ index, name: phase.label },
      ...Object.fromEntries(
        TASK_FIELDS.filter((name) => phase[name] != null).map((name) => [name, phase[name]]),
      ),
    })),
    phases: ordered.map(({ label, start_date, phase_never_ends, ...phase }, index) => ({
      ...Object.fromEntries(Object.entries(phase).filter(([name]) => !NOT_OF_PHASES.includes(name))),
      ...{ index, name: label, start: start_date, tasks: [index] },
      end: laterStart(start_date, ordered.slice(index + 1)) ?? (phase_never_ends === true ? null : end_date),
      is_closed: phase.max_submissions === 0,
    })),
    leaderboards: isObject(leaderboard) ? leaderboardsOf(leaderboard) : undefined,
  };
}

/** Phases may be parallel: they start together, and end when a later one starts. */
const laterStart = (start: unknown, later: readonly Fields[]): unknown =>
  later.find((other) => String(isoTime(other.start_date)) > String(isoTime(start)))?.start_date;

function leaderboardsOf({ leaderboards, columns }: Fields): Fields[] {
  const named = isObject(columns) ? Object.entries(columns).filter(([, column]) => isObject(column)) : [];
  const all = (named as [string, Fields][]).map(([key, column]) => ({
    board: isObject(column.leaderboard) ? column.leaderboard.label : undefined,
    column: {
      ...{ key, title: column.label ?? key, index: Number(column.rank ?? 1), sorting: column.sort ?? "desc" },
      ...{ precision: column.numeric_format ?? 2, hidden: column.hidden },
      computation: column.computed === undefined ? null : "computed",
    },
  }));
  const rankOf = ({ rank }: Fields) => Number(rank ?? 1) || 0;
  const boards = valuesOf(leaderboards).toSorted((a, b) => rankOf(a) - rankOf(b));
  return boards.map(({ label }) => ({
    title: label,
    columns: all.filter(({ board }) => board === label || board === undefined).map(({ column }) => column),
  }));
}

const valuesOf = (value: unknown): Fields[] =>
  (isObject(value) || Array.isArray(value) ? Object.values(value) : []).filter(isObject);

const titleOf = (name: string) => name.charAt(0).toUpperCase() + name.slice(1).replaceAll("_", " ");

const isObject = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);
