"""Every header compiles alone, and twice.

A header that some source file includes before all else is compiled alone by the build of the preset release, which has no
precompiled headers; only the others are compiled here."""

import concurrent.futures
import os
import re
import subprocess
import unittest

from checks.sources import ROOT, read, tracked

# The SIMD headers need the instructions that all presets compile for.
WARNINGS = ["-march=x86-64-v2", "-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Wconversion", "-Wno-sign-conversion", "-Werror"]

FIRST_INCLUDE = re.compile(r'^\s*#\s*include\s*["<]([^">]+)[">]', re.MULTILINE)


def included_first(sources):
    """What each of these source files, given as (path, text), includes before all else."""
    return {first.group(1) for path, text in sources if (first := FIRST_INCLUDE.search(text))}


def compile_alone(header, text=None):
    """The compiler's complaints about the header in a source file of its own; empty where there are none."""
    folder = ROOT / "build" / "checks" / "headers"
    folder.mkdir(parents=True, exist_ok=True)
    name = re.sub(r"[^A-Za-z0-9]", "_", header)
    source = folder / f"{name}.cpp"
    wanted = text if text is not None else f'#include "{header}"\n#include "{header}"\n'
    if not source.exists() or source.read_text() != wanted:
        source.write_text(wanted)
    # Objects, not -fsyntax-only: ccache keeps only those, and the second run of the check takes seconds.
    done = subprocess.run([ROOT / "deploy" / "compile.sh", ROOT, "g++", "-std=c++20", "-O0", *WARNINGS, f"-I{ROOT}",
                           "-c", source, "-o", folder / f"{name}.o"], capture_output=True, text=True, cwd=ROOT)
    return "" if done.returncode == 0 else f"{header}: {done.stderr[:1500]}"


class Headers(unittest.TestCase):
    def test_every_header_compiles_alone(self):
        headers = tracked("*.h")
        self.assertGreater(len(headers), 20)
        # Fuzz targets are in other presets.
        built = included_first((path, read(path)) for path in tracked("*.cpp") if not path.startswith("tests/fuzz/"))
        with concurrent.futures.ThreadPoolExecutor(min(os.cpu_count() or 2, 4)) as pool:
            complaints = [c for c in pool.map(compile_alone, (h for h in headers if h not in built)) if c]
        self.assertEqual(complaints, [], "\n" + "\n".join(complaints))

    def test_every_header_may_be_included_twice(self):
        self.assertEqual([h for h in tracked("*.h") if not re.search(r"^#pragma once$", read(h), re.MULTILINE)], [])

    def test_the_check_sees_a_header_that_needs_another(self):
        self.assertNotEqual(compile_alone("made up", "inline std::string f() { return {}; }\n"), "")

    def test_only_what_stands_first_is_taken_for_compiled_alone(self):
        sources = [("a.cpp", '// A comment.\n#include "x/a.h"\n\n#include "x/b.h"\n'), ("b.cpp", '#include <vector>\n#include "x/c.h"\n'),
                   ("c.cpp", "int c;\n")]
        self.assertEqual(included_first(sources), {"x/a.h", "vector"})
