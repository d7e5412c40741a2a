"""Serves an unchanged metric of Kaggle over the evaluator protocol: one job a line on stdin, events on stdout.

Run as: kaggle.py <settings as JSON>

Its `score(solution, submission, row_id_column_name, **args)` is called with two data frames whose rows are in the same order: once,
or, when the solution has a column Usage, for the Public rows and for the Private rows.
Requires Python 3.7 or newer and pandas.
"""

import json
import os
import re
import sys

from crowdai_driver import EvaluatorError, load_module, serve, submitted_path, take_streams, to_json_value

USAGES = ("public", "private", "ignored")
# Kaggle shortens messages, so that a metric cannot show much of the solution.
MAX_MESSAGE = 280
MAX_NAMED = 5
# Python refuses to read numbers of thousands of digits.
WHOLE = re.compile(r"[+-]?[0-9]{1,40}(\.0*)?$")


class Rejected(Exception):
    """A message to the participant about the submitted file."""


def import_pandas():
    try:
        import pandas
    except ImportError as error:
        text = 'A metric of Kaggle needs pandas, which %s cannot import (%s). Install it, or name another interpreter as "python".'
        raise EvaluatorError(text % (sys.executable, error))
    return pandas


def load_score(path, name):
    score = getattr(load_module(path), name, None)
    if not callable(score):
        raise EvaluatorError("%s has no function %s" % (path, name))
    return score


class Table:
    """A CSV file: its data frame, and its ids as they are written."""

    def __init__(self, pandas, path, row_id):
        # The content decides what it is, and not a name: a compressed file may be a bomb.
        options = {"encoding": "utf-8-sig", "compression": None}
        try:
            self.frame = pandas.read_csv(path, **options)
            if not isinstance(self.frame.index, pandas.RangeIndex):
                # pandas took the first values for an index.
                raise Rejected("The rows have more values than the header has columns.")
            if row_id not in self.frame.columns:
                known = ", ".join("`%s`" % name for name in list(self.frame.columns)[:MAX_NAMED])
                raise Rejected("The column `%s` is missing. The file has %s." % (row_id, known))
            written = pandas.read_csv(path, usecols=[row_id], dtype=str, keep_default_na=False, **options)
        except (UnicodeDecodeError, pandas.errors.EmptyDataError, pandas.errors.ParserError) as error:
            raise Rejected("The file is not a CSV file in UTF-8: %s" % error)
        self.ids = written[row_id].str.strip()

    def has_whole_ids(self, row_id):
        return self.frame[row_id].dtype.kind in "iu"


def whole(text):
    """Returns an id that is a whole number without zeros in front and decimals, as pandas would read it."""
    return str(int(text.split(".")[0])) if WHOLE.match(text) else text


def named(ids):
    listed = ", ".join("`%s`" % (one if len(one) <= 100 else one[:100] + "…") for one in list(ids)[:MAX_NAMED])
    return listed + (" and %d more" % (len(ids) - MAX_NAMED) if len(ids) > MAX_NAMED else "")


def id_problems(expected, ids):
    """Returns what is wrong with the ids of a submission."""
    problems = []
    empty = int((ids == "").sum())
    if empty:
        problems.append("%d rows have no id." % empty)
    ids = ids[ids != ""]
    twice = ids[ids.duplicated()].unique()
    if len(twice):
        problems.append("These ids occur more than once: %s." % named(twice))
    missing = expected[~expected.isin(ids)]
    if len(missing):
        problems.append("These ids are missing: %s." % named(missing))
    unknown = ids[~ids.isin(expected)].unique()
    if len(unknown):
        problems.append("These ids are not of the challenge: %s." % named(unknown))
    return problems


def value_problems(frame, ids, solution, settings):
    """Returns what is wrong with the values. A column may have empty values when the solution's column has some."""
    problems = []
    for name in frame.columns:
        column = frame[name]
        may_be_empty = settings["allow_empty"] or (name in solution.columns and solution[name].isna().any())
        if not may_be_empty and column.isna().any():
            problems.append("The column `%s` has no value for these ids: %s." % (name, named(ids[column.isna()])))
        if column.dtype.kind == "f" and (column.abs() == float("inf")).any():
            infinite = ids[column.abs() == float("inf")]
            problems.append("The column `%s` has an infinite value for these ids: %s." % (name, named(infinite)))
    return problems


class Solution:
    """The solution, its rows by usage, and the check of submissions against it."""

    def __init__(self, pandas, settings):
        self.pandas, self.settings = pandas, settings
        self.row_id = settings["row_id"]
        try:
            self.table = Table(pandas, settings["solution"], self.row_id)
        except (OSError, Rejected) as error:
            raise EvaluatorError("the solution %s: %s" % (os.path.basename(settings["solution"]), error))
        self.is_whole = self.table.has_whole_ids(self.row_id)
        self.ids = self.ids_of(self.table)
        if not self.ids.is_unique or (self.ids == "").any():
            raise EvaluatorError("the solution has rows without an id, or with the same id")
        self.frame = self.table.frame
        self.usage = None
        if "Usage" in self.frame.columns:
            self.usage = self.frame["Usage"].astype(str).str.strip().str.lower()
            unknown = self.frame["Usage"][~self.usage.isin(USAGES)].astype(str).unique()
            if len(unknown):
                raise EvaluatorError("the solution's column Usage must be Public, Private or Ignored, but has %s" % named(unknown))
            if not (self.usage == "public").any():
                raise EvaluatorError("the solution's column Usage has no Public rows")
            self.frame = self.frame.drop(columns="Usage")

    def ids_of(self, table):
        return table.ids.map(whole) if self.is_whole else table.ids

    def aligned(self, path):
        """Returns the submission with its rows in the order of the solution. Raises Rejected."""
        table = Table(self.pandas, path, self.row_id)
        frame = table.frame.drop(columns=[name for name in table.frame.columns if name == "Usage"])
        if self.settings["pass_complete_submission"]:
            return frame
        ids = self.ids_of(table)
        problems = id_problems(self.ids, ids)
        if problems:
            raise Rejected("\n".join(problems))
        frame = frame.iloc[self.pandas.Index(ids).get_indexer(self.ids)].reset_index(drop=True)
        # The same values and type as in the solution.
        frame[self.row_id] = self.frame[self.row_id].values
        problems = value_problems(frame.drop(columns=self.row_id), self.ids, self.frame, self.settings)
        if problems:
            raise Rejected("\n".join(problems))
        return frame

    def part(self, usage, submission):
        """Returns the rows of a usage, as frames that the metric may change."""
        if self.usage is None:
            return self.frame.copy(), submission.copy()
        mask = self.usage == usage
        rows = self.frame[mask].reset_index(drop=True)
        whole_submission = self.settings["pass_complete_submission"]
        return rows, submission.copy() if whole_submission else submission[mask].reset_index(drop=True)

    def has_private(self):
        return self.usage is not None and bool((self.usage == "private").any())


def plain_score(value):
    """Returns the score as the grader takes it. Anything but a finite number makes it report a failure of the metric."""
    if getattr(value, "ndim", 0) == 0 and hasattr(value, "item"):
        value = value.item()
    return to_json_value(value)


def rejection(error, job):
    """Only errors of that name are shown: any other may show a part of the solution."""
    if isinstance(error, Rejected):
        return str(error)
    if any(base.__name__ == "ParticipantVisibleError" for base in type(error).__mro__):
        return str(error)[:MAX_MESSAGE] or "The metric rejected the submission without a reason."
    return None


def main():
    settings = json.loads(sys.argv[1])
    jobs, events = take_streams()
    # Before the script can change the working folder.
    settings["solution"] = os.path.abspath(settings["solution"])
    pandas = import_pandas()
    score = load_score(settings["script"], settings["function"])
    solution = Solution(pandas, settings)

    def run(job, line):
        if "data" in job["input"]:
            raise Rejected("The metric reads a CSV file, and not a JSON value.")
        submission = solution.aligned(submitted_path(job, line))
        usages = ["public", "private"] if solution.has_private() else ["public"]
        return [score(*solution.part(usage, submission), solution.row_id, **settings["args"]) for usage in usages]

    def event_of(returned, job):
        event = {"type": "result", "score": plain_score(returned[0])}
        if len(returned) > 1:
            # Null would be taken for no final score.
            final = plain_score(returned[1])
            event["score_final"] = "None" if final is None else final
        return event

    serve(jobs, events, run, event_of, rejection)


main()
