"""Scores the answers of a participant's program: the mean absolute error of its forecasts."""

import json
import math
import sys

job = json.loads(sys.stdin.readline())


def say(**event):
    print(json.dumps({"id": job["id"], **event}), flush=True)


def main():
    with open("private/answers.json", encoding="utf-8") as file:
        answers = json.load(file)
    # The grader has checked that each line is JSON, and that there is one for each line of input.
    with open(job["input"]["path"], encoding="utf-8") as file:
        forecasts = [json.loads(line) for line in file]
    errors = []
    for number, (forecast, answer) in enumerate(zip(forecasts, answers), start=1):
        value = forecast.get("next") if isinstance(forecast, dict) else None
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
            return say(type="error", message=f'answer {number}: expected an object with a number "next"')
        errors.append(abs(value - answer))
    say(type="result", score=sum(errors) / len(errors), message=f"{len(errors)} forecasts.")


main()
