"""The tree as git has it: format, lengths, paths, schemas, lists."""

import json
import re
import subprocess
import unittest

import jsonschema

from checks.sources import ROOT, read, tracked

# Reported above these, failed above twice them: a file or a function of that length is two ideas.
FILE_LINES = 600
HEADER_LINES = 250
FUNCTION_LINES = 80

# A function of ours, as clang-format lays it out: it ends with a brace at the indent of its beginning.
BEGINS = re.compile(r"^( ?|  )(?![\s#/}*])(?!(?:class|struct|enum|union|namespace|extern|using|typedef)\b)[^;=]*\(.*\{$")


def functions(text):
    """(first line's number, its text, lines) of each function of more than one line."""
    lines = text.splitlines()
    found = []
    at = 0
    while at < len(lines):
        if not BEGINS.match(lines[at]):
            at += 1
            continue
        indent = len(lines[at]) - len(lines[at].lstrip())
        end = at + 1
        while end < len(lines) and not re.match(rf"^ {{{indent}}}\}}", lines[end]):
            end += 1
        found.append((at + 1, lines[at].strip(), end - at + 1))
        at = end + 1
    return found


class Lengths(unittest.TestCase):
    def test_no_file_or_function_is_very_long(self):
        too_long = []
        report = []
        for path in tracked("*.h", "*.cpp", "*.py", "*.sh"):
            text = read(path)
            limit = HEADER_LINES if path.endswith(".h") else FILE_LINES
            measured = [(text.count("\n"), limit, path)]
            if path.endswith((".h", ".cpp")) and not path.startswith("tests/"):
                measured += [(length, FUNCTION_LINES, f"{path}:{line} {name}") for line, name, length in functions(text)]
            for length, limit, place in measured:
                if length > limit:
                    report.append(f"{length:5} lines: {place}")
                if length > 2 * limit:
                    too_long.append(f"{length} lines, at most {2 * limit}: {place}")
        for line in sorted(report, reverse=True):
            print(f"\n  {line}", end="")
        self.assertEqual(too_long, [], "\n" + "\n".join(too_long))

    def test_the_check_measures_functions(self):
        text = "namespace a {\nint f(int x) {\n  if (x) {\n  }\n  return 1;\n}\nclass b {\n  void g() const {\n    h();\n  }\n};\n}\n"
        self.assertEqual([(line, length) for line, _, length in functions(text)], [(2, 5), (8, 3)])


class Format(unittest.TestCase):
    def test_sources_are_as_the_formatter_leaves_them(self):
        files = tracked("*.h", "*.cpp")
        done = subprocess.run(["clang-format-14", "--dry-run", "-Werror", *files], cwd=ROOT, capture_output=True, text=True)
        places = sorted({m for m in re.findall(r"^(\S+?):\d+:\d+: error", done.stderr, re.MULTILINE)})
        self.assertEqual(done.returncode, 0, "run clang-format-14 -i on: " + " ".join(places))


class Paths(unittest.TestCase):
    # Built from parts, so that this file does not hold what it looks for.
    MACHINE = re.compile("|".join(re.escape("/" + p) for p in ("work/", "root/", "home/", "Users/")))

    def test_no_tracked_file_knows_a_machine(self):
        found = []
        for path in tracked():
            try:
                text = read(path)
            except UnicodeDecodeError:
                continue
            for number, line in enumerate(text.splitlines(), 1):
                match = self.MACHINE.search(line)
                if match and not re.search(r"[\w.}]$", line[:match.start()]):
                    found.append(f"{path}:{number}: {line.strip()[:120]}")
        self.assertEqual(found, [], "\n" + "\n".join(found))


class PackageLists(unittest.TestCase):
    def test_are_sorted_and_give_a_reason_for_each_package(self):
        for path in ("deploy/packages.txt", "deploy/packages-test.txt", "deploy/packages-test-full.txt", "deploy/packages-bench.txt"):
            lines = read(path).splitlines()
            for line in lines:
                self.assertRegex(line, r"^[a-z0-9][a-z0-9.+-]+\s+# \S.*$", path)
            names = [line.split()[0] for line in lines]
            self.assertEqual(names, sorted(set(names)), path)


class DirtyRecords(unittest.TestCase):
    SCHEMA = json.loads(read("docs/dirty-record.schema.json"))

    def test_the_golden_lines_fit_the_schema(self):
        jsonschema.Draft202012Validator.check_schema(self.SCHEMA)
        lines = read("tests/data/dirty-records.golden.jsonl").splitlines()
        self.assertGreater(len(lines), 2)
        for line in lines:
            jsonschema.validate(json.loads(line), self.SCHEMA)

    def test_the_schema_refuses_what_is_not_a_dirty_record(self):
        good = json.loads(read("tests/data/dirty-records.golden.jsonl").splitlines()[0])
        for change in ({"version": 2}, {"split": -1}, {"side": "sink"}, {"time": "yesterday"}, {"line": 0}, {"value": 5},
                       {"value": {"base64": "Y2Fm6Q="}}, {"code": ""}, {"record": [{"name": "a"}]}, {"more": 1}):
            with self.assertRaises(jsonschema.ValidationError, msg=change):
                jsonschema.validate({**good, **change}, self.SCHEMA)
        for name in good:
            with self.assertRaises(jsonschema.ValidationError, msg=name):
                jsonschema.validate({k: v for k, v in good.items() if k != name}, self.SCHEMA)

    def test_the_page_lists_each_member_and_each_code_and_no_other(self):
        page = read("docs/dirty-records.md")
        members, codes = page.split("## Codes")
        listed = re.findall(r"^\| `(\w+)` \|", members, re.MULTILINE)
        self.assertEqual(sorted(listed), sorted(self.SCHEMA["properties"]))
        # A C++ string may be continued on the next line.
        header = re.sub(r'"\s*\n\s*"', "", read("transport/record/dirty_codes.h"))
        known = re.findall(r'\{dirty_code::\w+,\s*"(\w+)",\s*"([^"]*)"\}', header)
        self.assertGreater(len(known), 10)
        self.assertEqual(re.findall(r"^\| `(\w+)` \| (.*) \|$", codes, re.MULTILINE), known)


class Scripts(unittest.TestCase):
    def test_shell_scripts_parse(self):
        for path in tracked("*.sh", ".ci/run"):
            self.assertEqual(subprocess.run(["bash", "-n", path], cwd=ROOT).returncode, 0, path)
