"""Runs a scoring program of Codabench or CodaLab for one job of the evaluator protocol.

Run as: codabench.py <folder of the program> <its command> <path of the reference data, or one per round, as JSON> <whether
detailed results are shown, as JSON>

The program finds the reference data in $input/ref, the submission in $input/res and a copy of itself in $program; it writes
scores.json or scores.txt into $output.
Requires Python 3.7 or newer, and only the standard library.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

DATA = '"input":{"data":'
NUMBER = re.compile(r"[-+]?(\d[\d_]*\.?\d*|\.\d+)([eE][-+]?\d+)?$")
NOT_FINITE = {"nan": "nan", "inf": "inf", "+inf": "inf", "-inf": "-inf", "infinity": "inf", "-infinity": "-inf"}
WORDS = {"": None, "~": None, "null": None, "none": None, "true": True, "false": False}


def take_streams():
    """Reserves stdin and stdout for the protocol. Prints of the program go to stderr, and it reads an empty stdin."""
    jobs = os.fdopen(os.dup(0), "r", encoding="utf-8", newline="\n")
    events = os.fdopen(os.dup(1), "w", encoding="utf-8", newline="\n")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return jobs, events


def link_files(source, target):
    """Makes a folder like another one, with links to its files: they may be large, and programs list folders."""
    source = os.path.realpath(source)
    if not os.path.isdir(source):
        os.makedirs(target, exist_ok=True)
        os.symlink(source, os.path.join(target, os.path.basename(source)))
        return
    for folder, _, names in os.walk(source, followlinks=True):
        inside = os.path.normpath(os.path.join(target, os.path.relpath(folder, source)))
        os.makedirs(inside, exist_ok=True)
        for name in names:
            os.symlink(os.path.join(folder, name), os.path.join(inside, name))


def link_submission(job, line, target):
    if "path" in job["input"]:
        return link_files(job["input"]["path"], target)
    os.makedirs(target)
    start = line.index(DATA) + len(DATA)
    with open(os.path.join(target, "submission.json"), "w", encoding="utf-8") as file:
        # As the job has it: Python would round its decimals.
        file.write(line[start : json.JSONDecoder().raw_decode(line, start)[1]])


def make_folders(program, reference, job, line):
    """Makes the folders that the program finds. In a box they are at /app, as in the containers of Codabench."""
    root = os.path.join(tempfile.gettempdir(), "app")
    os.makedirs(root)
    shutil.copytree(program, os.path.join(root, "program"), ignore=shutil.ignore_patterns("__pycache__"))
    if isinstance(reference, list):
        reference = reference[job["round"] - 1] if 0 < job["round"] <= len(reference) else None
    os.makedirs(os.path.join(root, "input"))
    if reference is not None:
        link_files(reference, os.path.join(root, "input", "ref"))
    link_submission(job, line, os.path.join(root, "input", "res"))
    os.makedirs(os.path.join(root, "shared"))
    os.symlink(job["output_dir"], os.path.join(root, "output"))
    is_box = os.path.realpath("/app/program") == os.path.realpath(os.path.join(root, "program"))
    return "/app" if is_box else root


def command_of(text, root):
    """Returns the words of a command in which the variables, and the paths of Codabench's containers, are replaced."""
    folders = {
        "$ingestion_program": "program",
        "$program": "program",
        "$predictions": "input/res",
        "$input": "input",
        "$hidden": "input/ref",
        "$output": "output",
        "$tmp": "output",
        "$shared": "shared",
    }
    words = []
    for word in shlex.split(text):
        for variable, folder in folders.items():
            path = os.path.join(root, folder)
            word = word.replace("${" + variable[1:] + "}", path)
            word = re.sub(re.escape(variable) + r"(?![A-Za-z0-9_])", lambda _: path, word)
        words.append(re.sub(r"^/app(?=/|$)", lambda _: root, word))
    if words and re.match(r"python(3(\.\d+)?)?$", words[0]):
        words[0] = sys.executable
    return words


def run(words, folder):
    """Runs the program. Exits like it when it fails: the grader sees why."""
    if not words:
        raise SystemExit("the metadata file of the scoring program has no command")
    print("running", " ".join(shlex.quote(word) for word in words), file=sys.stderr, flush=True)
    try:
        code = subprocess.call(words, cwd=folder)
    except OSError as error:
        raise SystemExit("the scoring program cannot be started: {}".format(error))
    if code != 0:
        print("the scoring program ended with code {}".format(code), file=sys.stderr, flush=True)
        raise SystemExit(code if code > 0 else 128 - code)


def plain_value(text):
    """Returns the value of a line in scores.txt: a number, a truth value, nothing, or text."""
    text = re.sub(r"(^|\s)#.*$", "", text).strip()
    if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"":
        return text[1:-1]
    word = text.lower()
    if word in WORDS:
        return WORDS[word]
    name = word.replace(".", "", 1) if word.lstrip("+-").startswith(".") else word
    if name in NOT_FINITE:
        return float(NOT_FINITE[name])
    if not NUMBER.match(text):
        return text
    number = text.replace("_", "")
    return int(number) if re.match(r"[-+]?\d+$", number) else float(number)


def lines_of_scores(text):
    scores = []
    for line in text.splitlines():
        match = re.match(r"""\s*(?:"([^"]*)"|'([^']*)'|([^#:{}\[\]](?:[^:]|:(?=\S))*?))\s*:(?:\s+(.*))?$""", line)
        if match:
            name = next(group for group in match.groups()[:3] if group is not None)
            scores.append([name, plain_value(match.group(4) or "")])
            continue
        # CodaLab needs no space between a colon and a number.
        match = re.match(r"\s*([^#:{}\[\]][^:]*?)\s*:(\S+)\s*$", line)
        value = plain_value(match.group(2)) if match else None
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            scores.append([match.group(1), value])
    return scores


def read_scores(folder):
    """Returns the names and values that the program wrote, in their order."""
    for name in ("scores.json", "scores.txt"):
        path = os.path.join(folder, name)
        if not os.path.isfile(path):
            continue
        with open(path, encoding="utf-8-sig") as file:
            text = file.read()
        if name == "scores.txt" and not text.lstrip().startswith("{"):
            scores = lines_of_scores(text)
        else:
            try:
                scores = json.loads(text)
            except ValueError as error:
                raise SystemExit("{} is not JSON: {}".format(name, error))
            if not isinstance(scores, dict):
                raise SystemExit(name + " is not an object of names and values")
            scores = [[key, value] for key, value in scores.items()]
        if not scores:
            raise SystemExit(name + " names no scores")
        return scores
    raise SystemExit("the scoring program wrote neither scores.json nor scores.txt")


def detailed_results(folder):
    """Returns the page that the program wrote for the participant. CodaLab took any name."""
    pages = sorted(name for name in os.listdir(folder) if name.lower().endswith(".html"))
    page = "detailed_results.html" if "detailed_results.html" in pages else pages[0] if pages else None
    return [{"path": page, "name": "detailed_results.html"}] if page else []


def main():
    program, command = sys.argv[1:3]
    reference, shows_details = json.loads(sys.argv[3]), json.loads(sys.argv[4])
    jobs, events = take_streams()
    line = jobs.readline()
    job = json.loads(line)
    root = make_folders(program, reference, job, line)
    run(command_of(command, root), os.path.join(root, "program"))
    output = job["output_dir"]
    event = {"id": job["id"], "type": "result", "metrics": read_scores(output)}
    if shows_details:
        event["artifacts"] = detailed_results(output)
    sys.stdout.flush()
    sys.stderr.flush()
    events.write(json.dumps(event) + "\n")
    events.flush()


main()
