/* Remembers how to undo what a power loss would undo. Preloaded into the program under test.
 *
 * Below the folder SEALPOST_POWERLOSS_ROOT every change is written to an undo journal in SEALPOST_POWERLOSS_SIDE (a
 * folder on the same file system) before or right after it is made. After the program was killed, the test walks the
 * journal backwards and takes back whatever no sync has covered.
 *
 * The model is the strictest that POSIX allows:
 *   - Bytes and lengths of a file are durable once an fsync or fdatasync of that file, begun after the change, returned 0.
 *   - Names (a file or folder made, removed or renamed) are durable once an fsync of their folder, begun after the
 *     change, returned 0. To sync the file is not enough. After a rename both folders count.
 *   - Nothing else makes anything durable: no close, no time, no sync of another file, no sync_file_range, no sync.
 *   - What a previous process left unsynced is still unsynced.
 * Sockets have no content, and their names are left alone. Files whose names end in "-shm" are SQLite's shared index: they are never durable, the test removes them.
 *
 * There is one journal per process, `journal<number>`. Each record is one line, followed by bytes where it says so:
 *   W <inode> <offset> <old length> <count>    the `count` bytes that stood at `offset` follow, then a line end
 *   C <folder inode> <inode> <path>            a file was made
 *   D <folder inode> <inode> <path>            a folder was made
 *   X <folder inode> <path>                    a folder is about to be removed
 *   U <folder inode> <inode> <path>            a file's name is about to be removed
 *   R <folder inode> <folder inode> <inode> <replaced inode or 0> <path>\t<path>   a file is about to be renamed
 *   B <token>                                  a sync begins
 *   S <inode> <token>                          that sync has succeeded
 * A file that is tracked has a second name in the side folder, `i<inode>`, so that it can be found whatever becomes of
 * its first one, and so that its inode is never given to another file.
 *
 * A call that could change a tracked file and is not modelled here ends the program: the campaign must not pass because
 * the shim was blind. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define TRACKED_MAX 4096
#define PATH_BYTES 4096

static char root[PATH_BYTES], side[PATH_BYTES];
static size_t root_length;
static int journal = -1;
static dev_t device;
static int armed;
static unsigned long tokens;
/* One lock for record and change together: the journal has the order in which the changes were made. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* Files that the program may write, each with an open file to read its old bytes from. That file is never closed: to
 * close any file of an inode would drop the locks that SQLite holds on it. */
static struct { ino_t inode; int reader; } tracked[TRACKED_MAX];
static size_t tracked_count;

#define REAL(type, name, ...) \
    typedef type (*name##_function)(__VA_ARGS__); \
    static name##_function real_##name(void) { \
        static name##_function found; \
        if (!found) found = (name##_function)dlsym(RTLD_NEXT, #name); \
        return found; \
    }

REAL(int, open64, const char *, int, ...)
REAL(int, openat64, int, const char *, int, ...)
REAL(ssize_t, write, int, const void *, size_t)
REAL(ssize_t, writev, int, const struct iovec *, int)
REAL(ssize_t, pwrite64, int, const void *, size_t, off64_t)
REAL(ssize_t, pwritev64, int, const struct iovec *, int, off64_t)
REAL(int, ftruncate64, int, off64_t)
REAL(int, unlinkat, int, const char *, int)
REAL(int, renameat, int, const char *, int, const char *)
REAL(int, mkdirat, int, const char *, mode_t)
REAL(int, fsync, int)
REAL(int, fdatasync, int)
REAL(void *, mmap64, void *, size_t, int, int, int, off64_t)

static void die(const char *why, const char *path) {
    fprintf(stderr, "powerloss shim: %s: %s\n", why, path);
    /* Killed, not exited: no handler of the program may tidy up. */
    kill(getpid(), SIGKILL);
    pause();
}

__attribute__((constructor)) static void begin(void) {
    const char *of = getenv("SEALPOST_POWERLOSS_ROOT"), *beside = getenv("SEALPOST_POWERLOSS_SIDE");
    struct stat64 found;
    if (!of || !beside) return;
    if (!realpath(of, root) || !realpath(beside, side) || stat64(root, &found) != 0) die("no such folder", of);
    root_length = strlen(root);
    device = found.st_dev;
    /* A journal for each process: where one was killed, its last record may be torn. */
    char name[PATH_BYTES + 32];
    for (int n = 0; journal < 0; n++) {
        snprintf(name, sizeof name, "%s/journal%06d", side, n);
        journal = real_open64()(name, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600);
        if (journal < 0 && errno != EEXIST) die("the journal cannot be made", name);
    }
    armed = 1;
}

static void record(const void *bytes, size_t count) {
    const char *at = bytes;
    while (count > 0) {
        ssize_t written = real_write()(journal, at, count);
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) die("the journal cannot be written", strerror(errno));
        at += written;
        count -= (size_t)written;
    }
}

__attribute__((format(printf, 1, 2))) static void record_line(const char *form, ...) {
    char line[3 * PATH_BYTES];
    va_list arguments;
    va_start(arguments, form);
    int length = vsnprintf(line, sizeof line, form, arguments);
    va_end(arguments);
    if (length < 0 || (size_t)length >= sizeof line) die("a record is too long", form);
    record(line, (size_t)length);
}

static int is_shared_index(const char *path) {
    size_t length = strlen(path);
    return length >= 4 && strcmp(path + length - 4, "-shm") == 0;
}

static int is_below(const char *path) {
    return strncmp(path, root, root_length) == 0 && path[root_length] == '/' && !is_shared_index(path);
}

/* The path as an absolute one; 0 when it is not below the root. */
static int resolve(int folder, const char *path, char *out) {
    char base[PATH_BYTES];
    if (path[0] == '/') {
        if (snprintf(out, PATH_BYTES, "%s", path) >= PATH_BYTES) return 0;
        return is_below(out);
    }
    if (folder == AT_FDCWD) {
        if (!getcwd(base, sizeof base)) return 0;
    } else {
        char link[64];
        snprintf(link, sizeof link, "/proc/self/fd/%d", folder);
        ssize_t length = readlink(link, base, sizeof base - 1);
        if (length <= 0) return 0;
        base[length] = 0;
    }
    if (snprintf(out, PATH_BYTES, "%s/%s", base, path) >= PATH_BYTES) return 0;
    return is_below(out);
}

static ino_t inode_at(const char *path) {
    struct stat64 found;
    return lstat64(path, &found) == 0 ? found.st_ino : 0;
}

static ino_t folder_of(const char *path) {
    char folder[PATH_BYTES];
    snprintf(folder, sizeof folder, "%s", path);
    char *slash = strrchr(folder, '/');
    if (slash && slash != folder) *slash = 0;
    return inode_at(folder);
}

/* Gives the inode its second name. */
static void keep(const char *path, ino_t inode) {
    char name[PATH_BYTES + 32];
    snprintf(name, sizeof name, "%s/i%lu", side, (unsigned long)inode);
    if (link(path, name) != 0 && errno != EEXIST) die("a second name cannot be made", path);
}

static int reader_of(ino_t inode) {
    for (size_t n = 0; n < tracked_count; n++)
        if (tracked[n].inode == inode) return tracked[n].reader;
    return -1;
}

static void track(const char *path, ino_t inode) {
    if (reader_of(inode) >= 0) return;
    if (tracked_count == TRACKED_MAX) die("too many files", path);
    keep(path, inode);
    char name[PATH_BYTES + 32];
    snprintf(name, sizeof name, "%s/i%lu", side, (unsigned long)inode);
    int reader = real_open64()(name, O_RDONLY | O_CLOEXEC);
    if (reader < 0) die("a tracked file cannot be read", path);
    tracked[tracked_count].inode = inode;
    tracked[tracked_count++].reader = reader;
}

/* Records what stands in a file from `offset` on, `count` bytes or up to its end. */
static void record_bytes(ino_t inode, int reader, off64_t old_length, off64_t offset, size_t count) {
    size_t there = offset >= old_length ? 0 : (size_t)(old_length - offset);
    if (there > count) there = count;
    char *bytes = malloc(there + 1);
    if (!bytes) die("no memory", "for old bytes");
    size_t read = 0;
    while (read < there) {
        ssize_t got = pread64(reader, bytes + read, there - read, offset + (off64_t)read);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) die("old bytes cannot be read", strerror(errno));
        read += (size_t)got;
    }
    record_line("W %lu %lld %lld %zu\n", (unsigned long)inode, (long long)offset, (long long)old_length, there);
    bytes[there] = '\n';
    record(bytes, there + 1);
    free(bytes);
}

/* Whether a call changes a tracked file; its state before when it does. */
static int changes(int fd, struct stat64 *before, int *reader) {
    if (!armed || fstat64(fd, before) != 0) return 0;
    if (!S_ISREG(before->st_mode) || before->st_dev != device) return 0;
    *reader = reader_of(before->st_ino);
    return *reader >= 0;
}

/* Before a write at the file's own place. */
static void before_write(int fd, const struct stat64 *before, int reader, size_t count) {
    int flags = fcntl(fd, F_GETFL);
    off64_t offset = (flags & O_APPEND) ? before->st_size : lseek64(fd, 0, SEEK_CUR);
    record_bytes(before->st_ino, reader, before->st_size, offset, count);
}

static size_t total(const struct iovec *parts, int count) {
    size_t bytes = 0;
    for (int n = 0; n < count; n++) bytes += parts[n].iov_len;
    return bytes;
}

#define GUARDED(type, fd, note, call) \
    struct stat64 before; \
    int reader; \
    pthread_mutex_lock(&lock); \
    if (!changes(fd, &before, &reader)) { \
        /* A socket may block: never while the lock is held. */ \
        pthread_mutex_unlock(&lock); \
        return call; \
    } \
    note; \
    type result = call; \
    int error = errno; \
    pthread_mutex_unlock(&lock); \
    errno = error; \
    return result;

ssize_t write(int fd, const void *bytes, size_t count) {
    GUARDED(ssize_t, fd, before_write(fd, &before, reader, count), real_write()(fd, bytes, count))
}

ssize_t writev(int fd, const struct iovec *parts, int count) {
    GUARDED(ssize_t, fd, before_write(fd, &before, reader, total(parts, count)), real_writev()(fd, parts, count))
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t offset) {
    GUARDED(ssize_t, fd, record_bytes(before.st_ino, reader, before.st_size, offset, count),
            real_pwrite64()(fd, bytes, count, offset))
}

ssize_t pwrite(int fd, const void *bytes, size_t count, off_t offset) { return pwrite64(fd, bytes, count, offset); }

ssize_t pwritev64(int fd, const struct iovec *parts, int count, off64_t offset) {
    GUARDED(ssize_t, fd, record_bytes(before.st_ino, reader, before.st_size, offset, total(parts, count)),
            real_pwritev64()(fd, parts, count, offset))
}

ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t offset) {
    return pwritev64(fd, parts, count, offset);
}

int ftruncate64(int fd, off64_t length) {
    GUARDED(int, fd, record_bytes(before.st_ino, reader, before.st_size, length, SIZE_MAX),
            real_ftruncate64()(fd, length))
}

int ftruncate(int fd, off_t length) { return ftruncate64(fd, length); }

static int opened(int folder, const char *path, int flags, mode_t mode) {
    char absolute[PATH_BYTES];
    int writes = (flags & O_ACCMODE) != O_RDONLY || (flags & (O_CREAT | O_TRUNC));
    if (!armed || !writes || (flags & O_DIRECTORY) || !resolve(folder, path, absolute))
        return real_openat64()(folder, path, flags, mode);
    pthread_mutex_lock(&lock);
    struct stat64 found;
    int there = stat64(absolute, &found) == 0;
    if (there && S_ISREG(found.st_mode)) {
        track(absolute, found.st_ino);
        if (flags & O_TRUNC) record_bytes(found.st_ino, reader_of(found.st_ino), found.st_size, 0, SIZE_MAX);
    }
    int fd = real_openat64()(folder, path, flags, mode);
    int error = errno;
    if (fd >= 0 && !there && fstat64(fd, &found) == 0 && S_ISREG(found.st_mode)) {
        record_line("C %lu %lu %s\n", (unsigned long)folder_of(absolute), (unsigned long)found.st_ino, absolute);
        track(absolute, found.st_ino);
    }
    pthread_mutex_unlock(&lock);
    errno = error;
    return fd;
}

#define MODE(flags) \
    mode_t mode = 0; \
    if ((flags) & (O_CREAT | __O_TMPFILE)) { \
        va_list rest; \
        va_start(rest, flags); \
        mode = va_arg(rest, mode_t); \
        va_end(rest); \
    }

int open(const char *path, int flags, ...) {
    MODE(flags)
    return opened(AT_FDCWD, path, flags, mode);
}

int open64(const char *path, int flags, ...) {
    MODE(flags)
    return opened(AT_FDCWD, path, flags, mode);
}

int openat(int folder, const char *path, int flags, ...) {
    MODE(flags)
    return opened(folder, path, flags, mode);
}

int openat64(int folder, const char *path, int flags, ...) {
    MODE(flags)
    return opened(folder, path, flags, mode);
}

int creat(const char *path, mode_t mode) { return opened(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode); }

int creat64(const char *path, mode_t mode) { return opened(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode); }

int unlinkat(int folder, const char *path, int flags) {
    char absolute[PATH_BYTES];
    if (!armed || !resolve(folder, path, absolute)) return real_unlinkat()(folder, path, flags);
    pthread_mutex_lock(&lock);
    struct stat64 found;
    ino_t inode = lstat64(absolute, &found) == 0 && !S_ISSOCK(found.st_mode) ? found.st_ino : 0;
    if (inode != 0 && (flags & AT_REMOVEDIR)) {
        record_line("X %lu %s\n", (unsigned long)folder_of(absolute), absolute);
    } else if (inode != 0) {
        keep(absolute, inode);
        record_line("U %lu %lu %s\n", (unsigned long)folder_of(absolute), (unsigned long)inode, absolute);
    }
    int result = real_unlinkat()(folder, path, flags);
    int error = errno;
    pthread_mutex_unlock(&lock);
    errno = error;
    return result;
}

int unlink(const char *path) { return unlinkat(AT_FDCWD, path, 0); }

int rmdir(const char *path) { return unlinkat(AT_FDCWD, path, AT_REMOVEDIR); }

int renameat(int from, const char *old, int to, const char *new) {
    char before[PATH_BYTES], after[PATH_BYTES];
    int out_of = armed && resolve(from, old, before), into = armed && resolve(to, new, after);
    if (!out_of && !into) return real_renameat()(from, old, to, new);
    if (!out_of || !into) die("a file is moved in or out", old);
    pthread_mutex_lock(&lock);
    struct stat64 found;
    if (lstat64(before, &found) == 0 && !S_ISSOCK(found.st_mode)) {
        if (!S_ISREG(found.st_mode)) die("only files are modelled in a rename", before);
        ino_t replaced = inode_at(after);
        keep(before, found.st_ino);
        if (replaced) keep(after, replaced);
        record_line("R %lu %lu %lu %lu %s\t%s\n", (unsigned long)folder_of(before), (unsigned long)folder_of(after),
                    (unsigned long)found.st_ino, (unsigned long)replaced, before, after);
    }
    int result = real_renameat()(from, old, to, new);
    int error = errno;
    pthread_mutex_unlock(&lock);
    errno = error;
    return result;
}

int rename(const char *old, const char *new) { return renameat(AT_FDCWD, old, AT_FDCWD, new); }

int mkdirat(int folder, const char *path, mode_t mode) {
    char absolute[PATH_BYTES];
    if (!armed || !resolve(folder, path, absolute)) return real_mkdirat()(folder, path, mode);
    pthread_mutex_lock(&lock);
    int result = real_mkdirat()(folder, path, mode);
    int error = errno;
    if (result == 0)
        record_line("D %lu %lu %s\n", (unsigned long)folder_of(absolute), (unsigned long)inode_at(absolute), absolute);
    pthread_mutex_unlock(&lock);
    errno = error;
    return result;
}

int mkdir(const char *path, mode_t mode) { return mkdirat(AT_FDCWD, path, mode); }

/* What was changed before the sync began is durable when it has succeeded; what other threads change meanwhile is not. */
static int synced(int fd, int (*sync_it)(int)) {
    struct stat64 found;
    if (!armed || fstat64(fd, &found) != 0 || found.st_dev != device ||
        !(S_ISDIR(found.st_mode) || S_ISREG(found.st_mode)))
        return sync_it(fd);
    pthread_mutex_lock(&lock);
    unsigned long token = ++tokens;
    record_line("B %lu\n", token);
    pthread_mutex_unlock(&lock);
    int result = sync_it(fd);
    int error = errno;
    if (result == 0) {
        pthread_mutex_lock(&lock);
        record_line("S %lu %lu\n", (unsigned long)found.st_ino, token);
        pthread_mutex_unlock(&lock);
    }
    errno = error;
    return result;
}

int fsync(int fd) { return synced(fd, real_fsync()); }

int fdatasync(int fd) { return synced(fd, real_fdatasync()); }

/* Not modelled: refused where a tracked file would change. */

void *mmap64(void *at, size_t length, int protection, int flags, int fd, off64_t offset) {
    struct stat64 before;
    int reader;
    if (fd >= 0 && (protection & PROT_WRITE) && (flags & MAP_SHARED) && changes(fd, &before, &reader))
        die("a tracked file is mapped to be written", "mmap");
    return real_mmap64()(at, length, protection, flags, fd, offset);
}

void *mmap(void *at, size_t length, int protection, int flags, int fd, off_t offset) {
    return mmap64(at, length, protection, flags, fd, offset);
}

#define REFUSED(name, parameters, fd, number, ...) \
    long name parameters { \
        struct stat64 before; \
        int reader; \
        if (changes(fd, &before, &reader)) die("a call that is not modelled", #name); \
        return syscall(number, __VA_ARGS__); \
    }

REFUSED(copy_file_range, (int in, off64_t *from, int out, off64_t *to, size_t count, unsigned flags), out,
        SYS_copy_file_range, in, from, out, to, count, flags)
REFUSED(sendfile64, (int out, int in, off64_t *offset, size_t count), out, SYS_sendfile, out, in, offset, count)
REFUSED(sendfile, (int out, int in, off64_t *offset, size_t count), out, SYS_sendfile, out, in, offset, count)
REFUSED(splice, (int in, off64_t *from, int out, off64_t *to, size_t count, unsigned flags), out, SYS_splice, in, from,
        out, to, count, flags)
REFUSED(pwritev2, (int fd, const struct iovec *parts, int count, off64_t offset, int flags), fd, SYS_pwritev2, fd,
        parts, count, offset, 0, flags)

int fallocate64(int fd, int how, off64_t offset, off64_t length) {
    struct stat64 before;
    int reader;
    if (changes(fd, &before, &reader)) die("a call that is not modelled", "fallocate");
    return (int)syscall(SYS_fallocate, fd, how, offset, length);
}

int fallocate(int fd, int how, off_t offset, off_t length) { return fallocate64(fd, how, offset, length); }

int posix_fallocate64(int fd, off64_t offset, off64_t length) {
    return fallocate64(fd, 0, offset, length) == 0 ? 0 : errno;
}

int posix_fallocate(int fd, off_t offset, off_t length) { return posix_fallocate64(fd, offset, length); }

static int refused_name(const char *why, int folder, const char *path) {
    char absolute[PATH_BYTES];
    if (armed && resolve(folder, path, absolute)) die(why, path);
    return 0;
}

int truncate64(const char *path, off64_t length) {
    refused_name("truncate by name is not modelled", AT_FDCWD, path);
    return (int)syscall(SYS_truncate, path, length);
}

int truncate(const char *path, off_t length) { return truncate64(path, length); }

int renameat2(int from, const char *old, int to, const char *new, unsigned flags) {
    if (flags == 0) return renameat(from, old, to, new);
    refused_name("renameat2 is not modelled", to, new);
    return (int)syscall(SYS_renameat2, from, old, to, new, flags);
}

int symlinkat(const char *target, int folder, const char *path) {
    refused_name("symlinks are not modelled", folder, path);
    return (int)syscall(SYS_symlinkat, target, folder, path);
}

int symlink(const char *target, const char *path) { return symlinkat(target, AT_FDCWD, path); }
