"""The common part of the drivers of Python evaluators: the evaluator protocol, importing a script, and values that JSON can represent.

Requires Python 3.7 or newer, and only the standard library.
"""

import errno
import importlib
import importlib.util
import json
import os
import reprlib
import sys
import tempfile
import traceback

# Errors of the evaluator's own code. A subclass of its own is a message to the participant.
OWN_ERRORS = (AttributeError, ImportError, KeyError, NameError, TypeError, ZeroDivisionError)
# The machine has run out of something.
MACHINE_ERRORS = tuple(
    getattr(errno, name) for name in ("ENOSPC", "EDQUOT", "EMFILE", "ENFILE", "ENOMEM", "EIO", "EROFS") if hasattr(errno, name)
)


class EvaluatorError(SystemExit):
    """Ends the process with a message in the organizer's log: the evaluator has failed, not the submission."""


def take_streams():
    """Reserves stdin and stdout for the protocol. Prints of the script go to stderr, and it reads an empty stdin."""
    jobs = os.fdopen(os.dup(0), "r", encoding="utf-8", newline="\n")
    events = os.fdopen(os.dup(1), "w", encoding="utf-8", newline="\n")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return jobs, events


def load_module(path):
    """Imports a file, or a folder with __init__.py or main.py. A file beside an __init__.py is a part of that package."""
    path = os.path.abspath(path)
    folder = path if os.path.isdir(path) else os.path.dirname(path)
    # This replaces the driver's folder, so that the script can import the modules beside it.
    sys.path[0] = folder
    sys.argv = [path]
    try:
        if not os.path.isfile(os.path.join(folder, "__init__.py")):
            return import_file(os.path.join(path, "main.py") if os.path.isdir(path) else path)
        package = os.path.basename(folder)
        package = package if package.isidentifier() else "evaluation_script"
        imported = import_file(os.path.join(folder, "__init__.py"), package)
        if path == folder:
            return imported
        return importlib.import_module(package + "." + module_name(path))
    except SystemExit as error:
        raise EvaluatorError("importing %s called sys.exit(%r)" % (os.path.basename(path), error.code))


def module_name(path):
    return os.path.splitext(os.path.basename(path))[0]


def import_file(path, package=None):
    """Imports a file as a module, or, as the __init__.py of a package, with that name."""
    name = package or module_name(path)
    places = [os.path.dirname(path)] if package else None
    spec = importlib.util.spec_from_file_location(name, path, submodule_search_locations=places)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def text_of_data(line):
    """Returns the submitted JSON value as the job has it: Python would round its decimals."""
    start = line.index(DATA) + len(DATA)
    return line[start : json.JSONDecoder().raw_decode(line, start)[1]]


# Not found in the texts before it, where double quotes are escaped.
DATA = '"input":{"data":'


def input_folder(job):
    """The folder of the submission. In a box it can only be read, so that a JSON value gets a folder of its own."""
    if "path" in job["input"]:
        path = job["input"]["path"]
        return path if os.path.isdir(path) else os.path.dirname(path)
    folder = os.path.join(os.path.dirname(job["output_dir"]), "input")
    if not os.path.isdir(folder):
        folder = os.path.join(tempfile.gettempdir(), "input")
        os.makedirs(folder, exist_ok=True)
    return folder


def submitted_path(job, line):
    """Returns the path of the submitted file or folder. A JSON value is written into a file."""
    if "path" in job["input"]:
        return job["input"]["path"]
    path = os.path.join(input_folder(job), "data.json")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text_of_data(line))
    return path


def plain(value):
    """Converts values that JSON cannot represent: numpy numbers and arrays to plain ones, anything else to text."""
    if hasattr(value, "tolist"):
        return value.tolist()
    if isinstance(value, (set, frozenset)):
        return sorted(value, key=str)
    if hasattr(value, "__float__"):
        return float(value)
    return str(value)


def with_plain_keys(value):
    """Converts the keys that JSON cannot represent, such as numpy numbers and tuples, which would be lost."""
    if isinstance(value, dict):
        return {plain_key(key): with_plain_keys(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [with_plain_keys(item) for item in value]
    return value


def plain_key(key):
    return key if key is None or isinstance(key, (str, int, float)) else str(plain(key))


def to_json_value(value):
    return json.loads(json.dumps(with_plain_keys(value), default=plain, skipkeys=True))


def shown(value):
    """Returns a value as text for the organizer's log, shortened."""
    short = reprlib.Repr()
    short.maxdict = short.maxlist = short.maxtuple = 20
    short.maxlevel, short.maxstring, short.maxother = 5, 200, 200
    return short.repr(value)


def is_own_fault(error, job):
    """Whether the evaluator or its machine, and not the submission, caused the exception."""
    if isinstance(error, MemoryError):
        return True
    if isinstance(error, OSError) and error.errno in MACHINE_ERRORS:
        return True
    if type(error).__module__ != "builtins":
        return False
    if isinstance(error, OSError):
        # Without a name, the script raised it with a message of its own.
        if not isinstance(error.filename, (str, bytes)):
            return False
        submitted = [input_folder(job), job["code"]]
        folders = tuple(os.path.join(os.path.realpath(folder), "") for folder in submitted if folder)
        return not os.path.join(os.path.realpath(os.fsdecode(error.filename)), "").startswith(folders)
    return isinstance(error, OWN_ERRORS)


def message_of(error, job):
    """Returns the message to the participant of an exception that rejects the submission; None when the evaluator has failed."""
    return None if is_own_fault(error, job) else str(error) or type(error).__name__


def serve(jobs, events, evaluate, event_of, rejection=message_of):
    """Calls `evaluate(job, line)` for each job, and writes the event that `event_of` makes of what it returned."""
    folder = os.getcwd()
    for line in jobs:
        job = json.loads(line)
        try:
            returned = evaluate(job, line)
        except EvaluatorError:
            sys.stderr = sys.__stderr__
            raise
        except SystemExit as error:
            sys.stderr = sys.__stderr__
            raise EvaluatorError("the script called sys.exit(%r)" % (error.code,))
        except Exception as error:
            message = rejection(error, job)
            if message is None:
                # Not the participant's fault: the process exits, and the grader sees why.
                raise
            traceback.print_exc()
            event = {"type": "error", "message": message}
        else:
            event = event_of(returned, job)
        flush()
        # The next job starts as this one did, wherever the script went.
        os.chdir(folder)
        event["id"] = job["id"]
        events.write(json.dumps(event) + "\n")
        events.flush()


def flush():
    """Completes the log before the event, and undoes what the script did to the streams."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        setattr(sys, name, getattr(sys, "__" + name + "__"))
        try:
            stream.flush()
            getattr(sys, name).flush()
        except (AttributeError, OSError, ValueError):
            pass
