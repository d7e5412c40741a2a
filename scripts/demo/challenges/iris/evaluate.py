"""Scores predictions of iris species: accuracy, and macro F1 as the secondary score.

A persistent evaluator: it reads one job a line and answers each with what it does and then a result or an error, as JSON
lines. Nothing but Python's standard library is needed.
"""

import csv
import json
import sys

SPECIES = ["setosa", "versicolor", "virginica"]


class Rejected(Exception):
    """The submission is wrong, and the text tells the participant how."""


def read_answers():
    with open("private/answers.csv", newline="", encoding="utf-8") as file:
        return {row["id"]: row["species"] for row in csv.DictReader(file)}


def read_csv(path):
    """Rows of a CSV file as (where, id, species)."""
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file, restval="")
            columns = reader.fieldnames or []
            missing = [name for name in ("id", "species") if name not in columns]
            if missing:
                raise Rejected(f"the first line must name the columns id and species, and {' and '.join(missing)} is not there")
            return [(f"row {number}", row["id"], row["species"]) for number, row in enumerate(reader, start=1)]
    except UnicodeDecodeError:
        raise Rejected("the file is not UTF-8 text") from None
    except csv.Error as error:
        raise Rejected(f"the file is not CSV: {error}") from None


def read_rows(data):
    """Predictions of a JSON value as (where, id, species). The broker has checked their shape against the schema."""
    return [(f"predictions[{i}]", row["id"], row["species"]) for i, row in enumerate(data["predictions"])]


def check(rows, answers):
    """The prediction for each id, when there is exactly one for each."""
    predictions = {}
    for where, id, species in rows:
        if id not in answers:
            raise Rejected(f'{where}: unknown id "{id}"; the ids are those of test.csv')
        if id in predictions:
            raise Rejected(f'{where}: the id "{id}" comes twice')
        if species not in SPECIES:
            raise Rejected(f'{where}: unknown species "{species}"; it is one of {", ".join(SPECIES)}')
        predictions[id] = species
    missing = [id for id in answers if id not in predictions]
    if missing:
        listed = ", ".join(missing[:3]) + (" and others" if len(missing) > 3 else "")
        raise Rejected(f"{len(missing)} of {len(answers)} rows are missing: {listed}")
    return predictions


def accuracy(predictions, answers):
    return sum(predictions[id] == species for id, species in answers.items()) / len(answers)


def macro_f1(predictions, answers):
    scores = []
    for species in SPECIES:
        hits = sum(predictions[id] == species == answer for id, answer in answers.items())
        named = sum(guess == species for guess in predictions.values())
        there = sum(answer == species for answer in answers.values())
        scores.append(2 * hits / (named + there))
    return sum(scores) / len(scores)


def grade(job, answers, say):
    rows = read_csv(job["input"]["path"]) if "path" in job["input"] else read_rows(job["input"]["data"])
    say(type="log", message=f"{len(rows)} rows read")
    say(type="progress", percent=30)
    predictions = check(rows, answers)
    say(type="log", message="every flower has its prediction")
    say(type="progress", percent=70, message="scoring")
    score = accuracy(predictions, answers)
    right = round(score * len(answers))
    say(
        type="result",
        score=score,
        score_secondary=macro_f1(predictions, answers),
        message=f"{right} of {len(answers)} flowers named correctly.",
    )


def main():
    answers = read_answers()
    for line in sys.stdin:
        job = json.loads(line)

        def say(**event):
            print(json.dumps({"id": job["id"], **event}), flush=True)

        try:
            grade(job, answers, say)
        except Rejected as reason:
            say(type="error", message=str(reason))


main()
