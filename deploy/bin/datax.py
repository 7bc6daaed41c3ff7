#!/usr/bin/env python3
# -*- coding: utf-8 -*-
"""DataX's command line for Sluice: what calls DataX's datax.py (a scheduler, a cron line) calls this one instead.

It builds the command line of `sluice run` and replaces itself by it, so that the process a scheduler knows, kills and
waits for is the run itself. Runs under Python 2.7 and 3; needs nothing but the standard library. docs/datax.md
says what is the same and what differs.

The program is $SLUICE_PROGRAM, else `sluice` beside this file, else `sluice` on the PATH.
"""

from __future__ import print_function

import collections
import os
import re
import shlex
import subprocess
import sys
import tempfile
from optparse import OptionParser

try:
    from urllib.request import urlopen
except ImportError:  # Python 2
    from urllib2 import urlopen

# DataX's RET_STATE: FAIL is -1, which a shell sees as 255; an engine that fails ends with 1.
WRONG_USE = 255
FAILED = 1
SLUICE_WRONG_USE = 2

URL_SECONDS_MAX = 60
JOB_BYTES_MAX = 64 << 20  # As `sluice run` has it.

# Levels of logback to those of Sluice.
LEVELS = {"all": "debug", "trace": "debug", "debug": "debug", "info": "info", "warn": "warning", "warning": "warning",
          "error": "error", "off": "error"}


class Refused(Exception):
    """Ends the launcher with a message and an exit code."""

    def __init__(self, message, code=WRONG_USE):
        Exception.__init__(self, message)
        self.code = code


class DataxOptions(OptionParser):
    """Wrong arguments end with DataX's code, not with optparse's 2."""

    def error(self, message):
        raise Refused(message)


def option_parser():
    parser = DataxOptions(usage="usage: datax.py [options] job-url-or-path",
                          description="Runs a DataX job with Sluice.")
    parser.add_option("-j", "--jvm", metavar="OPTIONS", default="",
                      help="options of the Java machine; only -Dname=value is used")
    parser.add_option("--jobid", metavar="ID", help="taken and not used")
    parser.add_option("-m", "--mode", metavar="MODE", default="standalone",
                      help="taken and not used: a job runs on this machine")
    parser.add_option("-p", "--params", metavar="PARAMETERS", default="",
                      help="values for the job's variables: -p \"-Dname=value -Dother=value\"")
    parser.add_option("-r", "--reader", metavar="NAME",
                      help="with -w: print a job's template, such as -r txtfilereader -w sqlitewriter")
    parser.add_option("-w", "--writer", metavar="NAME", help="with -r: print a job's template")
    parser.add_option("-d", "--debug", action="store_true", help="taken and not used")
    parser.add_option("--loglevel", metavar="LEVEL", default="info", help="debug, info, warn or error")
    return parser


def words_of(text):
    """The words a shell makes of `text`. DataX hands its values to one."""
    try:
        return shlex.split(text)
    except ValueError:
        # An open quote: what a shell would refuse is taken as it stands, word by word.
        return text.split()


def without_quotes(value):
    return value[1:-1] if len(value) >= 2 and value[0] == value[-1] and value[0] in "'\"" else value


def properties_of(text):
    """The -Dname=value of a -p or -j value, in order; a word that is none of them and follows one belongs to its value,
    as datax-web writes a time with a blank in it."""
    found = []
    for word in words_of(text):
        if not word.startswith("-D"):
            # datax-web writes -j and -p as one argument, so that -p stands inside of -j's value.
            word = re.sub(r"^(?:.*\s)?-p(?=-D)", "", word, flags=re.DOTALL)
        if word.startswith("-D"):
            name, _, value = word[2:].partition("=")
            found.append([name, value])
        elif found and not word.startswith("-"):
            found[-1][1] += " " + word
    return [(name, without_quotes(value)) for name, value in found]


def parameters_of(options):
    """Name to value, the last of a name counting, as Java has it. A blank value leaves the variable as written."""
    values = collections.OrderedDict()
    for name, value in properties_of(options.jvm):
        if re.match(r"^\w+$", name):  # file.encoding and its like are the Java machine's
            values[name] = value
    for name, value in properties_of(options.params):
        values[name] = value
    return [(name, value) for name, value in values.items() if name and value.strip()]


def find_program():
    named = os.environ.get("SLUICE_PROGRAM")
    if named:
        return named
    folders = [os.path.dirname(os.path.abspath(__file__))] + os.environ.get("PATH", "").split(os.pathsep)
    for folder in folders:
        path = os.path.join(folder, "sluice")
        if folder and os.path.isfile(path) and os.access(path, os.X_OK):
            return path
    raise Refused("the program sluice is not beside this file and not on the PATH; set SLUICE_PROGRAM to it", FAILED)


def template_command(program, reader, writer):
    """The command line that prints a job's template; nothing where none is asked for."""
    if reader is None and writer is None:
        return None
    reader, writer = (reader or "").strip(), (writer or "").strip()
    if not reader or not writer:
        raise Refused("a template needs both plugins, and %s is missing: datax.py -r %s -w %s"
                      % ("the reader (-r)" if not reader else "the writer (-w)", reader or "NAME", writer or "NAME"))
    return [program, "template", reader, writer, "--dialect", "datax"]


def print_template(command):
    """Prints the template; DataX's exit code: a name that is none is a wrong argument."""
    code = subprocess.call(command)
    return WRONG_USE if code == SLUICE_WRONG_USE else code


def fetch(url):
    """The job behind `url` as an open file that has no name, positioned at its beginning."""
    try:
        answer = urlopen(url, timeout=URL_SECONDS_MAX)
        try:
            text = answer.read(JOB_BYTES_MAX + 1)
        finally:
            answer.close()
    except Exception as why:  # urllib has a dozen of kinds, and they differ between the two Pythons
        raise Refused("the job %s cannot be read: %s" % (url, why), FAILED)
    if len(text) > JOB_BYTES_MAX:
        raise Refused("the job %s has more than %d bytes" % (url, JOB_BYTES_MAX), FAILED)
    job = tempfile.TemporaryFile()
    job.write(text)
    job.flush()
    os.lseek(job.fileno(), 0, os.SEEK_SET)
    return job


def name_of(url):
    """A job's name from its address: the last part of the path without .json."""
    path = re.sub(r"^[a-z]+://[^/]*", "", re.split(r"[?#]", url)[0], flags=re.IGNORECASE)
    return re.sub(r"\.json$", "", path.rstrip("/").rsplit("/", 1)[-1]) or "job"


def run_arguments(program, options, job):
    arguments = [program, "run", job, "--report", "datax", "--compat", "datax"]
    level = LEVELS.get(options.loglevel.lower(), "info")
    if level != "info":
        arguments += ["--log-level", level]
    for name, value in parameters_of(options):
        # A $ begins an expression for Sluice and nothing for DataX; DataX's form says that it is meant as it stands, and
        # takes one pair of quotes away.
        arguments += ["-p", "-D%s='%s'" % (name, value) if "$" in value else "%s=%s" % (name, value)]
    return arguments


def command_of(program, options, jobs):
    """The command line of Sluice for DataX's; standard input is the job where the job is an address."""
    if len(jobs) != 1:
        raise Refused("%s; see datax.py --help" % ("the job is missing" if not jobs else "one job at a time: " + jobs[1]))
    job = jobs[0]
    if not re.match(r"^https?://", job, re.IGNORECASE):
        if os.path.isdir(job):
            raise Refused("%s is a folder, and a job is one file, as in DataX; for all jobs of a folder: sluice run %s"
                          % (job, job), FAILED)
        return run_arguments(program, options, job)
    fetched = fetch(job)
    command = run_arguments(program, options, "-") + ["--name", name_of(job)]
    os.dup2(fetched.fileno(), 0)
    return command


def main(arguments):
    program = "sluice"
    try:
        options, jobs = option_parser().parse_args(arguments)
        program = find_program()
        template = template_command(program, options.reader, options.writer)
        if template:
            return print_template(template)
        command = command_of(program, options, jobs)
        sys.stdout.flush()
        os.execvp(command[0], command)
    except Refused as why:
        print("datax.py: %s" % why, file=sys.stderr)
        return why.code
    except OSError as why:
        print("datax.py: %s cannot be run: %s" % (program, why.strerror), file=sys.stderr)
        return FAILED


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
