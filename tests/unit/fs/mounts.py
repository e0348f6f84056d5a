# SPDX-License-Identifier: MIT
"""What the mount tests share: a source directory for the double, a mount point, and waiting."""
import ctypes
import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

JETFS = os.environ.get("JETFS", "jetfs-double")
COMPLETE, ENVIRONMENT, USAGE, INCOMPLETE, ABORTED, CORRUPT, DIED, RUNNING = range(8)
DEADLINE_S = 30


def skip_reason():
    if not os.path.exists("/dev/fuse"):
        return "no /dev/fuse here"
    if os.geteuid() != 0 and shutil.which("fusermount3") is None:
        return "not root, and no fusermount3"
    return None


def wait_until(condition, what):
    end = time.monotonic() + DEADLINE_S
    while not condition():
        if time.monotonic() > end:
            raise AssertionError("waited too long: " + what)
        time.sleep(0.005)


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as f:
            return f.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def digest(path):
    h = hashlib.sha256()
    with open(path, "rb") as f:
        while block := f.read(1 << 20):
            h.update(block)
    return h.hexdigest()


class MountTest(unittest.TestCase):
    """self.src has a database of odd size and two logs; self.mnt is an empty directory."""

    size = 9 * (1 << 20) + 12345

    def setUp(self):
        if skip_reason():
            self.skipTest(skip_reason())
        self.dir = tempfile.mkdtemp(prefix="jetfs-test-")
        self.src = self.dir + "/src"
        self.mnt = self.dir + "/mnt"
        self.status_path = self.mnt + ".status.json"
        os.mkdir(self.src)
        os.mkdir(self.mnt)
        rng = random.Random(1)
        self.put("app.edb", rng.randbytes(self.size))
        self.put("edb00001.log", rng.randbytes(1 << 20))
        self.put("edb00002.log", rng.randbytes(1 << 20))
        self.drivers = []

    def tearDown(self):
        for pid in self.drivers:
            if alive(pid):
                os.kill(pid, signal.SIGKILL)
        if os.path.isdir(getattr(self, "mnt", "")):
            while subprocess.run(["umount", "-i", "-l", self.mnt], capture_output=True).returncode == 0:
                pass
        if hasattr(self, "dir"):
            shutil.rmtree(self.dir)

    def put(self, name, data):
        with open(f"{self.src}/{name}", "wb") as f:
            f.write(data)

    def run_jetfs(self, *args, code=COMPLETE):
        p = subprocess.run([JETFS, *args], capture_output=True, text=True, timeout=DEADLINE_S)
        self.assertEqual(p.returncode, code, p.stdout + p.stderr)
        return p.stdout + p.stderr

    def mount(self, *options, source=None):
        self.run_jetfs(source or self.src, self.mnt, *options)
        self.pid = self.live()["driver"]["pid"]
        self.drivers.append(self.pid)

    def live(self):
        with open(self.mnt + "/.jetfs/status") as f:
            return json.load(f)

    def status(self):
        with open(self.status_path) as f:
            return json.load(f)

    def files(self):
        return {f["name"]: f for f in self.status()["files"]}

    def calls(self):
        with open(self.src + "/.calls") as f:
            return f.read().split("\n")[:-1]

    def read_all(self):
        for name in os.listdir(self.mnt):
            digest(f"{self.mnt}/{name}")

    def umount(self):
        subprocess.run(["umount", self.mnt], check=True)

    def wait_for_driver(self):
        wait_until(lambda: not alive(self.pid), "the driver's end")

    def assert_unmounted(self):
        with open("/proc/self/mounts") as f:
            self.assertNotIn(self.mnt + " ", f.read())


def main():
    """In a mount namespace of its own where that can be: a copy of our mounts in one that another
    process makes meanwhile would keep them alive after their unmount."""
    if os.geteuid() == 0 and "MOUNTS_PY_ALONE" not in os.environ:
        os.environ["MOUNTS_PY_ALONE"] = "1"
        if subprocess.run(["unshare", "-m", "true"], capture_output=True).returncode == 0:
            os.execvp("unshare", ["unshare", "-m", sys.executable, "-B"] + sys.argv)
    unittest.main(verbosity=2)
