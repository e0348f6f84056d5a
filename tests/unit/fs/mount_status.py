# SPDX-License-Identifier: MIT
"""Whoever opens the status file after the unmount reads the final result: raced, many times.

STATUS_ROUNDS (or the first argument) is the number of rounds; 50 when not given.
"""
import sys
import threading

from mounts import *

ROUNDS = int(os.environ.get("STATUS_ROUNDS", "50"))
if len(sys.argv) > 1 and sys.argv[1].isdigit():
    ROUNDS = int(sys.argv.pop(1))
    os.environ["STATUS_ROUNDS"] = str(ROUNDS)


class StatusAfterUnmount(MountTest):
    size = 100000

    def race(self, unmount, readers=0):
        """Unmounts at once followed by a read; `readers` keep reading it all the while."""
        late = 0
        for i in range(ROUNDS):
            self.mount()
            digest(self.mnt + "/edb00001.log")
            if i % 2:
                self.read_all()
            stop, broken = threading.Event(), []

            def poll():
                while not stop.is_set():
                    try:
                        self.status()
                    except ValueError as e:
                        broken.append(repr(e))

            threads = [threading.Thread(target=poll) for _ in range(readers)]
            for t in threads:
                t.start()
            subprocess.run(unmount, check=True)
            status = self.status()
            stop.set()
            for t in threads:
                t.join()
            late += status["state"] != "done"
            if status["state"] == "done":
                self.assertEqual(status["result"]["name"], "complete" if i % 2 else "incomplete")
            self.assertEqual(broken, [])
            self.wait_for_driver()
        self.assertEqual(late, 0, f"{late} of {ROUNDS} rounds read an interim status")

    def test_umount_then_read_is_final(self):
        self.race(["umount", "-i", self.mnt])

    @unittest.skipUnless(shutil.which("fusermount3"), "no fusermount3 here")
    def test_fusermount_then_read_is_final(self):
        self.race(["fusermount3", "-u", self.mnt])

    def test_umount_among_readers_then_read_is_final(self):
        self.race(["umount", "-i", self.mnt], readers=3)

    def test_status_is_readable_while_mounted(self):
        self.mount()
        first = self.status()
        self.assertEqual((first["state"], first["bytes"]["served"]), ("running", 0))
        self.assertTrue(first["lease"])
        digest(self.mnt + "/app.edb")
        wait_until(lambda: self.status()["bytes"]["served"] == self.size, "the count")
        self.assertEqual(self.status()["state"], "running")

    def test_a_reader_that_keeps_it_open_delays_nobody(self):
        self.mount()
        with open(self.status_path) as held:
            self.umount()
            self.assertEqual(self.status()["state"], "done")
            self.assertEqual(json.load(held)["state"], "running")


main()
