# SPDX-License-Identifier: MIT
"""The result of a session: by what was served, by whom it was ended, and how the verbs tell."""
from mounts import *


class Session(MountTest):
    def test_everything_read_is_complete_and_ends_normally(self):
        self.mount()
        self.read_all()
        out = self.run_jetfs("umount", self.mnt)
        self.assertIn("complete", out)
        self.assertEqual(self.calls(), ["begin", "end normal", "disconnect"])
        self.assertEqual(self.status()["result"]["exit"], COMPLETE)
        self.assert_unmounted()

    def test_a_missing_byte_is_incomplete_and_named(self):
        self.mount()
        for name in ("edb00001.log", "edb00002.log"):
            digest(f"{self.mnt}/{name}")
        fd = os.open(self.mnt + "/app.edb", os.O_RDONLY)
        for off in range(0, self.size - 1, 8192):
            os.pread(fd, min(8192, self.size - 1 - off), off)
        os.close(fd)
        out = self.run_jetfs("umount", self.mnt, code=INCOMPLETE)
        self.assertIn(f"app.edb ({self.size - 1} of {self.size} bytes)", out)
        self.assertNotIn("edb00001.log (", out)
        self.assertEqual(self.calls()[1], "end abort")
        self.assertFalse(self.files()["app.edb"]["complete"])
        self.assertTrue(self.files()["edb00001.log"]["complete"])

    def test_the_manifest_is_not_required(self):
        self.mount()
        for name in ("app.edb", "edb00001.log", "edb00002.log"):
            digest(f"{self.mnt}/{name}")
        self.run_jetfs("umount", self.mnt)

    def test_truncate_truncates_only_a_complete_session(self):
        self.mount()
        self.run_jetfs("umount", "--truncate", self.mnt, code=INCOMPLETE)
        self.assertNotIn("truncate", self.calls())
        self.mount()
        self.read_all()
        self.run_jetfs("umount", "--truncate", self.mnt)
        self.assertEqual(self.calls()[-3:], ["truncate", "end normal", "disconnect"])

    def test_abort_ends_at_once_even_complete_and_busy(self):
        self.mount()
        self.read_all()
        with open(self.mnt + "/app.edb", "rb") as f:
            out = self.run_jetfs("umount", "--abort", self.mnt, code=INCOMPLETE)
            self.assertIn("aborted on request", out)
            with self.assertRaises(OSError):
                f.read()
        self.assertEqual(self.calls()[1:], ["end abort", "disconnect"])
        self.assert_unmounted()

    def test_busy_umount_names_the_holder_and_goes_on(self):
        self.mount()
        with open(self.mnt + "/app.edb", "rb"):
            out = self.run_jetfs("umount", self.mnt, code=ENVIRONMENT)
            self.assertIn(f"{os.getpid()} (", out)
            self.assertEqual(self.live()["state"], "running")
        self.read_all()
        self.run_jetfs("umount", self.mnt)

    def test_logs_of_a_complete_session_count_as_served_in_the_next(self):
        self.mount()
        self.read_all()
        self.run_jetfs("umount", self.mnt)
        self.put("edb00003.log", b"new" * 1000)
        self.mount()
        self.assertTrue(self.files()["edb00001.log"]["carried"])
        digest(self.mnt + "/app.edb")
        out = self.run_jetfs("umount", self.mnt, code=INCOMPLETE)
        self.assertIn("edb00003.log (0 of 3000 bytes)", out)
        self.assertNotIn("edb00001.log (", out)
        self.mount()  # an incomplete session in between changes nothing
        for name in ("app.edb", "edb00003.log"):
            digest(f"{self.mnt}/{name}")
        self.run_jetfs("umount", self.mnt)

    def test_changed_and_foreign_logs_are_not_carried(self):
        self.mount()
        self.read_all()
        self.run_jetfs("umount", self.mnt)
        self.put("edb00001.log", b"x" * (1 << 20))
        self.mount()
        self.assertFalse(self.files()["edb00001.log"]["carried"])
        self.assertTrue(self.files()["edb00002.log"]["carried"])
        self.run_jetfs("umount", self.mnt, code=INCOMPLETE)
        self.put(".signature", b"77")
        self.mount()
        self.assertFalse(self.files()["edb00002.log"]["carried"])

    def test_status_shows_running_then_waits_for_the_result(self):
        self.mount()
        self.run_jetfs("status", self.mnt, code=RUNNING)
        self.read_all()
        waiting = subprocess.Popen([JETFS, "status", "--wait", "--json", self.mnt],
                                   stdout=subprocess.PIPE)
        self.umount()
        out = waiting.communicate(timeout=DEADLINE_S)[0]
        self.assertEqual(waiting.returncode, COMPLETE)
        self.assertEqual(json.loads(out)["result"]["name"], "complete")
        self.assertIn("complete", self.run_jetfs("status", self.mnt))

    def test_sigterm_ends_by_the_rule_and_unmounts(self):
        for read, sig, result in ((True, signal.SIGTERM, "complete"),
                                  (False, signal.SIGINT, "incomplete")):
            self.mount()
            if read:
                self.read_all()
            else:
                self.put("edb00009.log", b"not read")
                self.umount()
                self.wait_for_driver()
                self.mount()
            os.kill(self.pid, sig)
            self.wait_for_driver()
            self.assertEqual(self.status()["result"]["name"], result)
            self.assert_unmounted()

    def test_sigterm_with_a_reader_gives_eio_and_goes(self):
        self.mount()
        with open(self.mnt + "/app.edb", "rb", buffering=0) as f:
            f.read(1000)
            os.kill(self.pid, signal.SIGTERM)
            wait_until(lambda: self.status()["state"] == "done", "the final status")
            with self.assertRaises(OSError):
                while f.read(1 << 20):
                    pass
        self.wait_for_driver()
        self.assert_unmounted()

    def test_umount_helper_waits_and_exits_by_the_result(self):
        helper = self.dir + "/umount.fuse.jetfs"
        os.symlink(JETFS, helper)
        self.mount()
        self.assertEqual(subprocess.run([helper, self.mnt, "-n"]).returncode, INCOMPLETE)
        self.assertFalse(alive(self.pid))
        self.mount()
        self.read_all()
        self.assertEqual(subprocess.run([helper, self.mnt]).returncode, COMPLETE)

    def test_umount_8_waits_where_the_helper_is_installed(self):
        """In a mount namespace of its own, with the helper in /sbin. With an absolute path and no
        option, libmount 2.38 knows the type from statfs() only, "fuse", and asks for no helper."""
        os.mkdir(self.dir + "/upper")
        os.mkdir(self.dir + "/work")
        script = f"""set -e
            mount --make-rprivate /
            mount -t tmpfs none {self.dir}/upper
            mkdir {self.dir}/upper/u {self.dir}/upper/w
            mount -t overlay none -o lowerdir=/usr/sbin,upperdir={self.dir}/upper/u,workdir={self.dir}/upper/w /usr/sbin
            ln -sf {JETFS} /usr/sbin/umount.fuse.jetfs
            {JETFS} {self.src} {self.mnt}
            cat {self.mnt}/* > /dev/null
            pid=$(sed -n 's/.*"pid" : \\([0-9]*\\).*/\\1/p' {self.mnt}/.jetfs/status | head -1)
            cd {self.dir}
            umount mnt
            ! grep "^State:.*[RSD] " /proc/$pid/status >&2
        """
        p = subprocess.run(["unshare", "-m", "sh", "-c", script], capture_output=True, text=True)
        if "overlay" in p.stderr or "permitted" in p.stderr:
            self.skipTest("no mount namespace or overlay here: " + p.stderr.strip())
        self.assertEqual(p.returncode, 0, p.stderr)
        self.assertEqual(self.status()["result"]["name"], "complete")

    def test_umount_of_a_mount_copied_into_another_namespace_ends_it(self):
        self.mount()
        self.read_all()
        holder = subprocess.Popen(["unshare", "-m", "sh", "-c", "echo; read x"],
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        holder.stdout.read(1)
        self.run_jetfs("umount", self.mnt)
        self.assertEqual(self.status()["state"], "done")
        holder.communicate(b"x", timeout=DEADLINE_S)

    def test_foreground_exits_by_the_result(self):
        driver = subprocess.Popen([JETFS, self.src, self.mnt, "-f"], stderr=subprocess.DEVNULL)
        wait_until(lambda: os.path.exists(self.mnt + "/app.edb"), "the mount")
        self.read_all()
        self.umount()
        self.assertEqual(driver.wait(DEADLINE_S), COMPLETE)

    def test_one_database_file_is_mounted_alone(self):
        self.mount(source=self.src + "/app.edb")
        self.assertEqual(sorted(os.listdir(self.mnt)), ["app.edb", "backup.json"])
        self.assertFalse(self.live()["owner"]["live"])

    def test_remounting_leaks_nothing(self):
        for _ in range(20):
            self.mount()
            self.read_all()
            self.run_jetfs("umount", self.mnt)
        self.assertEqual(sorted(os.listdir(self.dir)), ["mnt", "mnt.status.json", "src"])


main()
