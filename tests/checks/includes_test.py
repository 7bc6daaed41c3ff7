"""Include directions: layers.txt is the table."""

import fnmatch
import re
import unittest

from checks.sources import read, tracked

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.MULTILINE)


class Table:
    """layers.txt, with what each layer may include, directly or through others."""

    def __init__(self, text):
        self.layers = []  # (name, patterns), in order
        direct = {}
        self.libraries = []  # (include prefix, patterns)
        for line in text.splitlines():
            line = line.split("#")[0].strip()
            if not line:
                continue
            kind, rest = line.split(" ", 1)
            name, rest = rest.split(":", 1)
            if kind == "layer":
                patterns, allowed = rest.split("->")
                self.layers.append((name, patterns.split()))
                direct[name] = allowed.split()
            elif kind == "library":
                self.libraries.append((name, rest.split()))
            else:
                raise ValueError(f"neither layer nor library: {line}")
        unknown = {a for allowed in direct.values() for a in allowed} - set(direct)
        if unknown:
            raise ValueError(f"layers that are not in the table: {unknown}")
        self.allowed = {name: self._closure(name, direct) for name in direct}

    @staticmethod
    def _closure(name, direct):
        found = {name}
        to_do = [name]
        while to_do:
            for other in direct[to_do.pop()]:
                if other not in found:
                    found.add(other)
                    to_do.append(other)
        return found

    def layer_of(self, path):
        for name, patterns in self.layers:
            if any(fnmatch.fnmatchcase(path, p) for p in patterns):
                return name
        return None

    def violations(self, path, text, ours):
        """What `path` includes and must not. `ours` holds the paths of the tree's own headers."""
        layer = self.layer_of(path)
        if layer is None:
            return [f"{path} is in no layer of layers.txt"]
        found = []
        for bracket, included in INCLUDE.findall(text):
            if included in ours:
                other = self.layer_of(included)
                if other not in self.allowed[layer]:
                    found.append(f"{path} ({layer}) includes {included} ({other})")
                continue
            if bracket == '"':
                found.append(f"{path} includes \"{included}\", which is no path from the root")
            for prefix, patterns in self.libraries:
                if included.startswith(prefix) and not any(fnmatch.fnmatchcase(path, p) for p in patterns):
                    found.append(f"{path} includes <{included}>, which only {' '.join(patterns)} may")
        return found


TABLE = Table(read("tests/checks/layers.txt"))


class IncludeDirections(unittest.TestCase):
    def test_every_file_includes_only_what_its_layer_may(self):
        files = tracked("*.h", "*.cpp")
        self.assertGreater(len(files), 20)
        ours = set(files)
        found = [v for path in files for v in TABLE.violations(path, read(path), ours)]
        self.assertEqual(found, [], "\n" + "\n".join(found))

    def test_the_check_sees_each_kind_of_violation(self):
        ours = {"transport/base/error.h", "actors/protocol/caf.h", "jobspec/job.h", "jobspec/option.h",
                "plugins/text/text_reader.h", "plugins/api/plugin.h", "transport/record/type.h"}
        wrong = [
            ("transport/base/x.cpp", '#include "transport/record/type.h"'),
            ("plugins/api/x.h", '#include "jobspec/job.h"'),
            ("plugins/api/x.h", '#include "actors/protocol/caf.h"'),
            ("plugins/sqlite/x.cpp", '#include "plugins/text/text_reader.h"'),
            ("actors/pipeline/x.cpp", '#include "plugins/text/text_reader.h"'),
            ("actors/pipeline/x.cpp", "#include <caf/all.hpp>"),
            ("plugins/sqlite/x.cpp", "  # include <sqlite3.h>"),
            ("transport/record/x.cpp", '#include "type.h"'),
            ("elsewhere/x.cpp", ""),
        ]
        for path, text in wrong:
            self.assertEqual(len(TABLE.violations(path, text, ours)), 1, (path, text))
        right = [
            ("plugins/api/x.h", '#include "jobspec/option.h"'),
            ("plugins/text/x.cpp", '#include "transport/base/error.h"'),
            ("tools/x.cpp", '#include "actors/protocol/caf.h"\n#include <CLI/CLI.hpp>'),
            ("tests/unit/x.cpp", '#include "plugins/text/text_reader.h"'),
        ]
        for path, text in right:
            self.assertEqual(TABLE.violations(path, text, ours), [], (path, text))
