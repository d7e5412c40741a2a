"""Scores what a participant's program wrote: the share of flowers with the right species."""

import csv
import json
import sys

job = json.loads(sys.stdin.readline())


def say(**event):
    print(json.dumps({"id": job["id"], **event}), flush=True)


def main():
    with open("private/answers.csv", newline="", encoding="utf-8") as file:
        answers = {row["id"]: row["species"] for row in csv.DictReader(file)}
    with open(job["input"]["path"], newline="", encoding="utf-8", errors="replace") as file:
        predictions = {row.get("id"): row.get("species") for row in csv.DictReader(file)}
    missing = len(answers.keys() - predictions.keys())
    if missing:
        return say(type="error", message=f"predictions.csv has no prediction for {missing} of {len(answers)} flowers")
    right = sum(predictions[id] == species for id, species in answers.items())
    say(type="result", score=right / len(answers), message=f"{right} of {len(answers)} flowers named correctly.")


main()
