"""An evaluation script in EvalAI's form: nothing in it is particular to crowdAI."""

from .counting import confusion

LABELS = ("leaf", "petal")


def read(path):
    with open(path, encoding="utf-8") as file:
        return [line.strip() for line in file if line.strip()]


def evaluate(test_annotation_file, user_submission_file, phase_codename, **kwargs):
    print("Starting evaluation of phase", phase_codename)
    truth, labels = read(test_annotation_file), read(user_submission_file)
    if len(labels) != len(truth):
        raise ValueError("expected %d labels, got %d" % (len(truth), len(labels)))
    for number, label in enumerate(labels, 1):
        if label not in LABELS:
            raise ValueError("line %d: expected leaf or petal, got %r" % (number, label))
    right, found, missed, wrong = confusion(truth, labels, "petal")
    metrics = {
        "Accuracy": right / len(truth),
        "Precision": found / (found + wrong) if found else 0.0,
        "Recall": found / (found + missed) if found else 0.0,
        "F1": 2 * found / (2 * found + missed + wrong) if found else 0.0,
    }
    return {"result": [{"test_split": metrics}], "submission_result": "%d of %d labels are right" % (right, len(truth))}
