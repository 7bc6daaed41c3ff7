"""The commands of the documentation are executed.

A fenced `sh` block behind a line `<!-- runnable -->` runs from the root of the tree with build/release/bin on the
PATH, in a copy of the environment with its own state folder; it must end with exit code 0. A block behind
`<!-- not run: reason -->` is left out. Every `sh` block must have one of the two.
"""

import os
import re
import subprocess
import tempfile
import unittest

from checks.sources import ROOT, read, tracked

BLOCK = re.compile(r"^(?:<!-- (.*?) -->\n)?```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(text):
    """(line, mark, commands) of each sh block; the mark is None where there is none."""
    return [(text.count("\n", 0, m.start()) + 1, m.group(1), m.group(2)) for m in BLOCK.finditer(text)]


class Documentation(unittest.TestCase):
    def test_every_sh_block_is_marked_and_every_runnable_one_succeeds(self):
        ran = 0
        for path in tracked("*.md"):
            for line, mark, commands in blocks(read(path)):
                with self.subTest(place=f"{path}:{line}"):
                    self.assertRegex(mark or "", r"^(runnable|not run: .+)$", "no mark in the line before the block")
                    if mark != "runnable":
                        continue
                    with tempfile.TemporaryDirectory(prefix="sluice docs ") as folder:
                        env = {**os.environ, "SLUICE_STATE": f"{folder}/state", "TMPDIR": folder,
                               "PATH": f"{ROOT}/build/release/bin:{os.environ['PATH']}"}
                        done = subprocess.run(["bash", "-euo", "pipefail", "-c", commands], cwd=ROOT, env=env, text=True,
                                              capture_output=True, timeout=300)
                        self.assertEqual(done.returncode, 0, commands + done.stdout + done.stderr)
                    ran += 1
        self.assertGreater(ran, 0, "no runnable block was found")

    def test_every_file_that_a_page_links_to_is_there(self):
        for path in tracked("*.md"):
            for target in re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", read(path)):
                with self.subTest(page=path, link=target):
                    self.assertTrue((ROOT / path).parent.joinpath(target).exists())

    def test_the_check_finds_blocks_with_and_without_marks(self):
        text = "a\n<!-- runnable -->\n```sh\ntrue\n```\n\n```sh\nfalse\n```\n```\nnot sh\n```\n"
        self.assertEqual(blocks(text), [(2, "runnable", "true\n"), (7, None, "false\n")])
