/*
 * Records what a process does to the files of one directory, in the order in which it takes effect.
 * Preloaded (ld.so(8)); PowerCutTest builds and reads it.
 *
 *   RECORD_DIR    the directory, absolute; it has no directories in it
 *   RECORD_MARKS  a file elsewhere; what is written to it is recorded as a mark
 *   RECORD_LOG    where the record goes
 *
 * A record is, in the byte order of the machine: kind (1 byte), file (4), number (8), length of the
 * data (4), data. Files are numbered as they come; 0 is the directory itself.
 *
 *   C file, data: name        a file is made        W file, number: offset, data   bytes are written
 *   U data: name              a name is taken away  T file, number: size           the size is set
 *   R data: name NUL name     a file is renamed     S file                         a sync has ended
 *   M data                    a mark
 *
 * What it can't record ends the process: a record with a hole would prove nothing.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
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

#define FDS 65536
#define NAMES 4096
#define NONE (-3)
#define MARKS (-2)

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int of_fd[FDS]; /* number of the file less NONE, so that 0 is none */
static char *names[NAMES];
static int numbers[NAMES];
static int count;
static int last;
static int record = -1;
static const char *dir;
static const char *marks;

static void fail(const char *why, const char *what) {
  char text[512];
  int n = snprintf(text, sizeof text, "record.c: %s: %s\n", why, what);
  syscall(SYS_write, 2, text, n);
  abort();
}

__attribute__((constructor)) static void begin(void) {
  dir = getenv("RECORD_DIR");
  marks = getenv("RECORD_MARKS");
  const char *log = getenv("RECORD_LOG");
  if (!dir || !marks || !log)
    fail("not set", "RECORD_DIR, RECORD_MARKS or RECORD_LOG");
  /* Appended to: a process that this one starts comes here too. High: no number that a program
     expects. */
  int fd = syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND, 0600);
  record = fcntl(fd, F_DUPFD_CLOEXEC, 900);
  if (record < 0)
    fail("can't be written", log);
  syscall(SYS_close, fd);
}

static void append(const void *bytes, size_t size) {
  const char *at = bytes;
  while (size > 0) {
    long n = syscall(SYS_write, record, at, size);
    if (n < 0)
      fail("the record", strerror(errno));
    at += n;
    size -= n;
  }
}

static void put(char kind, int file, int64_t number, const void *data, size_t size) {
  char head[17];
  int32_t length = size;
  int32_t of = file;
  head[0] = kind;
  memcpy(head + 1, &of, 4);
  memcpy(head + 5, &number, 8);
  memcpy(head + 13, &length, 4);
  append(head, sizeof head);
  append(data, size);
}

static int watched(int fd) {
  return fd < 0 || fd >= FDS ? NONE : of_fd[fd] + NONE;
}

static void watch(int fd, int file) {
  if (fd >= FDS)
    fail("too many", "open files");
  of_fd[fd] = file - NONE;
}

/* The name of a path in the directory, "" for the directory itself, NULL for any other. */
static const char *name(const char *path) {
  size_t n = dir ? strlen(dir) : 0;
  if (n == 0 || strncmp(path, dir, n) != 0)
    return NULL;
  if (path[n] == 0)
    return "";
  if (path[n] != '/')
    return NULL;
  if (strchr(path + n + 1, '/'))
    fail("a directory in the directory", path);
  return path + n + 1;
}

static int find(const char *of) {
  for (int i = 0; i < count; i++)
    if (strcmp(names[i], of) == 0)
      return i;
  return -1;
}

static void forget(const char *of) {
  int at = find(of);
  if (at < 0)
    fail("never opened", of);
  free(names[at]);
  count--;
  names[at] = names[count];
  numbers[at] = numbers[count];
}

static void remember(const char *of, int file) {
  if (count == NAMES)
    fail("too many", "names");
  names[count] = strdup(of);
  numbers[count++] = file;
}

/* Opening. */

static int opened(int at, const char *path, int flags, mode_t mode) {
  const char *of = name(path);
  if (marks && strcmp(path, marks) == 0) {
    int fd = syscall(SYS_openat, at, path, flags, mode);
    if (fd >= 0)
      watch(fd, MARKS);
    return fd;
  }
  if (!of)
    return syscall(SYS_openat, at, path, flags, mode);
  pthread_mutex_lock(&lock);
  struct stat before;
  int fresh = *of && fstatat(AT_FDCWD, path, &before, 0) != 0;
  int fd = syscall(SYS_openat, at, path, flags, mode);
  int saved = errno;
  if (fd >= 0 && !*of) {
    watch(fd, 0);
  } else if (fd >= 0 && fresh) {
    put('C', ++last, 0, of, strlen(of));
    remember(of, last);
    watch(fd, last);
  } else if (fd >= 0) {
    int known = find(of);
    if (known < 0)
      fail("was there before", path);
    watch(fd, numbers[known]);
    if (flags & O_TRUNC)
      put('T', numbers[known], 0, "", 0);
  }
  pthread_mutex_unlock(&lock);
  errno = saved;
  return fd;
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

int __open_2(const char *path, int flags) {
  return opened(AT_FDCWD, path, flags, 0);
}

int __open64_2(const char *path, int flags) {
  return opened(AT_FDCWD, path, flags, 0);
}

int creat(const char *path, mode_t mode) {
  return opened(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode);
}

int creat64(const char *path, mode_t mode) {
  return creat(path, mode);
}

int close(int fd) {
  if (watched(fd) != NONE)
    watch(fd, NONE);
  return syscall(SYS_close, fd);
}

static int copied(int from, int to) {
  if (to >= 0)
    watch(to, watched(from));
  return to;
}

int dup(int fd) {
  return copied(fd, syscall(SYS_dup, fd));
}

int dup2(int fd, int to) {
  return fd == to ? fd : copied(fd, syscall(SYS_dup3, fd, to, 0));
}

int dup3(int fd, int to, int flags) {
  return copied(fd, syscall(SYS_dup3, fd, to, flags));
}

/* Content. */

static ssize_t wrote(int fd, const struct iovec *parts, int n, off_t offset) {
  int file = watched(fd);
  pthread_mutex_lock(&lock);
  struct stat now;
  off_t at = offset;
  if (offset < 0 && file != MARKS) {
    at = fcntl(fd, F_GETFL) & O_APPEND ? (fstat(fd, &now), now.st_size) : lseek(fd, 0, SEEK_CUR);
  }
  ssize_t done = offset < 0 ? syscall(SYS_writev, fd, parts, n)
                            : syscall(SYS_pwritev, fd, parts, n, offset, 0);
  int saved = errno;
  if (done > 0) {
    char *all = malloc(done);
    size_t have = 0;
    for (int i = 0; i < n && have < (size_t)done; i++) {
      size_t more = parts[i].iov_len < done - have ? parts[i].iov_len : done - have;
      memcpy(all + have, parts[i].iov_base, more);
      have += more;
    }
    put(file == MARKS ? 'M' : 'W', file, at, all, done);
    if (fcntl(fd, F_GETFL) & O_DSYNC)
      put('S', file, 0, "", 0);
    free(all);
  }
  pthread_mutex_unlock(&lock);
  errno = saved;
  return done;
}

ssize_t write(int fd, const void *data, size_t size) {
  if (watched(fd) == NONE)
    return syscall(SYS_write, fd, data, size);
  struct iovec one = {(void *)data, size};
  return wrote(fd, &one, 1, -1);
}

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t offset) {
  if (watched(fd) == NONE)
    return syscall(SYS_pwrite64, fd, data, size, offset);
  struct iovec one = {(void *)data, size};
  return wrote(fd, &one, 1, offset);
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t offset) {
  return pwrite64(fd, data, size, offset);
}

ssize_t writev(int fd, const struct iovec *parts, int n) {
  return watched(fd) == NONE ? syscall(SYS_writev, fd, parts, n) : wrote(fd, parts, n, -1);
}

ssize_t pwritev64(int fd, const struct iovec *parts, int n, off64_t offset) {
  return watched(fd) == NONE ? syscall(SYS_pwritev, fd, parts, n, offset, 0)
                             : wrote(fd, parts, n, offset);
}

ssize_t pwritev(int fd, const struct iovec *parts, int n, off_t offset) {
  return pwritev64(fd, parts, n, offset);
}

static int sized(int fd, off_t size) {
  int file = watched(fd);
  if (file == NONE)
    return syscall(SYS_ftruncate, fd, size);
  pthread_mutex_lock(&lock);
  int result = syscall(SYS_ftruncate, fd, size);
  int saved = errno;
  if (result == 0)
    put('T', file, size, "", 0);
  pthread_mutex_unlock(&lock);
  errno = saved;
  return result;
}

int ftruncate(int fd, off_t size) {
  return sized(fd, size);
}

int ftruncate64(int fd, off64_t size) {
  return sized(fd, size);
}

static int synced(long call, int fd) {
  int file = watched(fd);
  if (file == NONE)
    return syscall(call, fd);
  pthread_mutex_lock(&lock);
  int result = syscall(call, fd);
  int saved = errno;
  if (result == 0)
    put('S', file, 0, "", 0);
  pthread_mutex_unlock(&lock);
  errno = saved;
  return result;
}

int fsync(int fd) {
  return synced(SYS_fsync, fd);
}

int fdatasync(int fd) {
  return synced(SYS_fdatasync, fd);
}

/* Names. */

static int removed(int at, const char *path, int flags) {
  const char *of = name(path);
  if (!of)
    return syscall(SYS_unlinkat, at, path, flags);
  pthread_mutex_lock(&lock);
  int result = syscall(SYS_unlinkat, at, path, flags);
  int saved = errno;
  if (result == 0) {
    forget(of);
    put('U', 0, 0, of, strlen(of));
  }
  pthread_mutex_unlock(&lock);
  errno = saved;
  return result;
}

int unlink(const char *path) {
  return removed(AT_FDCWD, path, 0);
}

int unlinkat(int at, const char *path, int flags) {
  return removed(at, path, flags);
}

int remove(const char *path) {
  return removed(AT_FDCWD, path, 0);
}

static int renamed(int at, const char *path, int to_at, const char *to_path) {
  const char *from = name(path);
  const char *to = name(to_path);
  if (!from && !to)
    return syscall(SYS_renameat2, at, path, to_at, to_path, 0);
  if (!from || !to)
    fail("renamed across the directory", path);
  pthread_mutex_lock(&lock);
  int result = syscall(SYS_renameat2, at, path, to_at, to_path, 0);
  int saved = errno;
  if (result == 0) {
    char both[512];
    int size = snprintf(both, sizeof both, "%s%c%s", from, 0, to);
    int file = numbers[find(from)];
    forget(from);
    if (find(to) >= 0)
      forget(to);
    remember(to, file);
    put('R', file, 0, both, size);
  }
  pthread_mutex_unlock(&lock);
  errno = saved;
  return result;
}

int rename(const char *from, const char *to) {
  return renamed(AT_FDCWD, from, AT_FDCWD, to);
}

int renameat(int at, const char *from, int to_at, const char *to) {
  return renamed(at, from, to_at, to);
}

/* What is not recorded and must not happen. */

int link(const char *from, const char *to) {
  if (name(from) || name(to))
    fail("links are not recorded", from);
  return syscall(SYS_linkat, AT_FDCWD, from, AT_FDCWD, to, 0);
}

static int allocated(int fd, int mode, off_t offset, off_t size) {
  if (watched(fd) != NONE)
    fail("not recorded", "fallocate");
  return syscall(SYS_fallocate, fd, mode, offset, size);
}

int fallocate(int fd, int mode, off_t offset, off_t size) {
  return allocated(fd, mode, offset, size);
}

int fallocate64(int fd, int mode, off64_t offset, off64_t size) {
  return allocated(fd, mode, offset, size);
}

int posix_fallocate(int fd, off_t offset, off_t size) {
  return allocated(fd, 0, offset, size) == 0 ? 0 : errno;
}

int posix_fallocate64(int fd, off64_t offset, off64_t size) {
  return posix_fallocate(fd, offset, size);
}

ssize_t sendfile64(int to, int from, off64_t *offset, size_t size) {
  if (watched(to) != NONE)
    fail("not recorded", "sendfile");
  return syscall(SYS_sendfile, to, from, offset, size);
}

ssize_t copy_file_range(int from, off64_t *at, int to, off64_t *to_at, size_t size,
                        unsigned int flags) {
  if (watched(to) != NONE)
    fail("not recorded", "copy_file_range");
  return syscall(SYS_copy_file_range, from, at, to, to_at, size, flags);
}

static void *mapped(void *at, size_t size, int access, int flags, int fd, off_t offset) {
  int file = flags & MAP_ANONYMOUS ? NONE : watched(fd);
  if (file > 0 && access & PROT_WRITE && flags & MAP_SHARED) {
    for (int i = 0; i < count; i++) {
      size_t n = strlen(names[i]);
      /* SQLite's index of the log is made anew after a crash; what it holds counts for nothing. */
      if (numbers[i] == file && (n < 4 || strcmp(names[i] + n - 4, "-shm") != 0))
        fail("mapped for writing", names[i]);
    }
  }
  return (void *)syscall(SYS_mmap, at, size, access, flags, fd, offset);
}

void *mmap(void *at, size_t size, int access, int flags, int fd, off_t offset) {
  return mapped(at, size, access, flags, fd, offset);
}

void *mmap64(void *at, size_t size, int access, int flags, int fd, off64_t offset) {
  return mapped(at, size, access, flags, fd, offset);
}
