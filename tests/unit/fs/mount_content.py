# SPDX-License-Identifier: MIT
"""The files of a mount are those of the source, whoever reads them and however."""
import errno
import mmap
import os
import random
import shutil
import stat
import subprocess
import threading

from mounts import *


class Content(MountTest):
    mode = "window"

    def setUp(self):
        super().setUp()
        self.mount("-o", f"cache={self.mode}")

    def run_tool(self, *args):
        subprocess.run(args, check=True, capture_output=True)

    def assert_copied(self, copy):
        for name in ("app.edb", "edb00001.log", "edb00002.log"):
            self.assertEqual(digest(f"{copy}/{name}"), digest(f"{self.src}/{name}"), name)

    def test_cp_copies_all_and_is_complete(self):
        self.run_tool("cp", "-a", self.mnt, self.dir + "/copy")
        self.assert_copied(self.dir + "/copy")
        self.run_jetfs("umount", self.mnt)
        self.assertEqual(self.status()["result"]["name"], "complete")

    def test_cp_sparse_copies_all(self):
        self.run_tool("cp", "-a", "--sparse=always", self.mnt, self.dir + "/copy")
        self.assert_copied(self.dir + "/copy")

    @unittest.skipUnless(shutil.which("rsync"), "no rsync here")
    def test_rsync_copies_all_and_then_nothing(self):
        copy = self.dir + "/copy"
        self.run_tool("rsync", "-a", self.mnt + "/", copy)
        self.assert_copied(copy)
        again = subprocess.run(["rsync", "-ai", self.mnt + "/", copy], capture_output=True, text=True)
        self.assertEqual((again.returncode, again.stdout), (0, ""))
        self.run_tool("rsync", "-ac", self.mnt + "/", copy)

    def test_tar_copies_all(self):
        os.mkdir(self.dir + "/copy")
        self.run_tool("sh", "-c", f"tar -C {self.mnt} -cf - . | tar -C {self.dir}/copy -xf -")
        self.assert_copied(self.dir + "/copy")

    def test_dd_of_odd_sizes_copies_all(self):
        for bs in (4093, 65537, 1 << 20, (1 << 20) + 1, 3 << 20):
            self.run_tool("dd", f"if={self.mnt}/app.edb", f"of={self.dir}/out", f"bs={bs}")
            self.assertEqual(digest(self.dir + "/out"), digest(self.src + "/app.edb"), bs)

    def test_dd_direct_copies_all(self):
        self.run_tool("dd", f"if={self.mnt}/app.edb", f"of={self.dir}/out", "bs=1M", "iflag=direct")
        self.assertEqual(digest(self.dir + "/out"), digest(self.src + "/app.edb"))

    def test_pread_anywhere_is_right(self):
        with open(self.src + "/app.edb", "rb") as f:
            data = f.read()
        rng = random.Random(2)
        fd = os.open(self.mnt + "/app.edb", os.O_RDONLY)
        for _ in range(500):
            off, n = rng.randrange(self.size + 100), rng.choice((1, 512, 8192, 100001, 2 << 20))
            self.assertEqual(os.pread(fd, n, off), data[off:off + n], (off, n))
        self.assertEqual(os.pread(fd, 10, self.size), b"")
        os.close(fd)

    def test_8_readers_at_once_are_right(self):
        want = digest(self.src + "/app.edb")
        got = []

        def read(i):
            h = hashlib.sha256()
            with open(self.mnt + "/app.edb", "rb", buffering=0) as f:
                while block := f.read((10 << 10) + i * 60001):
                    h.update(block)
            got.append(h.hexdigest())

        threads = [threading.Thread(target=read, args=(i,)) for i in range(8)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        self.assertEqual(got, [want] * 8)

    def test_readers_sharing_one_descriptor_are_right(self):
        with open(self.src + "/app.edb", "rb") as f:
            data = f.read()
        fd = os.open(self.mnt + "/app.edb", os.O_RDONLY)
        wrong = []

        def read(i):
            for off in range(i * 131072, self.size, 8 * 131072):
                if os.pread(fd, 131072, off) != data[off:off + 131072]:
                    wrong.append(off)

        threads = [threading.Thread(target=read, args=(i,)) for i in range(8)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        os.close(fd)
        self.assertEqual(wrong, [])

    def test_private_mmap_is_right(self):
        with open(self.mnt + "/app.edb", "rb") as f:
            with mmap.mmap(f.fileno(), 0, flags=mmap.MAP_PRIVATE, prot=mmap.PROT_READ) as m:
                self.assertEqual(hashlib.sha256(m).hexdigest(), digest(self.src + "/app.edb"))

    def test_attributes_are_stable_and_private(self):
        a = os.stat(self.mnt + "/edb00001.log")
        source = os.stat(self.src + "/edb00001.log")
        self.assertEqual((a.st_size, a.st_mtime_ns, a.st_ino),
                         (source.st_size, source.st_mtime_ns, source.st_ino))
        self.assertEqual(stat.S_IMODE(a.st_mode), 0o400)
        self.assertEqual(a.st_blksize, 1 << 20)
        self.assertEqual(len({os.stat(f"{self.mnt}/{n}").st_ino for n in os.listdir(self.mnt)}), 4)
        self.umount()
        self.wait_for_driver()
        self.mount()
        b = os.stat(self.mnt + "/edb00001.log")
        self.assertEqual((a.st_ino, a.st_size, a.st_mtime_ns), (b.st_ino, b.st_size, b.st_mtime_ns))

    def test_listing_hides_the_status(self):
        self.assertEqual(sorted(os.listdir(self.mnt)),
                         ["app.edb", "backup.json", "edb00001.log", "edb00002.log"])
        self.assertEqual(os.listdir(self.mnt + "/.jetfs"), ["status"])

    def test_writes_are_refused(self):
        for call in (lambda: os.open(self.mnt + "/app.edb", os.O_RDWR),
                     lambda: os.open(self.mnt + "/new", os.O_CREAT | os.O_WRONLY),
                     lambda: os.unlink(self.mnt + "/app.edb"),
                     lambda: os.mkdir(self.mnt + "/dir"),
                     lambda: os.chmod(self.mnt + "/app.edb", 0o600),
                     lambda: os.setxattr(self.mnt + "/app.edb", "user.a", b"b")):
            with self.assertRaises(OSError) as e:
                call()
            self.assertEqual(e.exception.errno, errno.EROFS)

    def test_seek_knows_no_holes(self):
        fd = os.open(self.mnt + "/app.edb", os.O_RDONLY)
        self.assertEqual(os.lseek(fd, 5, os.SEEK_DATA), 5)
        self.assertEqual(os.lseek(fd, 5, os.SEEK_HOLE), self.size)
        with self.assertRaises(OSError) as e:
            os.lseek(fd, self.size, os.SEEK_DATA)
        self.assertEqual(e.exception.errno, errno.ENXIO)
        os.close(fd)

    def test_attributes_extended_and_of_the_file_system(self):
        self.assertEqual(os.getxattr(self.mnt + "/edb00001.log", "user.jetfs.generation"), b"1")
        self.assertEqual(os.listxattr(self.mnt + "/app.edb"),
                         ["user.jetfs.kind", "user.jetfs.checksum"])
        st = os.statvfs(self.mnt)
        self.assertGreaterEqual(st.f_blocks * st.f_frsize, self.size)
        self.assertTrue(st.f_flag & os.ST_RDONLY and st.f_flag & os.ST_NOSUID and
                        st.f_flag & os.ST_NODEV and st.f_flag & os.ST_NOEXEC)


class ContentDirect(Content):
    mode = "direct"


class ContentPage(Content):
    mode = "page"


class ManyFiles(MountTest):
    def test_readdir_lists_each_file_once(self):
        for i in range(3, 700):
            self.put(f"edb{i:05X}.log", b"x" * i)
        self.mount()
        names = os.listdir(self.mnt)
        self.assertEqual(len(names), 701)
        self.assertEqual(len(set(names)), 701)
        self.assertEqual(os.stat(self.mnt + "/edb00100.log").st_size, 256)


main()
