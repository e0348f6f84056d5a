# SPDX-License-Identifier: MIT
"""What jetfs says of itself is the same everywhere: --help, the manual pages, the README."""
import os
import re
import shutil
import subprocess
import tempfile
import unittest

JETFS = os.environ.get("JETFS", "jetfs-double")
TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..")


def jetfs(*args):
    p = subprocess.run([JETFS, *args], capture_output=True, text=True, timeout=30)
    return p.returncode, p.stdout, p.stderr


def text_of(*path):
    with open(os.path.join(TOP, *path), encoding="utf-8") as f:
        return f.read()


def section(help_text, title):
    """The indented lines below `title:`."""
    return re.search(rf"^{title}:\n((?:  .*\n)*)", help_text, re.M).group(1).splitlines()


def verbs():
    return [line.split()[0] for line in section(jetfs("--help")[1], "Verbs") if line.split()[0] != "help"]


def help_options(verb):
    """{("-o", "--options", "LIST"), ...}; --help itself, which jetfs(1) has, is left out."""
    found = set()
    for line in section(jetfs(verb, "--help")[1], "Options"):
        short, name, value = re.match(r"  (?:(-\w), )?\s*(--[\w-]+)(?:=(\S+))?", line).groups()
        found.add((short, name, value))
    return found - {("-h", "--help", None)}


def page(name):
    return text_of("doc", name)


def page_section(text, title):
    found = re.search(rf"^\.SH {title}\n(.*?)(?=^\.SH|\Z)", text, re.M | re.S)
    return found.group(1) if found else ""


def plain(line):
    """A line of a page without its markup."""
    macro = re.match(r"\.([BIR]{1,2}) (.*)", line)
    if macro:
        parts = re.findall(r'"([^"]*)"|(\S+)', macro.group(2))
        joint = "" if len(macro.group(1)) == 2 else " "
        line = joint.join(a or b for a, b in parts)
    return re.sub(r"\\f[BIRP]", "", line).replace("\\-", "-")


def tags(text):
    lines = text.splitlines()
    return [plain(lines[i + 1]) for i, line in enumerate(lines) if line == ".TP"]


def page_options(verb):
    found = set()
    for tag in tags(page_section(page(f"jetfs-{verb}.1"), "OPTIONS")):
        match = re.fullmatch(r"(?:(-\w), )?(--[\w-]+)(?:[= ](\S+))?", tag)
        if match:
            found.add(match.groups())
        elif tag.startswith("-"):
            found.add(tag)
    return found


def bare(text):
    """Words only, for texts that differ in markup."""
    text = " ".join(plain(line) for line in text.splitlines())
    return re.sub(r"\s+", " ", re.sub(r"[`.\"]", "", text)).strip().lower().replace(" :", ":")


class Help(unittest.TestCase):
    def test_of_each_verb_is_the_same_by_both_ways(self):
        for verb in verbs():
            code, out, err = jetfs(verb, "--help")
            self.assertEqual((code, err), (0, ""), verb)
            self.assertIn(f"jetfs {verb} ", out.splitlines()[1])
            self.assertEqual(jetfs("help", verb), (code, out, err))
            self.assertIn(f"jetfs-{verb}(1)", out)

    def test_without_a_verb_lists_them(self):
        for args in (("--help",), ("-h",), ("help",)):
            self.assertEqual(jetfs(*args), jetfs("--help"))
        self.assertGreaterEqual(len(verbs()), 5)

    def test_version(self):
        code, out, _ = jetfs("--version")
        version = re.search(r"version: '([^']*)'", text_of("meson.build")).group(1)
        self.assertEqual((code, out), (0, f"jetfs {version}\n"))


class Mistakes(unittest.TestCase):
    def assert_mistake(self, *args, saying):
        code, out, err = jetfs(*args)
        self.assertEqual((code, out), (2, ""), args)
        for words in saying:
            self.assertIn(words, err)
        self.assertEqual(len(err.splitlines()), 2, err)

    def test_each_verb_tells_what_is_wrong_and_where_the_help_is(self):
        for verb in verbs():
            self.assert_mistake(verb, "--nonsense", saying=["--nonsense", f"`jetfs {verb} --help`"])
            many = ["x"] * 40
            if jetfs(verb, *many)[0] == 2:
                self.assert_mistake(verb, *many, saying=[f"usage: jetfs {verb}", "`jetfs"])

    def test_verbs(self):
        self.assert_mistake(saying=["a verb is missing"])
        self.assert_mistake("nonsense", saying=["'nonsense' is no verb", "`jetfs --help`"])
        self.assert_mistake("unmount", "/mnt", saying=["did you mean `jetfs umount`?"])
        self.assert_mistake("help", "stauts", saying=["did you mean `jetfs status`?"])

    def test_arguments(self):
        self.assert_mistake("status", saying=["give MOUNTPOINT"])
        self.assert_mistake("status", "a", "b", saying=["'b'"])
        self.assert_mistake("umount", "--abort", "--truncate", "/mnt", saying=["exclude each other"])


class Manuals(unittest.TestCase):
    maxDiff = None

    def test_each_verb_has_a_page_that_is_installed(self):
        installed = set(re.findall(r"'(jetfs[\w.@-]*\.\d)'", text_of("doc", "meson.build")))
        for verb in verbs():
            self.assertIn(f"jetfs-{verb}.1", installed)
            self.assertIn(f".TH JETFS-{verb.upper()} 1", page(f"jetfs-{verb}.1"))
            self.assertRegex(page(f"jetfs-{verb}.1"), rf"jetfs-{verb} \\- ")
        on_disk = {name for name in os.listdir(os.path.join(TOP, "doc")) if re.search(r"\.\d$", name)}
        self.assertEqual(installed, on_disk)

    def test_options_of_each_verb_are_those_of_its_help(self):
        for verb in verbs():
            self.assertEqual(page_options(verb), help_options(verb), verb)

    def test_json_says_what_may_be_added(self):
        for verb in verbs():
            if any(name == "--json" for _, name, _ in help_options(verb)):
                self.assertRegex(page(f"jetfs-{verb}.1"), r"may be added|\.BR jetfs-status \(5\)\.", verb)
        self.assertIn("ignore members", page("jetfs-status.5"))

    def test_checks_of_doctor_are_those_of_its_code(self):
        code = "".join(text_of("fs", name) for name in os.listdir(os.path.join(TOP, "fs"))
                       if re.match(r"(cmd_)?doctor\w*\.c$", name))
        call = r'doctor_(?:good|add|take)\(\w+,(?: [\w ]+,)?\s*"([a-z0-9-]+)"'
        known = set(re.findall(call, code)) | set(re.findall(r'[?:] "([a-z-]+)"', code))
        manual = tags(page_section(page("jetfs-doctor.1"), "CHECKS"))
        self.assertEqual(set(manual), known)

    def test_words_of_o_are_those_that_the_program_knows(self):
        words = re.search(r"known are ([^;\n]*)", jetfs("a", "b", "-o", "nonsense")[2]).group(1)
        known = {re.match(r"\w+", word).group(0) for word in words.split(", ")}
        manual = set()
        for tag in tags(page_section(page("jetfs-mount.1"), "OPTIONS")):
            if not tag.startswith("-"):
                manual |= {re.match(r"\w+", word).group(0) for word in tag.split(", ")}
        self.assertEqual(manual, known)

    def test_jetfs_1_lists_the_verbs_and_every_page(self):
        listed = [tag.split()[0] for tag in tags(page_section(page("jetfs.1"), "VERBS"))]
        self.assertEqual(listed, verbs() + ["help"])
        see = page_section(page("jetfs.1"), "SEE ALSO")
        for verb in verbs():
            self.assertIn(f".BR jetfs-{verb} (1)", see)


class Completion(unittest.TestCase):
    """What bash would offer after a line, with the cursor at its end."""

    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix="jetfs-test-")
        os.symlink(os.path.abspath(JETFS), self.dir + "/jetfs")
        os.mkdir(self.dir + "/sub")

    def tearDown(self):
        shutil.rmtree(self.dir)

    def offers(self, line):
        # as readline splits it: "=" is a word of its own
        words = [w for w in re.split(r"(=)|\s+", line) if w]
        if line.endswith(" ") or line.endswith("="):
            words.append("")
        script = f"""source '{TOP}/packaging/completion/jetfs'
            COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMP_LINE='{line}'; COMP_POINT={len(line)}
            _jetfs; printf '%s\\n' "${{COMPREPLY[@]}}"
            """
        env = {**os.environ, "PATH": self.dir + ":" + os.environ["PATH"]}
        p = subprocess.run(["bash", "-c", script, "bash", *words], capture_output=True, text=True,
                           cwd=self.dir, env=env, timeout=30)
        self.assertEqual((p.returncode, p.stderr), (0, ""))
        return {word for word in p.stdout.split("\n") if word}

    def test_verbs(self):
        self.assertEqual(self.offers("jetfs "), set(verbs()) | {"help", "jetfs", "sub"})
        self.assertEqual(self.offers("jetfs um"), {"umount"})
        self.assertEqual(self.offers("jetfs help sta"), {"status"})
        self.assertEqual(self.offers("jetfs --v"), {"--version"})

    def test_options_of_every_verb(self):
        for verb in verbs():
            wanted = {"-h", "--help"}
            for short, name, _ in help_options(verb):
                wanted |= {short, name} - {None}
            self.assertEqual(self.offers(f"jetfs {verb} -"), wanted, verb)
        self.assertIn("--foreground", self.offers("jetfs ./sub -"))

    def test_words_of_o(self):
        self.assertLessEqual({"recovered", "allow_other", "cache=page", "status="},
                             self.offers("jetfs a b -o "))
        self.assertEqual(self.offers("jetfs a b -o recovered,cache=p"), {"page"})
        self.assertEqual(self.offers("jetfs a b -o recovered,allow_o"), {"recovered,allow_other"})

    def test_paths(self):
        self.assertEqual(self.offers("jetfs verify s"), {"sub"})
        self.assertEqual(self.offers("jetfs umount s"), {"sub"})
        self.assertEqual(self.offers("jetfs list s"), set())


class ExitCodes(unittest.TestCase):
    def test_are_the_same_in_help_readme_and_manual(self):
        rows = [re.match(r"  (\d)  (.*)", line).groups()
                for line in section(jetfs("--help")[1], "Exit codes")]
        table = {int(code): bare(text) for code, text in rows}
        self.assertEqual(sorted(table), list(range(8)))

        readme = re.findall(r"^\| (\d) \| (.*) \|$", text_of("README.md"), re.M)
        self.assertEqual({int(code): bare(text) for code, text in readme}, table)

        manual = page_section(page("jetfs.1"), "EXIT STATUS").split(".TP\n")[1:]
        self.assertEqual({int(plain(item.splitlines()[0])): bare(item.split("\n", 1)[1])
                          for item in manual}, table)

        header = re.findall(r"^    EXIT_\w+ = (\d),", text_of("fs", "exit.h"), re.M)
        self.assertEqual([int(code) for code in header], sorted(table))


unittest.main(verbosity=2)
