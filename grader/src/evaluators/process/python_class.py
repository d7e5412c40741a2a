"""Serves an evaluator class over the evaluator protocol: one job a line on stdin, events on stdout.

Run as: python_class.py <file.py> <class> <arguments as JSON> <names of private results as JSON, or true>

The class is constructed once, and its `_evaluate(client_payload, ...)` is called for each job. With "fresh", each job gets a
process of its own.
Requires Python 3.7 or newer, and only the standard library.
"""

import inspect
import json
import os
import shutil
import sys

from crowdai_driver import EvaluatorError, load_module, serve, submitted_path, take_streams, to_json_value

# Files that are shown with a submission: the first that exists as its media, the others as artifacts.
MEDIA = ("media_video_path", "media_image_path", "media_video_thumb_path")


def client_payload(job, line):
    submission_id = job["id"]
    payload = {
        "function": job["function"],
        "round": job["round"],
        "dry_run": job["dry_run"],
        "output_dir": job["output_dir"],
        "code": job["code"],
        "small_test": job["function"] == "small_test",
        # Field names that existing evaluator classes use. The participant's identity is not revealed.
        "crowdai_submission_id": submission_id,
        "crowdai_participant_id": "",
        "aicrowd_submission_id": submission_id,
        "aicrowd_participant_id": "",
    }
    path = submitted_path(job, line)
    payload["submission_file_path"] = path
    # A folder where the challenge unpacks archives.
    payload["submission_dir_path"] = path if os.path.isdir(path) else os.path.dirname(path)
    if "data" in job["input"]:
        payload["data"] = job["input"]["data"]
    return payload


def call(evaluate, job, line):
    """Calls _evaluate with the payload, and passes the round and an empty context to parameters with such names."""
    positional, named = [client_payload(job, line)], {}
    for parameter in list(inspect.signature(evaluate).parameters.values())[1:]:
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        if "context" in parameter.name:
            value = {}
        elif "round" in parameter.name:
            value = job["round"]
        elif parameter.default is not parameter.empty:
            continue
        else:
            raise EvaluatorError("_evaluate has a parameter that is neither a round nor a context: " + parameter.name)
        if parameter.kind is parameter.POSITIONAL_ONLY:
            positional.append(value)
        else:
            named[parameter.name] = value
    return evaluate(*positional, **named)


def in_output(path, output_dir, name):
    """Copies a file that the class wrote elsewhere. Returns its path in output_dir; None when there is no such file."""
    if not os.path.isfile(path):
        return None
    inside = os.path.relpath(os.path.realpath(path), os.path.realpath(output_dir))
    if not inside.startswith(os.pardir):
        return inside
    copied = name + os.path.splitext(path)[1]
    shutil.copyfile(path, os.path.join(output_dir, copied))
    return copied


def take_media(rest, job):
    """Removes the paths of media from what the class returned. Returns the fields of the event that name the files."""
    paths = {key[:-5]: rest.pop(key) for key in MEDIA if key in rest}
    found = {}
    for name, path in paths.items():
        if isinstance(path, str) and path:
            found[name] = in_output(path, job["output_dir"], name)
            if found[name] is None:
                print("the class returned " + name + "_path, but there is no file " + path, file=sys.stderr)
    files = [{"path": path, "name": name + os.path.splitext(path)[1]} for name, path in found.items() if path]
    return {"media": {"path": files[0]["path"]}, "artifacts": files[1:]} if files else {}


def result_event(returned, job, private):
    """Everything that the class returns is shown to the participant, except `meta` and the names in `private`."""
    if not isinstance(returned, dict):
        raise EvaluatorError("_evaluate must return a dict, not " + type(returned).__name__)
    rest = to_json_value(returned)
    event = {"type": "result", "score": rest.pop("score", None)}
    first, second = rest.pop("score_secondary", None), rest.pop("secondary_score", None)
    event["score_secondary"] = second if first is None else first
    final = rest.pop("score_final", None)
    if final is not None:
        event["score_final"] = final
    event.update(take_media(rest, job))
    if isinstance(rest.get("problems"), list):
        # Of the function of a challenge's check.
        event["problems"] = [str(problem) for problem in rest.pop("problems")]
    meta = rest.pop("meta", None)
    meta = meta if isinstance(meta, dict) else {} if meta is None else {"meta": meta}
    for name in list(rest):
        if private is True or name in private:
            meta[name] = rest.pop(name)
    message = rest.pop("message", None)
    if message is not None:
        event["message"] = message if isinstance(message, str) else json.dumps(message)
    event["meta"] = meta
    event["data"] = rest or None
    return event


def main():
    path, name, arguments, private = sys.argv[1:5]
    jobs, events = take_streams()
    arguments, private = json.loads(arguments), json.loads(private)
    evaluator_class = getattr(load_module(path), name)
    evaluator = evaluator_class(**arguments) if isinstance(arguments, dict) else evaluator_class(*arguments)
    serve(
        jobs,
        events,
        lambda job, line: call(evaluator._evaluate, job, line),
        lambda returned, job: result_event(returned, job, private),
    )


main()
