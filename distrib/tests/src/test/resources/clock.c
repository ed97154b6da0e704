/*
 * A clock that a test sets: preloaded into a process, it adds an offset to the clock that people
 * and time servers set, and leaves alone the one that only runs forward. The offset is a number of
 * seconds, 64 bits in the machine's order, at the beginning of the file CLOCK_OFFSET, and may
 * change at any time. libfaketime does this too, but takes so long for each look at the clock
 * that a JVM starts many times slower.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static volatile int64_t none = 0;
static volatile int64_t *offset = &none;

__attribute__((constructor)) static void begin(void) {
  const char *file = getenv("CLOCK_OFFSET");
  int fd = file == NULL ? -1 : open(file, O_RDONLY | O_CLOEXEC);
  void *at = fd < 0 ? MAP_FAILED : mmap(NULL, sizeof *offset, PROT_READ, MAP_SHARED, fd, 0);
  if (at == MAP_FAILED) {
    static const char why[] = "clock.so: CLOCK_OFFSET names no file of 8 bytes\n";
    ssize_t ignored = write(2, why, sizeof why - 1);
    (void)ignored;
    _exit(1);
  }
  offset = at;
  close(fd);
}

static int real(clockid_t clock, struct timespec *time) {
  static int (*next)(clockid_t, struct timespec *);
  if (next == NULL) {
    next = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
  }
  return next(clock, time);
}

int clock_gettime(clockid_t clock, struct timespec *time) {
  int result = real(clock, time);
  if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) {
    time->tv_sec += *offset;
  }
  return result;
}

int gettimeofday(struct timeval *restrict time, void *restrict zone) {
  struct timespec now;
  (void)zone;
  clock_gettime(CLOCK_REALTIME, &now);
  time->tv_sec = now.tv_sec;
  time->tv_usec = now.tv_nsec / 1000;
  return 0;
}

time_t time(time_t *into) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (into != NULL) {
    *into = now.tv_sec;
  }
  return now.tv_sec;
}
