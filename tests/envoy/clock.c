// Preloaded into Envoy: the wall clock is the number in the file CLOCK_FILE (8 bytes, unix seconds),
// which a test moves at will. Timers go by the monotonic clock and keep running.
// (libfaketime cannot do it: it allocates memory while Envoy's allocator is starting.)
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static volatile const long long *now;

__attribute__((constructor)) static void start(void) {
  // Envoy ends with the test, even after SIGKILL.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  const char *name = getenv("CLOCK_FILE");
  int file = name ? open(name, O_RDONLY) : -1;
  if (file < 0) return;
  void *page = mmap(0, sizeof *now, PROT_READ, MAP_SHARED, file, 0);
  if (page != MAP_FAILED) now = page;
}

int clock_gettime(clockid_t clock, struct timespec *time) {
  if (!now || (clock != CLOCK_REALTIME && clock != CLOCK_REALTIME_COARSE)) return syscall(SYS_clock_gettime, clock, time);
  time->tv_sec = *now;
  time->tv_nsec = 0;
  return 0;
}

int gettimeofday(struct timeval *restrict time, void *restrict zone) {
  (void)zone;
  struct timespec spec;
  int failed = clock_gettime(CLOCK_REALTIME, &spec);
  time->tv_sec = spec.tv_sec;
  time->tv_usec = spec.tv_nsec / 1000;
  return failed;
}

time_t time(time_t *result) {
  struct timespec spec;
  clock_gettime(CLOCK_REALTIME, &spec);
  if (result) *result = spec.tv_sec;
  return spec.tv_sec;
}
