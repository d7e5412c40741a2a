"""Scores a CSV file of predictions. Batch mode: one process grades one submission."""

import csv
import json
import math
import sys


def read_prices(path):
    with open(path, newline="", encoding="utf-8-sig") as file:
        reader = csv.DictReader(file)
        if not {"id", "price"} <= set(reader.fieldnames or []):
            raise ValueError("the first line must name the columns id and price")
        prices = {}
        for number, row in enumerate(reader, start=1):
            try:
                prices[row["id"]] = float(row["price"])
            except (TypeError, ValueError):
                raise ValueError(f"row {number}: {row['price']!r} is not a number") from None
            if not math.isfinite(prices[row["id"]]):
                raise ValueError(f"row {number}: the price must be finite")
        return prices


def root_mean_squared_error(predicted, answers):
    return math.sqrt(sum((predicted[id] - answers[id]) ** 2 for id in answers) / len(answers))


job = json.loads(sys.stdin.readline())
try:
    answers = read_prices("private/answers.csv")
    predicted = read_prices(job["input"]["path"])
    missing = sorted(answers.keys() - predicted.keys())
    if missing:
        raise ValueError(f"{len(missing)} of {len(answers)} ids are missing, such as {missing[0]}")
    event = {"type": "result", "score": root_mean_squared_error(predicted, answers)}
except (ValueError, csv.Error) as error:  # The participant's error: the message reaches them.
    event = {"type": "error", "message": str(error)}
print(json.dumps({"id": job["id"], **event}))
