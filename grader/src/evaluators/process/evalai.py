"""Serves an unchanged evaluation script of EvalAI over the evaluator protocol: one job a line on stdin, events on stdout.

Run as: evalai.py <settings as JSON>

Its `evaluate(test_annotation_file, user_submission_file, phase_codename, **kwargs)` is called for each job. The phase is the id of
the round. Requires Python 3.7 or newer, and only the standard library.
"""

import importlib
import inspect
import json
import os
import sys

from crowdai_driver import EvaluatorError, load_module, serve, shown, submitted_path, take_streams, to_json_value

FORM = "{'result': [{'split': {'metric': number}}]}"


def load_evaluate(path):
    module = load_module(path)
    if not hasattr(module, "evaluate") and os.path.isdir(path):
        module = importlib.import_module(module.__name__ + ".main")
    if not callable(getattr(module, "evaluate", None)):
        raise EvaluatorError("%s has no function evaluate" % path)
    return module.evaluate


def absolute(annotations):
    if isinstance(annotations, dict):
        return {phase: os.path.abspath(path) for phase, path in annotations.items()}
    return annotations and os.path.abspath(annotations)


def metadata(job, path, phase):
    """The keys that EvalAI sends. Neither the participant nor any address of the broker is revealed."""
    empty = ("created_by", "participant_team", "participant_team_name", "execution_time")
    described = ("method_name", "method_description", "project_url", "publication_url")
    files = ("stdout_file", "stderr_file", "submission_result_file", "when_made_public", "submitted_at")
    return dict(
        {name: "" for name in empty + described},
        **{name: None for name in files},
        id=job["id"],
        status="running",
        is_public=False,
        input_file=path,
        challenge_phase=job["round"],
        phase_codename=phase,
    )


def call(evaluate, annotation, path, phase, extra):
    """Calls `evaluate` by the names of its parameters where it has them in an order of its own, as in remote evaluation."""
    try:
        parameters = list(inspect.signature(evaluate).parameters.values())
    except (TypeError, ValueError):
        parameters = []
    names = [one.name for one in parameters]
    more = extra if any(one.kind is one.VAR_KEYWORD for one in parameters) else {k: v for k, v in extra.items() if k in names}
    submission = next((name for name in ("user_submission_file", "user_annotation_file") if name in names), None)
    if submission and names[:1] == [submission]:
        given = {"test_annotation_file": annotation, "phase_codename": phase}
        return evaluate(path, **{name: value for name, value in given.items() if name in names}, **more)
    return evaluate(annotation, path, phase, **more)


def splits_of(returned):
    """Returns the splits of a result in order: a list of pairs of a name and its metrics."""
    if not isinstance(returned, dict) or not isinstance(returned.get("result"), (list, tuple)):
        raise EvaluatorError("evaluate() must return %s, but returned %s" % (FORM, shown(returned)))
    splits = []
    for entry in returned["result"]:
        if not isinstance(entry, dict) or not all(isinstance(metrics, dict) for metrics in entry.values()):
            raise EvaluatorError("an entry of 'result' must be {'split': {'metric': number}}, but is %s" % shown(entry))
        splits += [(str(name), metrics) for name, metrics in entry.items()]
    if not any(metrics for _, metrics in splits):
        raise EvaluatorError("evaluate() returned no metric: %s" % shown(returned))
    return splits


def metrics_of(splits, wanted, private):
    """
    Returns names and values in order. One split needs no name in front, unless a score is asked for with it; otherwise a metric has it,
    unless it was asked for without. A name without a split is that of a private split only when no other split has it: scores are shown.
    """
    hidden = [split for split, _ in splits if private is not True and split in private]
    public = {str(name) for split, found in splits if split not in hidden for name in found}
    is_plain = len(splits) == 1 and not any(one.startswith(splits[0][0] + ".") for one in wanted)
    metrics = []
    for split, found in splits:
        for name, value in found.items():
            names = {"name": str(name), "split": split, "path": split + "." + str(name)}
            taken = [metric["shown"] for metric in metrics]
            is_elsewhere = split in hidden and names["name"] in public
            named = (names["path"],) if is_elsewhere else (names["name"], names["path"])
            asked = next((one for one in wanted if one in named and one not in taken), None)
            shown_name = asked or (names["name"] if is_plain else names["path"])
            metrics.append(dict(names, shown=shown_name, value=scalar(value)))
    return metrics


def scalar(value):
    """Returns a number of numpy, or an array without dimensions, as a plain number."""
    is_scalar = hasattr(value, "item") and getattr(value, "ndim", 0) == 0
    return value.item() if is_scalar else value


def event_of(returned, settings):
    """Makes a result of what the script returned. The grader takes its scores from the metrics; the others become `data`."""
    private = settings["private"]
    metrics = metrics_of(splits_of(returned), settings["metrics"], private)
    # The first one that participants see, if there is one.
    seen = [one for one in metrics if private is not True and one["split"] not in private]
    scores = settings["metrics"] or [(seen or metrics)[0]["shown"]]
    listed, meta = [], {}
    for metric in metrics:
        hidden = private is True or any(metric[key] in private for key in ("name", "split", "path"))
        if hidden and metric["shown"] not in scores:
            meta[metric["shown"]] = metric["value"]
        else:
            listed.append([metric["shown"], metric["value"]])
    if returned.get("submission_result") not in (None, ""):
        # It may repeat what is private.
        if private:
            meta["submission_result"] = returned["submission_result"]
        else:
            listed.append(["submission_result", returned["submission_result"]])
    if returned.get("submission_metadata") not in (None, ""):
        meta["submission_metadata"] = returned["submission_metadata"]
    return {"type": "result", "metrics": to_json_value(listed), "meta": to_json_value(meta)}


def main():
    settings = json.loads(sys.argv[1])
    jobs, events = take_streams()
    # Before the script can change the working folder.
    annotations = absolute(settings["annotations"])
    evaluate = load_evaluate(settings["script"])

    def run(job, line):
        phase = dict(enumerate(settings["rounds"], 1)).get(job["round"], str(job["round"]))
        path = submitted_path(job, line)
        extra = {"submission_metadata": metadata(job, path, phase)}
        return call(evaluate, annotations.get(phase) if isinstance(annotations, dict) else annotations, path, phase, extra)

    serve(jobs, events, run, lambda returned, job: event_of(returned, settings))


main()
