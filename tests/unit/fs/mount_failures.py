# SPDX-License-Identifier: MIT
"""What goes wrong: owner, driver, pages, paths. Each ends with the right status, and nothing hangs."""
import errno

from mounts import *


class Owner(MountTest):
    def setUp(self):
        super().setUp()
        self.put(".owner", b"")
        self.mount()
        self.assertTrue(self.live()["owner"]["live"])

    def assert_aborted(self):
        wait_until(lambda: self.status()["state"] == "done", "the final status")
        self.assertEqual(self.status()["result"]["name"], "aborted-by-server")
        self.assertEqual(self.status()["result"]["code"], -801)
        self.wait_for_driver()
        self.assert_unmounted()

    def test_death_of_an_idle_mounts_owner_ends_it(self):
        os.unlink(self.src + "/.owner")
        self.assert_aborted()
        self.run_jetfs("umount", self.mnt, code=ABORTED)  # it has gone by itself: no success

    def test_death_under_a_reader_gives_eio(self):
        with open(self.mnt + "/app.edb", "rb", buffering=0) as f:
            f.read(1)
            os.unlink(self.src + "/.owner")
            with self.assertRaises(OSError) as e:
                for off in range(0, self.size, 1 << 20):
                    os.pread(f.fileno(), 1 << 20, off)
                os.pread(f.fileno(), 1, 0)
            self.assertIn(e.exception.errno, (errno.EIO, errno.ENOTCONN, errno.ECONNABORTED))
        self.assert_aborted()

    def test_abort_after_everything_was_read_is_still_aborted(self):
        self.read_all()
        self.put(".abort", b"")
        out = self.run_jetfs("umount", self.mnt, code=ABORTED)
        self.assertIn("JET_errBackupAbortByServer", out)
        self.assert_aborted()

    def test_failing_end_is_no_success(self):
        self.read_all()
        self.put(".end", b"-801")
        self.run_jetfs("umount", self.mnt, code=ABORTED)

    def test_status_wait_returns_when_the_owner_dies(self):
        waiting = subprocess.Popen([JETFS, "status", "--wait", self.mnt], stdout=subprocess.DEVNULL)
        os.unlink(self.src + "/.owner")
        self.assertEqual(waiting.wait(DEADLINE_S), ABORTED)


class Driver(MountTest):
    def kill(self):
        self.mount()
        digest(self.mnt + "/app.edb")
        os.kill(self.pid, signal.SIGKILL)
        self.wait_for_driver()

    def test_status_of_a_killed_driver_cleans_up(self):
        self.kill()
        self.assertEqual(self.status()["state"], "running")
        out = self.run_jetfs("status", self.mnt, code=DIED)
        self.assertIn("driver-died", out)
        self.assertEqual(self.status()["result"]["name"], "driver-died")
        self.assert_unmounted()

    def test_umount_of_a_killed_driver_cleans_up(self):
        self.kill()
        self.run_jetfs("umount", self.mnt, code=DIED)
        self.assert_unmounted()

    def test_mount_over_a_killed_driver_works(self):
        self.kill()
        self.mount()
        self.read_all()
        self.run_jetfs("umount", self.mnt)

    def test_killed_and_unmounted_by_hand_is_noticed(self):
        self.kill()
        self.umount()
        self.run_jetfs("status", self.mnt, code=DIED)

    def test_wait_returns_when_the_driver_is_killed(self):
        self.mount()
        waiting = subprocess.Popen([JETFS, "status", "--wait", self.mnt], stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
        os.kill(self.pid, signal.SIGKILL)
        self.assertEqual(waiting.wait(DEADLINE_S), DIED)


class Pages(MountTest):
    def test_a_bad_page_is_eio_and_the_status_names_it(self):
        bad = 8192 * 700
        self.put(".bad", b"app.edb %d" % bad)
        self.mount()
        fd = os.open(self.mnt + "/app.edb", os.O_RDONLY)
        with open(self.src + "/app.edb", "rb") as f:
            data = f.read()
        self.assertEqual(os.pread(fd, 8192, bad - 8192), data[bad - 8192:bad])
        self.assertEqual(os.pread(fd, 8192, bad + 8192), data[bad + 8192:bad + 16384])
        with self.assertRaises(OSError) as e:
            os.pread(fd, 65536, bad - 20000)
        self.assertEqual(e.exception.errno, errno.EIO)
        os.close(fd)
        self.assertNotEqual(subprocess.run(["cp", self.mnt + "/app.edb", self.dir + "/out"],
                                           capture_output=True).returncode, 0)
        out = self.run_jetfs("umount", self.mnt, code=CORRUPT)
        self.assertIn("page 699", out)
        error = self.files()["app.edb"]["error"]
        self.assertEqual((error["code"], error["offset"], error["page"]), (-1018, bad, 699))

    def test_slow_source_is_right_and_unmounts(self):
        self.put(".slow", b"20")
        self.mount()
        subprocess.run(["cp", "-a", self.mnt, self.dir + "/copy"], check=True)
        self.assertEqual(digest(self.dir + "/copy/app.edb"), digest(self.src + "/app.edb"))
        self.run_jetfs("umount", self.mnt)


class Paths(MountTest):
    def refuse(self, *args, code=ENVIRONMENT):
        return self.run_jetfs(*args, code=code)

    def test_absent_mountpoint(self):
        self.assertIn("mkdir -p", self.refuse(self.src, self.dir + "/none"))
        self.assertIn("mkdir -p", self.refuse(self.src, self.dir + "/none/none"))

    def test_mountpoint_that_is_a_file_or_not_empty(self):
        self.assertIn("not a directory", self.refuse(self.src, self.src + "/app.edb"))
        os.mkdir(self.mnt + "/x")
        self.assertIn("not empty", self.refuse(self.src, self.mnt))

    def test_mountpoint_inside_the_data_and_round(self):
        os.mkdir(self.src + "/in")
        self.assertIn("within each other", self.refuse(self.src, self.src + "/in"))
        os.symlink(self.src, self.dir + "/link")
        self.assertIn("within each other", self.refuse(self.dir + "/link", self.src + "/in"))

    def test_mountpoint_beside_a_single_file(self):
        os.mkdir(self.src + "/in")
        self.mnt = self.src + "/in"
        self.mount(source=self.src + "/app.edb")
        self.assertEqual(digest(self.mnt + "/app.edb"), digest(self.src + "/app.edb"))
        self.run_jetfs("umount", self.mnt)

    def test_absent_source(self):
        self.assertIn("No such file", self.refuse(self.dir + "/none", self.mnt))

    def test_second_mount_is_refused_and_harms_nothing(self):
        self.mount()
        self.assertIn("already", self.refuse(self.src, self.mnt))
        self.assertEqual(self.status()["state"], "running")

    def test_running_backup_is_told_and_in_the_status(self):
        self.put(".busy", b"")
        self.assertIn("another backup session", self.refuse(self.src, self.mnt))
        self.assertEqual(self.status()["result"]["name"], "failed")
        self.assertEqual(self.status()["result"]["code"], -505)

    def test_holder_of_a_running_backup_is_named(self):
        self.put(".busy", b"4711 restic")
        message = self.refuse(self.src, self.mnt)
        self.assertIn("restic (pid 4711)", message)
        self.assertIn("end that program", message)
        self.put(".busy", b"1 app")  # 1: the owner itself
        message = self.refuse(self.src, self.mnt)
        self.assertIn("app (pid ", message)
        self.assertNotIn("end that program", message)

    def test_failed_start_keeps_what_was_carried(self):
        self.mount()
        self.read_all()
        self.run_jetfs("umount", self.mnt)
        self.put(".busy", b"")
        self.refuse(self.src, self.mnt)
        os.unlink(self.src + "/.busy")
        self.mount()
        self.assertTrue(self.files()["edb00001.log"]["carried"])

    def test_status_elsewhere(self):
        path = self.dir + "/elsewhere.json"
        self.mount("-o", "status=" + path)
        self.read_all()
        self.run_jetfs("umount", self.mnt)
        self.assertFalse(os.path.exists(self.status_path))
        with open(path) as f:
            self.assertEqual(json.load(f)["result"]["name"], "complete")

    def test_status_that_cannot_be_written(self):
        out = self.refuse(self.src, self.mnt, "-o", "status=" + self.dir + "/none/x.json")
        self.assertIn("-o status=", out)
        self.assert_unmounted()

    def test_status_file_that_is_a_link_is_replaced_not_followed(self):
        victim = self.dir + "/victim"
        with open(victim, "w") as f:
            f.write("precious")
        os.symlink(victim, self.status_path)
        self.mount()
        self.umount()
        self.wait_for_driver()
        with open(victim) as f:
            self.assertEqual(f.read(), "precious")

    def test_usage(self):
        for args in ((), ("a",), ("a", "b", "c"), ("umount",), ("status",), ("verify",), ("restore", "a"),
                     (self.src, self.mnt, "-o", "cache=fast"), (self.src, self.mnt, "--nothing"),
                     ("umount", "--abort", "--truncate", self.mnt)):
            self.refuse(*args, code=USAGE)

    def test_umount_and_status_of_nothing(self):
        self.assertIn("not mounted", self.refuse("umount", self.mnt))
        self.assertIn("nothing is known", self.refuse("status", self.mnt))
        self.assertIn("not a mount of jetfs", self.refuse("umount", "/proc"))

    def test_verify_and_restore_exit_by_what_the_engine_says(self):
        self.assertIn("good", self.run_jetfs("verify", self.src))
        self.run_jetfs("restore", self.src, self.dir + "/target")
        self.put(".verify", b"-1018")
        self.put(".restore", b"-501")
        self.run_jetfs("verify", self.src, code=CORRUPT)
        self.run_jetfs("restore", self.src, self.dir + "/target", code=CORRUPT)
        self.put(".restore", b"-528")
        self.run_jetfs("restore", self.src, self.dir + "/target", code=ENVIRONMENT)


main()
