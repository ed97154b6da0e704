/*
 * Counts and records what a process does to files, and may end it before one of these steps as kill
 * -9 does. Preloaded (ld.so(8)); EveryStepIT builds it and reads what it writes.
 *
 *   STEPS_DIR    the directory that is watched, with all below it; absolute
 *   STEPS_LOG    where the record goes
 *   STEPS_KILL   number of the step that the process doesn't live to take; 0 for none
 *
 * A record is a line, and for W that many bytes after it:
 *
 *   D path           a directory is made       C path                a file is made
 *   T path size      its size is set           W path offset length  bytes are written
 *   R path TAB path  a rename                  U path                a name is taken away
 *   S path           a file or directory has been synced
 *
 * Paths are relative to the directory; "." is itself. What it doesn't know ends the process.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static const char *dir;
static int record = -1;
static long steps;
static long last;

__attribute__((constructor)) static void begin(void) {
  dir = getenv("STEPS_DIR");
  const char *log = getenv("STEPS_LOG");
  const char *kill_at = getenv("STEPS_KILL");
  if (!dir || !log || !kill_at)
    abort();
  last = atol(kill_at);
  int fd = syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND, 0600);
  record = fcntl(fd, F_DUPFD_CLOEXEC, 900);
  if (record < 0)
    abort();
  syscall(SYS_close, fd);
}

/* The path below the directory, NULL for any other. */
static const char *below(const char *path) {
  size_t n = dir ? strlen(dir) : 0;
  if (n == 0 || strncmp(path, dir, n) != 0 || (path[n] != 0 && path[n] != '/'))
    return NULL;
  return path[n] == 0 ? "." : path + n + 1;
}

static const char *of(int fd, char *room) {
  char link[64];
  if (!dir)
    return NULL;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t n = syscall(SYS_readlinkat, AT_FDCWD, link, room, PATH_MAX - 1);
  if (n < 0)
    return NULL;
  room[n] = 0;
  return below(room);
}

static void step(void) {
  pthread_mutex_lock(&lock);
  if (++steps == last)
    syscall(SYS_kill, syscall(SYS_getpid), SIGKILL);
}

static void put(const void *bytes, size_t size) {
  if (syscall(SYS_write, record, bytes, size) != (long)size)
    abort();
}

static void line(int done, const char *form, ...) {
  int saved = errno;
  if (done) {
    char text[3 * PATH_MAX];
    va_list more;
    va_start(more, form);
    int n = vsnprintf(text, sizeof text, form, more);
    va_end(more);
    put(text, n);
  }
  errno = saved;
}

static int ended(int result) {
  int saved = errno;
  pthread_mutex_unlock(&lock);
  errno = saved;
  return result;
}

/* Opening. */

static int opened(int at, const char *path, int flags, mode_t mode) {
  const char *name = below(path);
  if (!name || !(flags & (O_CREAT | O_TRUNC)))
    return syscall(SYS_openat, at, path, flags, mode);
  step();
  struct stat before;
  int fresh = fstatat(AT_FDCWD, path, &before, 0) != 0;
  int fd = syscall(SYS_openat, at, path, flags, mode);
  if (fresh)
    line(fd >= 0, "C %s\n", name);
  else if (flags & O_TRUNC)
    line(fd >= 0, "T %s 0\n", name);
  return ended(fd);
}

#define MODE                                                                                       \
  mode_t mode = 0;                                                                                 \
  if (flags & O_CREAT) {                                                                           \
    va_list more;                                                                                  \
    va_start(more, flags);                                                                         \
    mode = va_arg(more, mode_t);                                                                   \
    va_end(more);                                                                                  \
  }

int open(const char *path, int flags, ...) {
  MODE return opened(AT_FDCWD, path, flags, mode);
}

int open64(const char *path, int flags, ...) {
  MODE return opened(AT_FDCWD, path, flags, mode);
}

int openat(int at, const char *path, int flags, ...) {
  MODE return opened(at, path, flags, mode);
}

int openat64(int at, const char *path, int flags, ...) {
  MODE return opened(at, path, flags, mode);
}

/* Content. */

ssize_t write(int fd, const void *data, size_t size) {
  char room[PATH_MAX];
  const char *name = of(fd, room);
  if (!name)
    return syscall(SYS_write, fd, data, size);
  step();
  off_t at = lseek(fd, 0, SEEK_CUR);
  ssize_t done = syscall(SYS_write, fd, data, size);
  line(done > 0, "W %s %ld %zd\n", name, (long)at, done);
  if (done > 0)
    put(data, done);
  ended(0);
  return done;
}

static ssize_t unknown(int fd, const char *what, ssize_t otherwise) {
  char room[PATH_MAX];
  if (of(fd, room)) {
    fprintf(stderr, "steps.c: not recorded: %s\n", what);
    abort();
  }
  return otherwise;
}

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t offset) {
  unknown(fd, "pwrite", 0);
  return syscall(SYS_pwrite64, fd, data, size, offset);
}

ssize_t writev(int fd, const struct iovec *parts, int n) {
  unknown(fd, "writev", 0);
  return syscall(SYS_writev, fd, parts, n);
}

int ftruncate64(int fd, off64_t size) {
  unknown(fd, "ftruncate", 0);
  return syscall(SYS_ftruncate, fd, size);
}

static int synced(long call, int fd) {
  char room[PATH_MAX];
  const char *name = of(fd, room);
  if (!name)
    return syscall(call, fd);
  step();
  int result = syscall(call, fd);
  line(result == 0, "S %s\n", name);
  return ended(result);
}

int fsync(int fd) {
  return synced(SYS_fsync, fd);
}

int fdatasync(int fd) {
  return synced(SYS_fdatasync, fd);
}

/* Names. */

int mkdir(const char *path, mode_t mode) {
  const char *name = below(path);
  if (!name)
    return syscall(SYS_mkdirat, AT_FDCWD, path, mode);
  step();
  int result = syscall(SYS_mkdirat, AT_FDCWD, path, mode);
  line(result == 0, "D %s\n", name);
  return ended(result);
}

static int removed(const char *path, int flags) {
  const char *name = below(path);
  if (!name)
    return syscall(SYS_unlinkat, AT_FDCWD, path, flags);
  step();
  int result = syscall(SYS_unlinkat, AT_FDCWD, path, flags);
  line(result == 0, "U %s\n", name);
  return ended(result);
}

int unlink(const char *path) {
  return removed(path, 0);
}

int rmdir(const char *path) {
  return removed(path, AT_REMOVEDIR);
}

int rename(const char *from, const char *to) {
  const char *a = below(from);
  const char *b = below(to);
  if (!a && !b)
    return syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
  if (!a || !b)
    abort();
  step();
  int result = syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
  line(result == 0, "R %s\t%s\n", a, b);
  return ended(result);
}
