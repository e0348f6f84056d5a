#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The mount as a file system: every call a copy tool, a file server or a curious user may make.

JETFS_READS is how many random reads are compared in each cache mode (400).
"""
import contextlib
import ctypes
import errno
import fcntl
import mmap
import multiprocessing
import os
import random
import re
import shutil
import stat
import struct
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'tools'))
import harness as h  # noqa: E402

READS = int(os.environ.get('JETFS_READS', '400'))
LIBC = ctypes.CDLL(None, use_errno=True)
NAME = errno.errorcode


def content(path):
    with open(path, 'rb') as f:
        return f.read()


@contextlib.contextmanager
def opened(path, flags=os.O_RDONLY):
    fd = os.open(path, flags)
    try:
        yield fd
    finally:
        os.close(fd)


def refused(call, *args):
    """The name of the error, or "done"."""
    try:
        call(*args)
    except OSError as e:
        return NAME.get(e.errno, str(e.errno))
    return 'done'


def statx(path):
    """(mask, blksize, mode, inode, size, blocks, mtime) by the system call itself."""
    buf = ctypes.create_string_buffer(256)
    if LIBC.statx(-100, path.encode(), 0, 0xfff, buf) != 0:
        raise OSError(ctypes.get_errno(), 'statx', path)
    mask, blksize = struct.unpack_from('II', buf, 0)
    mode, = struct.unpack_from('H', buf, 28)
    inode, size, blocks = struct.unpack_from('QQQ', buf, 32)
    seconds, ns = struct.unpack_from('qI', buf, 112)
    return mask, blksize, mode, inode, size, blocks, seconds * 10 ** 9 + ns


def attributes(mnt, names):
    wrong = []
    for name in names:
        st = os.stat(os.path.join(mnt, name))
        mask, blksize, mode, inode, size, blocks, mtime = statx(os.path.join(mnt, name))
        same = (mode, inode, size, blocks, mtime) == (
            st.st_mode, st.st_ino, st.st_size, st.st_blocks, st.st_mtime_ns)
        sane = (mask & 0x7ff == 0x7ff and blksize == 1 << 20 and st.st_nlink == 1 and
                st.st_blocks == -(-size // 512) and stat.S_IMODE(mode) == 0o400 and
                stat.S_ISREG(mode) and st.st_uid == os.geteuid())
        if not same or not sane or size != len(content(os.path.join(mnt, name))):
            wrong.append((name, st, mode, inode, size, blocks, mtime))
    h.ok(not wrong, 'stat and statx agree, sizes are those of the content', wrong)
    inodes = {os.stat(os.path.join(mnt, n)).st_ino for n in names}
    listed = {e.name: e.inode() for e in os.scandir(mnt)}
    h.ok(len(inodes) == len(names) and set(listed.values()) == inodes,
         'inodes are unique, and the listing has the same ones', listed)
    root = os.stat(mnt)
    h.ok(stat.S_ISDIR(root.st_mode) and stat.S_IMODE(root.st_mode) == 0o500 and root.st_nlink == 2,
         'the root is a directory of the owner', root)


def getdents(fd, size):
    """One call: [(offset of the next entry, name)]."""
    buf = ctypes.create_string_buffer(size)
    n = LIBC.syscall(217, fd, buf, size)
    if n < 0:
        raise OSError(ctypes.get_errno(), 'getdents64')
    found, at = [], 0
    while at < n:
        _, after, length = struct.unpack_from('QqH', buf, at)
        found.append((after, buf.raw[at + 19:at + length].split(b'\0')[0].decode()))
        at += length
    return found


def read_dir(fd, size):
    found = []
    while part := getdents(fd, size):
        found += part
    return found


def listing(mnt, names):
    with opened(mnt, os.O_RDONLY | os.O_DIRECTORY) as fd:
        whole = read_dir(fd, 65536)
        listed = [n for _, n in whole]
        h.ok(sorted(listed) == sorted(names + ['.', '..']), 'one getdents lists each name once', listed)
        sizes = []
        for size in (32, 48, 64, 100, 333, 4096):
            os.lseek(fd, 0, os.SEEK_SET)
            with contextlib.suppress(OSError):  # EINVAL: no room for one entry
                sizes.append(read_dir(fd, size) == whole)
        h.ok(len(sizes) >= 4 and all(sizes), 'small buffers list the same', sizes)
        order = list(range(len(whole))) * 2
        random.Random(1).shuffle(order)
        bad = []
        for k in order:
            os.lseek(fd, whole[k][0], os.SEEK_SET)
            if read_dir(fd, 128) != whole[k + 1:]:
                bad.append(k)
        h.ok(not bad, 'a listing goes on from any offset, in any order', bad)
        os.lseek(fd, 10 ** 6, os.SEEK_SET)
        h.ok(getdents(fd, 4096) == [], 'and is at its end far behind')
    h.ok(refused(os.scandir, mnt + '/app.edb') == 'ENOTDIR' and
         refused(os.stat, mnt + '/no-such') == 'ENOENT' and
         refused(os.stat, mnt + '/app.edb/x') == 'ENOTDIR' and
         refused(os.stat, mnt + '/' + 'n' * 300) == 'ENAMETOOLONG', 'what is not there has its error')
    h.ok(os.stat(mnt + '/.').st_ino == os.stat(mnt).st_ino == os.stat(mnt + '/.jetfs/..').st_ino,
         '. and .. are the root')


def spans(size, rnd):
    """Offsets and lengths: all over the file, at its edges, at those of pages and windows."""
    for edge in (0, 1, 4095, 4096, (1 << 20) - 1, 1 << 20, size // 2, size - 4097, size - 1, size,
                 size + 1, size + (1 << 30)):
        for length in (1, 4096, 4097, 70000, (1 << 20) + 3):
            yield max(edge, 0), length
    for _ in range(READS):
        length = rnd.choice((1, 100, 512, 4096, 8191, 65536, 300000, rnd.randrange(1, 3 << 20)))
        yield rnd.randrange(size), length


def reads(mnt, mode, reference):
    rnd = random.Random(2)
    for name in ('app.edb', 'backup.json', min(n for n in reference if n.endswith('.log'))):
        path, data = os.path.join(mnt, name), reference[name]
        with opened(path) as fd:
            bad = [(off, n) for off, n in spans(len(data), rnd)
                   if os.pread(fd, n, off) != data[off:off + n]]
        h.ok(not bad, f'{mode}: pread of {name} anywhere', bad[:5])
    with opened(mnt + '/app.edb') as fd:
        bufs = [bytearray(n) for n in (1, 511, 4096, 100000)]
        n = os.preadv(fd, bufs, 12345)
        h.ok(b''.join(bufs) == reference['app.edb'][12345:12345 + n] and n == 104608, f'{mode}: preadv')


def read_direct(fd, data, rnd):
    size, bad = len(data), []
    buf = mmap.mmap(-1, 1 << 20)
    for _ in range(60):
        off = rnd.randrange(size // 4096) * 4096
        length = rnd.choice((4096, 65536, 1 << 20))
        n = os.preadv(fd, [memoryview(buf)[:length]], off)
        if buf[:n] != data[off:off + length]:
            bad.append((off, length, n))
    return bad


def maps(mnt, mode, reference):
    data = reference['app.edb']
    rnd = random.Random(3)
    with opened(mnt + '/app.edb') as fd:
        pages = rnd.sample(range(len(data) // 4096), min(200, len(data) // 4096))
        with mmap.mmap(fd, 0, mmap.MAP_PRIVATE, mmap.PROT_READ | mmap.PROT_WRITE) as m:
            bad = [p for p in pages if m[p * 4096:p * 4096 + 4096] != data[p * 4096:p * 4096 + 4096]]
            whole = m[:] == data
            m[0:4] = b'mine'
            kept = os.pread(fd, 4, 0) == data[:4]
        h.ok(not bad and whole and kept, f'{mode}: a private map reads the same, and is private', bad)
        try:
            with mmap.mmap(fd, 0, mmap.MAP_SHARED, mmap.PROT_READ) as m:
                same = m[:] == data
            h.ok(same, f'{mode}: a shared map reads the same')
        except OSError as e:
            h.ok(mode != 'page' and e.errno == errno.ENODEV,
                 f'{mode}: a shared map is refused with ENODEV', e)
    with opened(mnt + '/app.edb', os.O_RDONLY | os.O_DIRECT) as fd:
        bad = read_direct(fd, data, rnd)
        h.ok(not bad, f'{mode}: O_DIRECT', bad[:5])


def whence(fd, off, how):
    try:
        return os.lseek(fd, off, how)
    except OSError as e:
        return NAME[e.errno]


def holes(mnt, names):
    bad = []
    for path in [os.path.join(mnt, n) for n in names] + [mnt + '/.jetfs/status']:
        with opened(path) as fd:
            size = len(os.pread(fd, 1 << 26, 0))
            got = [whence(fd, 0, os.SEEK_DATA), whence(fd, 0, os.SEEK_HOLE),
                   whence(fd, size - 1, os.SEEK_DATA), whence(fd, size // 2, os.SEEK_HOLE),
                   whence(fd, size, os.SEEK_DATA), whence(fd, size, os.SEEK_HOLE),
                   whence(fd, size + 5, os.SEEK_DATA), whence(fd, -1, os.SEEK_HOLE)]
            want = [0, size, size - 1, size] + ['ENXIO'] * 4
            if got != want and not (got[:-1] == want[:-1] and got[-1] in ('EINVAL', 'ENXIO')):
                bad.append((path, got, want))
    h.ok(not bad, 'SEEK_DATA and SEEK_HOLE: all of a file is data', bad)


def totals(mnt, names):
    vfs = os.statvfs(mnt)
    size = sum(os.stat(os.path.join(mnt, n)).st_size for n in names)
    blocks = vfs.f_blocks * vfs.f_frsize
    h.ok(size <= blocks < size + (len(names) + 1) * vfs.f_frsize and vfs.f_bavail == 0 and
         vfs.f_bfree == 0 and vfs.f_ffree == 0 and vfs.f_files >= len(names) and
         vfs.f_namemax == 255, 'statfs: as large as its files, and full', vfs)
    flags = os.ST_RDONLY | os.ST_NOSUID | os.ST_NODEV | os.ST_NOEXEC
    h.ok(vfs.f_flag & flags == flags, 'statfs: read-only, nosuid, nodev, noexec', vfs.f_flag)


def xattrs(mnt, names, status):
    log = max(n for n in names if n.endswith('.log'))
    got = {n: {k: os.getxattr(os.path.join(mnt, n), k).decode()
               for k in os.listxattr(os.path.join(mnt, n)) if k.startswith('user.jetfs.')}
           for n in ('', 'app.edb', log, 'backup.json')}
    logs, p = status['logs'], 'user.jetfs.'
    span = f'{logs["low"]}-{logs["high"]}'
    manifest = h.load_json(mnt + '/backup.json')
    signature = next(f['signature'] for f in manifest['files'] if f['name'] == 'app.edb')
    h.ok(got[''] == {p + 'kind': 'session', p + 'signature': logs['signature'],
                     p + 'generations': span}, 'attributes of the root', got[''])
    h.ok(got['app.edb'] == {p + 'kind': 'database', p + 'signature': signature,
                            p + 'generations': span, p + 'checksum': 'good'},
         'attributes of a database', got['app.edb'])
    h.ok(got[log] == {p + 'kind': 'log', p + 'signature': logs['signature'],
                      p + 'generation': str(logs['high'])}, 'attributes of a log', got[log])
    h.ok(got['backup.json'] == {p + 'kind': 'generated'}, 'of the manifest', got['backup.json'])
    path = (mnt + '/app.edb').encode()
    small = ctypes.create_string_buffer(3)
    big = ctypes.create_string_buffer(300)
    key = b'user.jetfs.kind'
    sizes = (LIBC.getxattr(path, key, None, 0), LIBC.getxattr(path, key, big, 300),
             LIBC.listxattr(path, None, 0), LIBC.listxattr(path, big, 300))
    few = (LIBC.getxattr(path, key, small, 3), ctypes.get_errno(),
           LIBC.listxattr(path, small, 3), ctypes.get_errno())
    h.ok(sizes[:2] == (8, 8) and sizes[2] == sizes[3] > 8 and
         few == (-1, errno.ERANGE, -1, errno.ERANGE), 'size probes and short buffers', (sizes, few))
    h.ok(refused(os.getxattr, mnt + '/app.edb', 'user.other') == 'ENODATA' and
         refused(os.getxattr, mnt + '/.jetfs/status', 'user.jetfs.kind') == 'ENODATA' and
         os.listxattr(mnt + '/.jetfs') == [], 'no others')


def writes(mnt):
    db, new = mnt + '/app.edb', mnt + '/new'

    def rename2():
        if LIBC.renameat2(-100, db.encode(), -100, new.encode(), 2) != 0:
            raise OSError(ctypes.get_errno(), 'renameat2')

    cases = {
        'open for writing': (os.open, db, os.O_WRONLY), 'read and write': (os.open, db, os.O_RDWR),
        'append': (os.open, db, os.O_WRONLY | os.O_APPEND),
        'open truncating': (os.open, db, os.O_RDONLY | os.O_TRUNC),
        'create': (os.open, new, os.O_CREAT | os.O_WRONLY),
        'O_TMPFILE': (os.open, mnt, os.O_TMPFILE | os.O_RDWR),
        'truncate': (os.truncate, db, 0), 'mkdir': (os.mkdir, new), 'unlink': (os.unlink, db),
        'rmdir': (os.rmdir, mnt + '/.jetfs'), 'rename': (os.rename, db, new),
        'rename onto': (os.rename, db, mnt + '/backup.json'), 'exchange': (rename2,),
        'link': (os.link, db, new), 'symlink': (os.symlink, db, new), 'mkfifo': (os.mkfifo, new),
        'mknod': (os.mknod, new, stat.S_IFREG | 0o600), 'chmod': (os.chmod, db, 0o777),
        'chown': (os.chown, db, 0, 0), 'utimens': (os.utime, db, (1, 1)),
        'utimens of the root': (os.utime, mnt, (1, 1)), 'setxattr': (os.setxattr, db, 'user.x', b'1'),
        'replace xattr': (os.setxattr, db, 'user.jetfs.kind', b'log'),
        'removexattr': (os.removexattr, db, 'user.jetfs.kind'),
        'status for writing': (os.open, mnt + '/.jetfs/status', os.O_WRONLY),
    }
    got = {name: refused(*case) for name, case in cases.items()}
    h.ok(set(got.values()) == {'EROFS'}, f'{len(got)} kinds of writing are refused with EROFS',
         {n: e for n, e in got.items() if e != 'EROFS'})
    with opened(db) as fd:
        late = {'write': refused(os.write, fd, b'x'), 'pwrite': refused(os.pwrite, fd, b'x', 0),
                'fallocate': refused(os.posix_fallocate, fd, 0, 4096),
                'ftruncate': refused(os.ftruncate, fd, 0),
                'shared writable map': refused(mmap.mmap, fd, 4096, mmap.MAP_SHARED, mmap.PROT_WRITE)}
        perms = {'fchmod': refused(os.fchmod, fd, 0o777), 'futimens': refused(os.utime, fd, (1, 1))}
        synced = refused(os.fsync, fd)
    h.ok(set(late.values()) <= {'EBADF', 'EINVAL', 'EACCES'} and set(perms.values()) == {'EROFS'} and
         synced == 'done', 'an open file takes no writes either; fsync has nothing to do', (late, perms))


def access(mnt):
    db = mnt + '/app.edb'

    def check(path, how):
        return 0 if LIBC.access(path.encode(), how) == 0 else ctypes.get_errno()

    got = (check(db, os.R_OK), check(db, os.W_OK), check(db, os.X_OK), check(mnt, os.W_OK),
           check(mnt, os.R_OK | os.X_OK), check(mnt + '/no', os.F_OK))
    h.ok(got == (0, errno.EROFS, errno.EACCES, errno.EROFS, 0, errno.ENOENT), 'access()', got)
    if os.geteuid() != 0:
        h.skip('another user is kept out', 'needs root, to become another user')
        return
    code, _ = h.run('setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', 'ls', mnt)
    h.ok(code != 0, 'another user is kept out')


def transfer(mnt, work, reference):
    data, out = reference['app.edb'], os.path.join(work, 'out')
    with opened(mnt + '/app.edb') as fd, opened(out, os.O_RDWR | os.O_CREAT) as to:
        while os.sendfile(to, fd, None, 1 << 20):
            pass
        h.ok(content(out) == data, 'sendfile')
        os.ftruncate(to, 0)
        reader, writer = os.pipe()
        off = 0
        while n := os.splice(fd, writer, 65536, offset_src=off):
            os.splice(reader, to, n, offset_dst=off)
            off += n
        os.close(reader)
        os.close(writer)
        h.ok(content(out) == data, 'splice')
        os.ftruncate(to, 0)
        os.lseek(fd, 0, os.SEEK_SET)
        off, error = 0, None
        try:
            while n := os.copy_file_range(fd, to, 1 << 20, off, off):
                off += n
        except OSError as e:
            error = e
        h.ok(error.errno == errno.EXDEV if error else content(out) == data,
             'copy_file_range copies, or says EXDEV and tools fall back', error)
        fcntl.flock(fd, fcntl.LOCK_SH)
        fcntl.flock(fd, fcntl.LOCK_UN)
        h.ok(refused(fcntl.ioctl, fd, 0x80086601, bytearray(8)) in ('ENOTTY', 'EOPNOTSUPP') and
             refused(os.posix_fadvise, fd, 0, 0, os.POSIX_FADV_DONTNEED) == 'done',
             'locks and advice work, unknown ioctls are refused')


def by_handle(mnt, names):
    """As the kernel's NFS server finds files: by a handle, after everything was forgotten."""
    if os.geteuid() != 0:
        h.skip('files are found by their handle', 'open_by_handle_at needs root')
        return
    handles = {}
    for name in names + ['.']:
        buf = ctypes.create_string_buffer(struct.pack('Ii', 128, 0), 136)
        mount_id = ctypes.c_int()
        if LIBC.name_to_handle_at(-100, os.path.join(mnt, name).encode(), buf,
                                  ctypes.byref(mount_id), 0) != 0:
            h.ok(False, 'files are found by their handle', os.strerror(ctypes.get_errno()))
            return
        handles[name] = buf
    with contextlib.suppress(OSError), open('/proc/sys/vm/drop_caches', 'w', encoding='ascii') as f:
        f.write('2')
    bad = []
    with opened(mnt, os.O_RDONLY | os.O_DIRECTORY) as at:
        for name, handle in handles.items():
            fd = LIBC.open_by_handle_at(at, handle, os.O_RDONLY)
            if fd < 0 or os.fstat(fd).st_ino != os.stat(os.path.join(mnt, name)).st_ino:
                bad.append((name, os.strerror(ctypes.get_errno())))
            if fd >= 0:
                os.close(fd)
    h.ok(not bad, 'files are found by their handle', bad)


def same_content(args):
    path, seed, data = args
    rnd = random.Random(seed)
    with opened(path) as fd:
        for _ in range(30):
            off, n = rnd.randrange(len(data)), rnd.randrange(1, 1 << 19)
            if os.pread(fd, n, off) != data[off:off + n]:
                return False
        size = 1 << (12 + seed % 9)
        return b''.join(iter(lambda: os.read(fd, size), b'')) == data


def crowd(mnt, reference):
    jobs = [(os.path.join(mnt, n), seed, reference[n]) for seed, n in
            enumerate(['app.edb'] * 12 + sorted(reference))]
    with multiprocessing.get_context('fork').Pool(16) as pool:
        results = pool.map(same_content, jobs, chunksize=1)
    h.ok(all(results), f'{len(jobs)} readers in 16 processes read the same', results)


def tools(mnt, names):
    code, out = h.run('find', mnt, '-type', 'f', '-printf', '%f\n')
    h.ok(code == 0 and sorted(out.split()) == names, 'find finds the files, .jetfs not', out)
    code, out = h.run('ls', '-la', mnt)
    h.ok(code == 0 and len(re.findall(r'^-r--------\+? 1 ', out, re.M)) == len(names), 'ls -la', out)
    size = sum(os.stat(os.path.join(mnt, n)).st_size for n in names)
    code, out = h.run('du', '-sB1', mnt)
    h.ok(code == 0 and size <= int(out.split()[0]) <= size + 512 * (len(names) + 1), 'du', out)
    code, out = h.run('du', '-sb', '--apparent-size', mnt)
    h.ok(code == 0 and int(out.split()[0]) == size, 'du --apparent-size', (out, size))
    code, out = h.run('df', '--output=fstype,size,avail,pcent', '-B1', mnt)
    words = out.split('\n')[1].split() if code == 0 else []
    h.ok(words[:1] == ['fuse.jetfs'] and int(words[1]) >= size and words[2:] == ['0', '100%'], 'df', out)


def stability(load, work, before):
    """What a second session says of the logs that the first one had."""
    mount = h.Mount(load.dir, os.path.join(work, 'mnt'))
    after = identity(mount.path)
    logs = [n for n in before if n.endswith('.log') and n in after]
    h.ok(logs and all(before[n] == after[n] for n in logs),
         f'inode, size, mtime of {len(logs)} logs are the same in the next session', (before, after))
    h.ok(before['app.edb'][0] == after['app.edb'][0] and before['app.edb'][2] < after['app.edb'][2],
         'the database keeps its inode, its mtime moves on')
    mount.umount('--abort')


def identity(mnt):
    found = {}
    for name in os.listdir(mnt):
        st = os.stat(os.path.join(mnt, name))
        found[name] = (st.st_ino, st.st_size, st.st_mtime_ns, st.st_ctime_ns)
    return found


def frozen(load, work, mode):
    mount = h.Mount(load.dir, os.path.join(work, 'mnt'), '-o', 'cache=' + mode)
    reference = {n: content(os.path.join(mount.path, n)) for n in sorted(os.listdir(mount.path))}
    reads(mount.path, mode, reference)
    maps(mount.path, mode, reference)
    return mount, reference


def main():
    h.need_fuse()
    work = h.scratch()
    load = h.Load(work, '--accounts', 500, '--log-kib', 256, '--rate', 500, '--fill-mib', 6,
                  '--hold', 60)
    load.wait_ready(300)
    for mode in ('page', 'direct', 'window'):
        mount, reference = frozen(load, work, mode)
        holes(mount.path, list(reference))
        if mode != 'window':
            code, out = mount.umount()
            h.ok(code == h.COMPLETE, f'{mode}: complete', out)
    names = sorted(reference)
    attributes(mount.path, names)
    listing(mount.path, names)
    totals(mount.path, names)
    xattrs(mount.path, names, mount.live())
    writes(mount.path)
    access(mount.path)
    transfer(mount.path, work, reference)
    by_handle(mount.path, names)
    crowd(mount.path, reference)
    tools(mount.path, names)
    before = identity(mount.path)
    code, out = mount.umount()
    h.ok(code == h.COMPLETE, 'window: complete', out)
    stability(load, work, before)
    h.ok(load.stop() == 0, 'jetload ended in order', load.log())
    h.done()


main()
