"""Submit from a notebook: copy submit() into a cell, and call it with rows or a data frame. Needs the `crowdai` command, but no Python package."""
import csv
import io
import json
import os
import shlex
import subprocess


def submit(predictions, challenge, message=""):
    """Submits rows (lists or tuples, the header first) or a pandas data frame as CSV.

    Returns the submission as a dictionary, with "id", "score" and "rank". Raises RuntimeError with the broker's reason.
    """
    if hasattr(predictions, "to_csv"):
        text = predictions.to_csv(index=False)
    else:
        file = io.StringIO()
        csv.writer(file, lineterminator="\n").writerows(predictions)
        text = file.getvalue()
    command = shlex.split(os.environ.get("CROWDAI", "npx --yes crowdai"))
    done = subprocess.run(
        [*command, "submit", "-", "-c", challenge, "-m", message, "--format", "json"],
        input=text,
        stdout=subprocess.PIPE,
        text=True,
    )
    answer = json.loads(done.stdout)
    if done.returncode != 0:
        raise RuntimeError(f"{answer['error']['code']}: {answer['error']['message']}")
    return answer["submission"]


if __name__ == "__main__":
    with open("csv-scorer/test.csv") as file:
        rows = [(row["id"], 2.9 * float(row["area"])) for row in csv.DictReader(file)]
    submission = submit([("id", "price"), *rows], "csv-scorer", "from a notebook")
    print(f"score {submission['score']:.1f}, rank {submission['rank']}")
